import type { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';

export interface MeasureOptions {
  readonly only: string;
  readonly runs: number;
  readonly explain: boolean;
}

interface Answer {
  readonly rows: number;
  readonly statistics: { readonly elapsed: number; readonly rows_read: number; readonly bytes_read: number };
}

interface Question {
  readonly name: string;
  readonly sql: string;
}

/** Every view that can be asked without parameters, and the others with some. */
async function questions(warehouse: ChdbWarehouse): Promise<readonly Question[]> {
  const views = await warehouse.query<{ readonly name: string }>("SELECT name FROM system.tables WHERE database = 'voltstream' AND engine = 'View' ORDER BY name");
  return views.map(({ name }) => ({ name, sql: `SELECT * FROM voltstream.${name}` }));
}

/** Runs each question and prints one line of a Markdown table for it. */
export async function measure(warehouse: ChdbWarehouse, options: MeasureOptions, print: (line: string) => void): Promise<void> {
  print('| table | rows | parts | MB |\n|---|---:|---:|---:|');
  for (const table of await sizes(warehouse)) print(`| ${table.table} | ${Number(table.rows).toLocaleString('en')} | ${table.parts} | ${table.megabytes} |`);
  print('\n| question | first ms | median ms | max ms | rows read | MB read | rows |\n|---|---:|---:|---:|---:|---:|---:|');
  for (const question of await questions(warehouse)) {
    if (!question.name.includes(options.only)) continue;
    print(await measured(warehouse, question, options.runs));
    if (options.explain) print(`\n${await warehouse.queryText(`EXPLAIN indexes = 1, projections = 1 ${question.sql}`, 'TSVRaw')}`);
  }
}

async function measured(warehouse: ChdbWarehouse, question: Question, runs: number): Promise<string> {
  for (const cache of ['MARK', 'INDEX MARK', 'PRIMARY INDEX', 'UNCOMPRESSED', 'QUERY CONDITION']) await warehouse.command(`SYSTEM DROP ${cache} CACHE`);
  const times: number[] = [];
  let answer: Answer | undefined;
  try {
    for (let run = 0; run <= runs; run++) {
      const start = performance.now();
      answer = JSON.parse(await warehouse.queryText(question.sql, 'JSON')) as Answer;
      times.push(performance.now() - start);
    }
  } catch (error) {
    return `| ${question.name} | ${String(error).slice(0, 200).replaceAll(/\s+/g, ' ')} |`;
  }
  const [first = NaN, ...warm] = times;
  const sorted = warm.toSorted((left, right) => left - right);
  const { rows_read: rows = 0, bytes_read: bytes = 0 } = answer?.statistics ?? {};
  const shown = [first, sorted[sorted.length >> 1] ?? NaN, sorted.at(-1) ?? NaN].map((ms) => ms.toFixed(0));
  return `| ${question.name} | ${shown.join(' | ')} | ${rows.toLocaleString('en')} | ${(bytes / 1e6).toFixed(1)} | ${answer?.rows ?? 0} |`;
}

interface TableSize {
  readonly table: string;
  readonly rows: string;
  readonly parts: string;
  readonly megabytes: string;
}

function sizes(warehouse: ChdbWarehouse): Promise<readonly TableSize[]> {
  return warehouse.query<TableSize>(
    `SELECT table, sum(rows) AS rows, count() AS parts, toString(round(sum(bytes_on_disk) / 1e6, 1)) AS megabytes
    FROM system.parts WHERE active AND database = 'voltstream' GROUP BY table ORDER BY table`,
  );
}
