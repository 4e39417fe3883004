/**
 * The questions of the catalogue on tables of a network with 10 million sessions: how long each takes, and what it reads.
 *
 * node bench/questions.ts [--data FOLDER] [--sessions 10000000] [--events 10000000] [--stations 5000] [--years 5] [--only NAME] [--runs 10] [--explain]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../runtime/migrations.ts';
import { ChdbWarehouse } from '../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { generateEvents } from './questions/events.ts';
import { generate } from './questions/generate.ts';
import { measure } from './questions/measure.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    sessions: { type: 'string', default: '10000000' },
    stations: { type: 'string', default: '5000' },
    years: { type: 'string', default: '5' },
    events: { type: 'string', default: '10000000' },
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '10' },
    explain: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const help = `The questions of the catalogue on generated tables, in the embedded ClickHouse, with its ordinary memory limit.

  --data FOLDER   where the tables are; made and filled when there are none (a temporary folder, removed at the end)
  --sessions N    sessions to make (10000000)
  --stations N    stations that they are spread over (5000)
  --events N      raw events to make, of the last forty days (10000000)
  --years N       years up to now that they are spread over (5)
  --only NAME     only questions whose name contains NAME
  --runs N        warm runs of each question, behind a first one with empty caches of marks and indexes (10)
  --explain       which partitions, parts and granules each question reads
  --help          this

Prints a Markdown table: milliseconds of the first run, median and maximum of the warm ones, rows and bytes read. The pages of files are in
the system's cache, as on a machine that serves questions. Merges are stopped: the last two months are in the parts in which they were
inserted, with three revisions in a hundred sessions; older months are one part each.
`;

if (values.help) process.stdout.write(help);
else await main();

async function main(): Promise<void> {
  const folder = values.data ?? mkdtempSync(join(tmpdir(), 'voltstream-questions-'));
  mkdirSync(folder, { recursive: true });
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  try {
    await fill(folder, log);
    const warehouse = new ChdbWarehouse({ folder });
    await warehouse.open();
    await warehouse.command('SYSTEM STOP MERGES');
    process.stdout.write(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}\n\n`);
    await measure(warehouse, { only: values.only, runs: Number(values.runs), explain: values.explain }, (line) => void process.stdout.write(`${line}\n`));
    await warehouse.close();
  } finally {
    if (values.data === undefined) rmSync(folder, { recursive: true });
  }
}

/** Makes the tables, and fills them when they are empty: with more memory than questions get, since whole months are made at once. */
async function fill(folder: string, log: (line: string) => void): Promise<void> {
  const warehouse = new ChdbWarehouse({ folder, memoryBytesMax: 3_000_000_000 });
  await warehouse.open();
  await warehouse.command('SYSTEM STOP MERGES');
  await migrate(warehouse, { folder: join(import.meta.dirname, '..', 'deploy', 'clickhouse'), database: 'voltstream' });
  const untilMs = Math.floor(Date.now() / 60_000) * 60_000;
  const isEmpty = async (table: string): Promise<boolean> => (await warehouse.query(`SELECT 1 FROM voltstream.${table} LIMIT 1`)).length === 0;
  if (await isEmpty('charging_events')) await generateEvents(warehouse, Number(values.events), Number(values.stations), untilMs);
  if (await isEmpty('charging_sessions')) {
    await generate(warehouse, { stations: Number(values.stations), sessions: Number(values.sessions), years: Number(values.years), untilMs }, log);
  }
  await warehouse.close();
}
