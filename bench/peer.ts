/**
 * Side by side with Kafka Streams, and with Quix Streams: the same topic, the same windows, the same commit interval, the same output, exactly once on
 * all sides. Starts Kafka, a registry and a Redis itself; fills the topic once; each run is a fresh process with a fresh application id, sides take
 * turns. A run whose output is not equal to the other side's, key by key and byte by byte, fails everything. Each result is kept as it is measured, in
 * .voltstream/peers/comparison.json: `--resume` goes on, with the settings that are kept there; `--minutes` begins no run that would not end in time.
 *
 * npm run bench:peer -- [--workload a,b,c] [--events 2000000] [--rounds 5] [--sides voltstream,kafka-streams,kafka-streams-tuned,quix-streams]
 *   [--minutes 30] [--resume] [--table]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfluentRegistry } from '../schemas/confluent-registry.ts';
import { KafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import { KafkaService } from '../test/services/kafka.ts';
import { RegistryService } from '../test/services/registry.ts';
import { fillInput } from './peers/input.ts';
import { Budget, expectedSeconds, KeptResults, minutesText } from './peers/kept-results.ts';
import { difference, digestOf } from './peers/output.ts';
import type { Output } from './peers/output.ts';
import { describeFigures, isResult, tableOf } from './peers/report.ts';
import type { Failure, Result } from './peers/report.ts';
import { openRuns, runsOf, warmUpOf } from './peers/rounds.ts';
import type { RunPlace } from './peers/rounds.ts';
import { run } from './peers/run.ts';
import type { RunPlan } from './peers/run.ts';
import { prepare, sides, sideTexts, usualSides } from './peers/sides.ts';
import type { Side } from './peers/sides.ts';
import { eventsTopic, gapMs, graceMs, stationsTopic, windowMs, workloads, workloadTexts } from './peers/workloads.ts';
import type { Workload } from './peers/workloads.ts';

/** What results have in common: those of others do not belong with them. */
interface Input {
  readonly events: number;
  readonly stations: number;
  readonly partitions: number;
  readonly commitMs: number;
  readonly seed: number;
}

interface Settings {
  readonly machine: string;
  readonly input: Input;
  readonly workloads: readonly Workload[];
  readonly sides: readonly Side[];
  readonly rounds: number;
}

const { values } = parseArgs({
  options: {
    workload: { type: 'string' }, sides: { type: 'string' }, events: { type: 'string' }, rounds: { type: 'string' }, stations: { type: 'string' },
    partitions: { type: 'string' }, 'commit-ms': { type: 'string' }, seed: { type: 'string' }, 'warm-up': { type: 'string', default: '1' }, minutes: { type: 'string' },
    'run-seconds': { type: 'string', default: '400' }, resume: { type: 'boolean', default: false }, table: { type: 'boolean', default: false },
    kept: { type: 'string', default: join(import.meta.dirname, '../.voltstream/peers/comparison.json') }, json: { type: 'string' }, prof: { type: 'string' },
  },
});

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

function listOf<T extends string>(name: string, text: string | undefined, known: readonly T[], usual: readonly T[]): readonly T[] {
  return text?.split(',').map((part) => known.find((one) => one === part) ?? fail(`--${name} wants some of ${known.join(',')}, not ${part}`)) ?? usual;
}

function numberOf(name: 'events' | 'rounds' | 'warm-up' | 'stations' | 'partitions' | 'commit-ms' | 'seed' | 'minutes' | 'run-seconds', usual: number): number {
  const value = Number(values[name] ?? usual);
  return Number.isSafeInteger(value) && value >= (name === 'warm-up' ? 0 : 1) ? value : fail(`--${name} wants a whole number, not ${values[name]}`);
}

function settingsFrom(usual: Settings): Settings {
  const { input } = usual;
  return {
    machine: usual.machine, workloads: listOf('workload', values.workload, workloads, usual.workloads), sides: listOf<Side>('sides', values.sides, sides, usual.sides),
    rounds: numberOf('rounds', usual.rounds),
    input: {
      events: numberOf('events', input.events), stations: numberOf('stations', input.stations), partitions: numberOf('partitions', input.partitions),
      commitMs: numberOf('commit-ms', input.commitMs), seed: numberOf('seed', input.seed),
    },
  };
}

/** The same input on the same machine, else results would not belong together; further sides, workloads and rounds may come. */
function settingsToGoOnWith(kept: Settings): Settings {
  const now = settingsFrom(kept);
  if (JSON.stringify(now.input) !== JSON.stringify(kept.input)) fail(`what is kept has other input (${JSON.stringify(kept.input)}): begin anew, without --resume`);
  return now;
}

const machine = `${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}; broker, Redis and application on the same cores`;
const usual: Settings = { machine, workloads, sides: usualSides, rounds: 5, input: { events: 2_000_000, stations: 2_000, partitions: 1, commitMs: 100, seed: 1 } };
const kept = values.resume || values.table
  ? KeptResults.resume<Settings, Result | Failure>(values.kept, settingsToGoOnWith)
  : KeptResults.begin<Settings, Result | Failure>(values.kept, settingsFrom(usual));
const { settings } = kept;
const { input } = settings;
const budget = new Budget(values.minutes === undefined ? null : numberOf('minutes', 0));
/** The runner waits for most of the time; when it did not get the processor for so long, nobody did. */
const standstillMsMax = 1_500;
/** Of one run. */
const repeatsMax = 6;
/** The whole output of the first run of each workload: to say where another one differs. */
const references = new Map<Workload, Output>();
let runs = 0;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** Why an output is not that of the workload's first run; null when it is. */
function wrongBy(workload: Workload, output: Output, digest: string): string | null {
  const itself = difference(workload, output, output);
  const first = kept.results.filter(isResult).find((one) => one.workload === workload);
  if (itself !== null || first === undefined || first.digest === digest) return itself;
  const reference = references.get(workload);
  return `not as ${first.side} in round ${first.round}: ${reference === undefined ? `${first.keys} and ${output.last.size} keys` : difference(workload, reference, output) ?? ''}`;
}

async function measure(place: RunPlace, common: Pick<RunPlan, 'kafka' | 'log' | 'registryUrl'>): Promise<Result> {
  const { workload, side, round } = place;
  const startedMs = performance.now();
  for (let repeated = 0; ; repeated++) {
    const name = `peer-${process.pid}-${++runs}`;
    const { figures, output } = await run({
      ...common, side, workload, applicationId: name, eventsTopic, stationsTopic, outputTopic: `${name}.output`, partitions: input.partitions, events: input.events, windowMs,
      graceMs, gapMs, commitMs: input.commitMs, cores: cpus().length, profileFolder: side === 'voltstream' ? values.prof ?? null : null, secondsMax: numberOf('run-seconds', 400),
    });
    const digest = digestOf(output);
    const wrong = wrongBy(workload, output, digest);
    if (wrong !== null) throw new OutputDiffers(`workload ${workload}, ${side}: ${wrong}`);
    if (!references.has(workload)) references.set(workload, output);
    const isDisturbed = figures.standstillMs > standstillMsMax && repeated < repeatsMax && budget.allows((performance.now() - startedMs) / 1_000);
    process.stdout.write(`${workload}, ${round < 1 ? 'warm-up' : `round ${round}`}, ${side}: ${describeFigures(figures)}${isDisturbed ? '; the machine stood still: once more' : ''}\n`);
    if (!isDisturbed) return { ...place, ...figures, digest, keys: output.last.size, seconds: (performance.now() - startedMs) / 1_000 };
  }
}

/** Not a failure of a run that others can go on after. */
class OutputDiffers extends Error {}

async function measureAll(common: Pick<RunPlan, 'kafka' | 'log' | 'registryUrl'>): Promise<void> {
  const all = runsOf(settings.workloads, settings.sides, settings.rounds);
  const secondsOf = ({ workload, side }: RunPlace): number => expectedSeconds(kept.results, (one) => one.workload === workload && one.side === side);
  if (openRuns(all, kept.results).length > 0 && numberOf('warm-up', 1) > 0) for (const place of warmUpOf(settings.workloads, settings.sides)) await measure(place, common);
  for (;;) {
    const open = openRuns(all, kept.results);
    const next = open[0];
    if (next === undefined) return;
    if (!budget.allows(secondsOf(next))) {
      process.stdout.write(`no time for another run; ${open.length} of ${all.length} are open: --resume goes on\n`);
      return;
    }
    const startedMs = performance.now();
    try {
      kept.add(await measure(next, common));
    } catch (error) {
      if (error instanceof OutputDiffers) throw error;
      const failed = error instanceof Error ? error.message : String(error);
      kept.add({ ...next, failed, seconds: (performance.now() - startedMs) / 1_000 });
      process.stdout.write(`${next.workload}, round ${next.round}, ${next.side}: ${failed}\n`);
    }
    const left = openRuns(all, kept.results);
    process.stdout.write(`  ${all.length - left.length} of ${all.length} runs, about ${minutesText(left.reduce((sum, place) => sum + secondsOf(place), 0))} left\n`);
  }
}

function report(): void {
  const results = kept.results.filter((one) => settings.workloads.includes(one.workload) && settings.sides.includes(one.side));
  process.stdout.write(`\n${tableOf(results)}\nall outputs are equal; kept in ${kept.file}\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ settings, sides: sideTexts, workloads: workloadTexts, results }, null, 1)}\n`);
}

if (values.table) {
  report();
  process.exit(0);
}
process.stdout.write(`${machine}\n${input.events.toLocaleString('en-US')} events of ${input.stations.toLocaleString('en-US')} stations, ${input.partitions} partition${input.partitions === 1 ? '' : 's'}, commits every ${input.commitMs} ms, seed ${input.seed}\n`
  + `${settings.sides.map((side) => `${side}: ${sideTexts[side]}\n`).join('')}${settings.workloads.map((one) => `${one}: ${workloadTexts[one]}\n`).join('')}`);
prepare(settings.sides);
const kafka = new KafkaService();
const registryService = new RegistryService();
try {
  await Promise.all([kafka.start(), registryService.start()]);
  const log = new KafkaLog({ brokers: [kafka.address], application: 'peer-driver' });
  const registry = new ConfluentRegistry({ url: registryService.url });
  await log.open();
  await registry.open();
  const startedMs = performance.now();
  const bytes = await fillInput(log, registry, { events: eventsTopic, stations: stationsTopic }, input.partitions, input);
  process.stdout.write(`filled in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s, ${Math.round(bytes / input.events)} bytes an event\n\n`);
  await measureAll({ kafka, log, registryUrl: registryService.url });
  report();
  await registry.close();
  await log.close();
} finally {
  await Promise.all([kafka.dispose(), registryService.dispose()]);
}
process.exit(0);
