import { questionSql } from '../../charging/views/part-of-network.ts';
import type { PartOfNetwork } from '../../charging/views/part-of-network.ts';
import { questions } from '../../charging/views/questions.ts';
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

/** Sums that are made in the background; here by hand, so that none is made while a question is timed. */
const madeViews = ['session_hours_made', 'session_months_made', 'session_flag_months_made', 'visit_months_made'];

interface Asked {
  readonly name: string;
  readonly sql: string;
}

/** The catalogue, and the same asked of a city, a year and both: what reads sessions themselves. */
function asked(): readonly Asked[] {
  const of = (suffix: string, part: PartOfNetwork): readonly Asked[] =>
    questions.filter((one) => suffix === '' || partsOf.has(one.name)).map((one) => ({ name: `${one.name}${suffix}`, sql: questionSql(one, 'voltstream', part) }));
  const search = (word: string, name: string): Asked => ({
    name: `search_events, ${name}`, sql: `SELECT * FROM voltstream.search_events(word = '${word}', since = '2020-01-01', before = '2040-01-01')`,
  });
  return [
    ...of('', {}), ...of(', a city', { city: 'City 07' }), ...of(', a month', { fromDay: '2025-03-01', toDay: '2025-03-31' }),
    search('token-77', 'a token'), search('tx-1234', 'a transaction'), search('groundfailure', 'an error'), search('nothing-like-it', 'nothing'),
  ];
}
const partsOf = new Set(['sessions_by_weekday', 'busiest_stations', 'revenue_by_day', 'recent_sessions']);

/** Runs each question and prints one line of a Markdown table for it. */
export async function measure(warehouse: ChdbWarehouse, options: MeasureOptions, print: (line: string) => void): Promise<void> {
  // They begin by themselves when a process opens the folder.
  for (const view of madeViews) await warehouse.command(`SYSTEM WAIT VIEW voltstream.${view}`);
  for (const view of madeViews) print(`${view}: made in ${await made(warehouse, view)}`);
  print('\n| table | rows | parts | MB |\n|---|---:|---:|---:|');
  for (const table of await sizes(warehouse)) print(`| ${table.table} | ${Number(table.rows).toLocaleString('en')} | ${table.parts} | ${table.megabytes} |`);
  print('\n| question | first ms | median ms | max ms | processor ms | rows read | MB read | rows |\n|---|---:|---:|---:|---:|---:|---:|---:|');
  for (const question of asked()) {
    if (!question.name.includes(options.only)) continue;
    print(await measured(warehouse, question, options.runs));
    if (options.explain) print(`\n${await warehouse.queryText(`EXPLAIN indexes = 1, projections = 1 ${question.sql}`, 'TSVRaw')}`);
  }
}

/** Makes a table of sums anew. */
async function made(warehouse: ChdbWarehouse, view: string): Promise<string> {
  const start = performance.now();
  const before = process.cpuUsage();
  await warehouse.command(`SYSTEM REFRESH VIEW voltstream.${view}`);
  await warehouse.command(`SYSTEM WAIT VIEW voltstream.${view}`);
  const cpu = process.cpuUsage(before);
  return `${Math.round(performance.now() - start)} ms, ${Math.round((cpu.user + cpu.system) / 1000)} ms of processor`;
}

async function measured(warehouse: ChdbWarehouse, question: Asked, runs: number): Promise<string> {
  for (const cache of ['MARK', 'INDEX MARK', 'PRIMARY INDEX', 'UNCOMPRESSED', 'QUERY CONDITION']) await warehouse.command(`SYSTEM DROP ${cache} CACHE`);
  const times: number[] = [];
  let cpuBefore = process.cpuUsage();
  let answer: Answer | undefined;
  try {
    for (let run = 0; run <= runs; run++) {
      if (run === 1) cpuBefore = process.cpuUsage();
      const start = performance.now();
      answer = JSON.parse(await warehouse.queryText(question.sql, 'JSON')) as Answer;
      times.push(performance.now() - start);
    }
  } catch (error) {
    return `| ${question.name} | ${String(error).slice(0, 200).replaceAll(/\s+/g, ' ')} |`;
  }
  const cpu = process.cpuUsage(cpuBefore);
  const [first = NaN, ...warm] = times;
  const sorted = warm.toSorted((left, right) => left - right);
  const { rows_read: rows = 0, bytes_read: bytes = 0 } = answer?.statistics ?? {};
  const shown = [first, sorted[sorted.length >> 1] ?? NaN, sorted.at(-1) ?? NaN, (cpu.user + cpu.system) / 1000 / runs].map((ms) => ms.toFixed(0));
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
