/**
 * Side by side with Kafka Streams, and with Quix Streams: the same topic, the same windows, the same commit interval, the same output, exactly once on
 * all sides. Starts Kafka, a registry and a Redis itself; fills the topic once; each run is a fresh process with a fresh application id, sides take
 * turns. A run whose output is not equal to the other side's, key by key and byte by byte, fails everything. Each result is kept as it is measured, in
 * .voltstream/peers/comparison.json: `--resume` goes on, with the settings that are kept there; `--minutes` begins no run that would not end in time.
 * `npm run bench:peer -- --help` explains all options.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Option } from 'commander';
import { ConfluentRegistry } from '../schemas/confluent-registry.ts';
import { KafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import { list, oneOf, script, whole } from '../test/script-options.ts';
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

const machine = `${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}; broker, Redis and application on the same cores`;
const usual: Settings = { machine, workloads, sides: usualSides, rounds: 5, input: { events: 2_000_000, stations: 2_000, partitions: 1, commitMs: 100, seed: 1 } };
const command = script('npm run bench:peer --',
  'Side by side with Kafka Streams, and with Quix Streams: the same topic, windows, commit interval and output, exactly once on all sides; whatever is not equal, key by key '
    + 'and byte by byte, fails everything. Starts Kafka, a registry and Redis itself. Needs java, javac, mvn and redis-server, and python3 for Quix Streams.')
  .option('--workload <list>', `of ${workloads.join(', ')}, with commas between (${defaultOf(usual.workloads)})`, list(oneOf(workloads)))
  .option('--sides <list>', `of ${sides.join(', ')}, with commas between (${defaultOf(usual.sides)})`, list(oneOf(sides)))
  .option('--events <number>', `in the topic (${defaultOf(usual.input.events)})`, whole(1))
  .option('--rounds <number>', `counted runs of each workload and side (${defaultOf(usual.rounds)})`, whole(1))
  .option('--stations <number>', `that send them (${defaultOf(usual.input.stations)})`, whole(1))
  .option('--partitions <number>', `of the topic (${defaultOf(usual.input.partitions)})`, whole(1))
  .option('--commit-ms <number>', `between commits, in ms (${defaultOf(usual.input.commitMs)})`, whole(1))
  .option('--seed <number>', `the same seed gives the same events (${defaultOf(usual.input.seed)})`, whole(1))
  .option('--warm-up <number>', '0 leaves out the run of each side that goes first and does not count', whole(0), 1)
  .option('--minutes <number>', 'begin no run that would not end in this time (default: no limit)', whole(1))
  .option('--run-seconds <number>', 'longest run, in seconds', whole(1), 400)
  .option('--resume', 'go on with what is kept, and with its settings; further sides, workloads and rounds may come', false)
  .option('--table', 'only print the table of what is kept', false)
  .addOption(new Option('--kept <file>', 'each result is kept there as it is measured')
    .default(join(import.meta.dirname, '../.voltstream/peers/comparison.json'), '.voltstream/peers/comparison.json'))
  .option('--json <file>', 'write settings and all results there')
  .option('--prof <folder>', 'write CPU profiles of our side there')
  .parse();
const values = command.opts<{
  readonly workload?: readonly Workload[]; readonly sides?: readonly Side[]; readonly events?: number; readonly rounds?: number; readonly stations?: number;
  readonly partitions?: number; readonly commitMs?: number; readonly seed?: number; readonly warmUp: number; readonly minutes?: number; readonly runSeconds: number;
  readonly resume: boolean; readonly table: boolean; readonly kept: string; readonly json?: string; readonly prof?: string;
}>();

/** With --resume the settings that are kept are the usual ones. */
function defaultOf(value: number | readonly string[]): string {
  return `default: ${String(value)}; with --resume: as kept`;
}

function settingsFrom(others: Settings): Settings {
  const { events, stations, partitions, commitMs, seed } = others.input;
  return {
    machine: others.machine, workloads: values.workload ?? others.workloads, sides: values.sides ?? others.sides, rounds: values.rounds ?? others.rounds,
    input: {
      events: values.events ?? events, stations: values.stations ?? stations, partitions: values.partitions ?? partitions, commitMs: values.commitMs ?? commitMs,
      seed: values.seed ?? seed,
    },
  };
}

/** The same input on the same machine, else results would not belong together; further sides, workloads and rounds may come. */
function settingsToGoOnWith(kept: Settings): Settings {
  const now = settingsFrom(kept);
  if (JSON.stringify(now.input) !== JSON.stringify(kept.input)) command.error(`error: what is kept has other input (${JSON.stringify(kept.input)}): begin anew, without --resume`);
  return now;
}

const kept = values.resume || values.table
  ? KeptResults.resume<Settings, Result | Failure>(values.kept, settingsToGoOnWith, (why) => command.error(why))
  : KeptResults.begin<Settings, Result | Failure>(values.kept, settingsFrom(usual));
const { settings } = kept;
const { input } = settings;
const budget = new Budget(values.minutes ?? null);
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
      graceMs, gapMs, commitMs: input.commitMs, cores: cpus().length, profileFolder: side === 'voltstream' ? values.prof ?? null : null, secondsMax: values.runSeconds,
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
  if (openRuns(all, kept.results).length > 0 && values.warmUp > 0) for (const place of warmUpOf(settings.workloads, settings.sides)) await measure(place, common);
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
