/**
 * Records per second of each operator, alone and chained, and bytes that it allocates for a record.
 * `node bench/operators.ts --help` explains its options, and what is measured.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvalidArgumentError } from 'commander';
import { listOption, script, whole } from '../test/script-options.ts';
import { benchmarks } from './operators/catalogue.ts';
import type { Measured } from './operators/measure.ts';

const nameWanted = (text: string): string => {
  if (benchmarks.some(({ name }) => name.includes(text))) return text;
  throw new InvalidArgumentError(`No benchmark's name contains it; they are: ${benchmarks.map(({ name }) => name).join('; ')}.`);
};
const values = script('node bench/operators.ts', 'Records per second of each operator, alone and chained, and bytes that it allocates for a record. Needs nothing beside Node.')
  .option('--only <name>', 'only benchmarks whose name contains this (default: all)', nameWanted)
  .addOption(listOption('--keys <list>', 'live keys, with commas between', whole(1), [1_000, 100_000, 1_000_000]))
  .option('--rounds <number>', 'counted rounds of at least 600,000 records, behind one to warm up', whole(1), 5)
  .option('--commit-every <records>', 'records between two commits; the default is that of commit.recordsMax', whole(1), 100_000)
  .option('--json', 'one line a measurement, for programs', false)
  .option('--markdown', 'a table for docs/performance.md', false)
  .addHelpText('after', `
Each measurement has a process of its own, with the young generation that production has (64 MB), so that none finds the inline
caches of another. Rates are per second of processor time of all its threads: what one core does. "steps" are the steps alone,
as a task runs them between decoding and encoding; "with commits" adds what a commit takes from their stores every N records
(state codecs and all; the writing of the cells is the state store's, see bench/state.ts). "bytes" are allocated on the heap by the
steps for a record, the record itself not counted; "per key" is what the state holds on the heap for each live key.

Each key sends every 10 seconds of event time (every 30 above 200,000 keys), so a window of a minute holds 6 records of it (2).
Benchmarks: ${benchmarks.map(({ name }) => name).join('; ')}.`)
  .parse()
  .opts<{
    readonly only?: string; readonly keys: readonly number[]; readonly rounds: number; readonly commitEvery: number; readonly json: boolean; readonly markdown: boolean;
  }>();

const millions = (rate: number): string => (rate / 1e6).toFixed(2);
const ascending = (rates: readonly number[]): readonly number[] => rates.toSorted((left, right) => left - right);
const medianOf = (rates: readonly number[]): number => ascending(rates)[rates.length >> 1] ?? NaN;
const targets = new Map(benchmarks.map(({ name, target }) => [name, target]));
const run = promisify(execFile);

await measureAll();

async function measureAll(): Promise<void> {
  const chosen = benchmarks.filter(({ name }) => name.includes(values.only ?? ''));
  if (!values.json) process.stdout.write(`${heading()}\n`);
  for (const { name } of chosen) {
    for (const keys of values.keys) {
      const measured = await measure(name, keys);
      process.stdout.write(`${values.json ? JSON.stringify(measured) : line(measured)}\n`);
    }
  }
}

async function measure(name: string, keys: number): Promise<Measured> {
  const child = join(import.meta.dirname, 'operators', 'measure.ts');
  const { stdout } = await run(
    process.execPath, ['--max-semi-space-size=64', child, name, ...[keys, values.rounds, values.commitEvery].map(String)], { maxBuffer: 1_048_576 },
  );
  return JSON.parse(stdout) as Measured;
}

function heading(): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}, commit ${commit()}; ` +
    `millions of records per second of processor time, ${values.rounds} rounds, a commit every ${values.commitEvery.toLocaleString('en')} records`;
  const names = ['operator', 'live keys', 'steps: min', 'median', 'max', 'with commits: median', 'bytes a record', 'bytes a key', 'out a record'];
  if (values.markdown) return `${machine}\n\n| ${names.join(' | ')} |\n|---|${names.slice(1).map(() => '---:|').join('')}`;
  return `${machine}\n${''.padEnd(44)}${'live'.padStart(9)}${'steps'.padStart(23)}${'with commits'.padStart(15)}${'bytes a'.padStart(10)}${'bytes'.padStart(9)}${'out a'.padStart(8)}\n` +
    `${'operator'.padEnd(44)}${'keys'.padStart(9)}    min  median     max${'median'.padStart(15)}${'record'.padStart(10)}${'a key'.padStart(9)}${'record'.padStart(8)}`;
}

function line(measured: Measured): string {
  const steps = ascending(measured.steps);
  const target = measured.keys <= 100_000 ? targets.get(measured.name) ?? null : null;
  const missed = target !== null && medianOf(steps) < target ? ` (wanted ${millions(target)})` : '';
  const rates = [steps[0] ?? NaN, medianOf(steps), steps.at(-1) ?? NaN].map(millions);
  const keys = measured.keys.toLocaleString('en');
  const commits = millions(medianOf(measured.withCommits));
  // With few keys, what a key holds is lost in what the process itself allocates and lets go.
  const held = measured.keys < 100_000 ? '-' : Math.max(0, Math.round(measured.heldBytesPerKey)).toLocaleString('en');
  const bytes = [Math.round(measured.bytesPerRecord).toLocaleString('en'), held];
  const out = measured.outPerRecord.toFixed(2);
  if (values.markdown) return `| ${[measured.name, keys, ...rates, commits, ...bytes, out].join(' | ')} |`;
  return `${measured.name.padEnd(44)}${keys.padStart(9)}${rates.map((rate) => rate.padStart(7)).join(' ')}${commits.padStart(15)}` +
    `${(bytes[0] ?? '').padStart(10)}${(bytes[1] ?? '').padStart(9)}${out.padStart(8)}${missed}`;
}

/** The commit measured; with a + when files differ from it. */
function commit(): string {
  try {
    const git = (...words: readonly string[]): string => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
