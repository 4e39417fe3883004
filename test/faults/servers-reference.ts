import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Warehouse } from '../../runtime/sinks/warehouse.ts';
import { migrate } from '../../runtime/migrations.ts';
import type { KeySequences } from './servers-judges.ts';
import { baseTables, stopMerges } from './servers-tables.ts';

const project = resolve(import.meta.dirname, '../..');
const cacheFolder = join(project, '.voltstream/chaos');
const processFile = join(import.meta.dirname, 'servers-reference-process.ts');
/** All that rows and records can depend on. */
const sources = ['errors.ts', '{schemas,state,operators,topology,runtime,charging}/**/*.{ts,avsc,lua}', 'deploy/clickhouse/*.sql', 'test/faults/servers-input.ts',
  'test/faults/servers-tables.ts', 'test/faults/servers-reference-process.ts'];

/** What an undisturbed run of the same input gave: kept on the disk, so that many seeds share it. */
export interface Reference {
  /** True when another run had made it. */
  readonly cached: boolean;
  readonly madeInMs: number;
  /** Records of the output topic by key. */
  readonly sequences: KeySequences;
  /** Copies the schemas, so that the same ids stand in the records. */
  copySchemas(folder: string): void;
  /** Makes the tables of a database and fills them. */
  fill(warehouse: Warehouse, database: string): Promise<void>;
}

function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const file of globSync(sources, { cwd: project }).filter((name) => !name.endsWith('.test.ts')).toSorted()) {
    hash.update(file).update('\0').update(readFileSync(join(project, file))).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

/** Throws when the process that makes it fails. */
export async function referenceOf(events: number, partitions: number): Promise<Reference> {
  const folder = join(cacheFolder, `${events}-${partitions}-${sourcesHash()}`);
  const startedMs = performance.now();
  const cached = existsSync(folder);
  if (!cached) await make(folder, events, partitions);
  return {
    cached,
    madeInMs: performance.now() - startedMs,
    sequences: new Map(JSON.parse(readFileSync(join(folder, 'sequences.json'), 'utf8')) as [string, string[]][]),
    copySchemas: (target) => cpSync(join(folder, 'schemas'), target, { recursive: true }),
    fill: (warehouse, database) => fill(warehouse, database, join(folder, 'rows')),
  };
}

async function make(folder: string, events: number, partitions: number): Promise<void> {
  mkdirSync(cacheFolder, { recursive: true });
  const work = mkdtempSync(join(cacheFolder, 'work-'));
  const child = spawn(process.execPath, ['--max-semi-space-size=64', processFile, work, String(events), String(partitions)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => void (errors += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  process.off('exit', endWithUs);
  if (code !== 0) {
    rmSync(work, { recursive: true, force: true });
    throw new Error(`the reference run ended with ${signal ?? `code ${code}`}:\n${errors}`);
  }
  for (const needless of ['log', 'state', 'clickhouse']) rmSync(join(work, needless), { recursive: true, force: true });
  if (existsSync(folder)) rmSync(work, { recursive: true, force: true }); // another process was faster
  else renameSync(work, folder);
}

async function fill(warehouse: Warehouse, database: string, folder: string): Promise<void> {
  await migrate(warehouse, { folder: join(project, 'deploy/clickhouse'), database });
  await stopMerges(warehouse, database);
  for (const table of baseTables) {
    const file = join(folder, `${table}.native`);
    if (statSync(file).size === 0) continue; // no rows
    const columns = await warehouse.query<{ name: string }>(
      `SELECT name FROM system.columns WHERE database = '${database}' AND table = '${table}' AND name != '_inserted' AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') ORDER BY position`);
    const names = columns.map(({ name }) => `\`${name}\``).join(', ');
    await warehouse.command(`INSERT INTO ${database}.${table} (${names}) SETTINGS optimize_on_insert = 0, max_partitions_per_insert_block = 0 `
      + `SELECT ${names} FROM file('${file}', 'Native')`);
  }
}
