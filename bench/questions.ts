/**
 * The questions of the catalogue on tables of a network with 10 million sessions: how long each takes, and what it reads.
 * `node bench/questions.ts --help` explains its options.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../runtime/migrations.ts';
import { ChdbWarehouse } from '../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { aboveZero, script, whole } from '../test/script-options.ts';
import { generateEvents } from './questions/events.ts';
import { generate } from './questions/generate.ts';
import { measure } from './questions/measure.ts';

const values = script('node bench/questions.ts', 'The questions of the catalogue on generated tables, in the embedded ClickHouse, with its ordinary memory limit. Needs nothing beside Node.')
  .option('--data <folder>', 'where the tables are; made and filled when there are none (default: a temporary folder, removed at the end)')
  .option('--sessions <number>', 'sessions to make', whole(1), 10_000_000)
  .option('--stations <number>', 'stations that they are spread over', whole(1), 5_000)
  .option('--events <number>', 'raw events to make, of the last forty days', whole(0), 10_000_000)
  .option('--years <number>', 'years up to now that sessions are spread over', aboveZero, 5)
  .option('--only <name>', 'only questions whose name contains this (default: all)')
  .option('--runs <number>', 'warm runs of each question, behind a first one with empty caches of marks and indexes', whole(1), 10)
  .option('--explain', 'which partitions, parts and granules each question reads', false)
  .addHelpText('after', `
Prints a Markdown table: milliseconds of the first run, median and maximum of the warm ones, rows and bytes read. The pages of files are in
the system's cache, as on a machine that serves questions. Merges are stopped: the last two months are in the parts in which they were
inserted, with three revisions in a hundred sessions; older months are one part each.`)
  .parse()
  .opts<{
    readonly data?: string; readonly sessions: number; readonly stations: number; readonly events: number; readonly years: number; readonly only?: string;
    readonly runs: number; readonly explain: boolean;
  }>();

await main();

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
    await measure(warehouse, { only: values.only ?? '', runs: values.runs, explain: values.explain }, (line) => void process.stdout.write(`${line}\n`));
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
  if (await isEmpty('charging_events')) await generateEvents(warehouse, values.events, values.stations, untilMs);
  if (await isEmpty('charging_sessions')) {
    await generate(warehouse, { stations: values.stations, sessions: values.sessions, years: values.years, untilMs }, log);
  }
  await warehouse.close();
}
