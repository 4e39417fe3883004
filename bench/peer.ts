/**
 * Side by side with Kafka Streams: the same topic, the same windows, the same commit interval, the same output, exactly once on both sides. Starts
 * Kafka, a registry and a Redis itself; fills the topic once; each run is a fresh process with a fresh application id, sides take turns. A run
 * whose output is not equal to the other side's, key by key and byte by byte, fails everything.
 *
 * npm run bench:peer -- [--workload a,b,c] [--events 2000000] [--rounds 5] [--sides voltstream,kafka-streams,kafka-streams-tuned]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { ConfluentRegistry } from '../schemas/confluent-registry.ts';
import { KafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import { KafkaService } from '../test/services/kafka.ts';
import { RegistryService } from '../test/services/registry.ts';
import { fillInput } from './peers/input.ts';
import { difference } from './peers/output.ts';
import type { Output } from './peers/output.ts';
import { describeFigures, tableOf } from './peers/report.ts';
import type { Result } from './peers/report.ts';
import { run } from './peers/run.ts';
import type { RunPlan } from './peers/run.ts';
import { buildKafkaStreams, sides, sideTexts } from './peers/sides.ts';
import type { Side } from './peers/sides.ts';
import { eventsTopic, gapMs, graceMs, stationsTopic, windowMs, workloads, workloadTexts } from './peers/workloads.ts';
import type { Workload } from './peers/workloads.ts';

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: workloads.join(',') }, sides: { type: 'string', default: sides.join(',') },
    events: { type: 'string', default: '2000000' }, rounds: { type: 'string', default: '5' }, 'warm-up': { type: 'string', default: '1' },
    stations: { type: 'string', default: '2000' }, partitions: { type: 'string', default: '1' }, 'commit-ms': { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' }, json: { type: 'string' }, prof: { type: 'string' },
  },
});

function listOf<T extends string>(name: string, text: string, known: readonly T[]): readonly T[] {
  return text.split(',').map((part) => known.find((one) => one === part) ?? fail(`--${name} wants some of ${known.join(',')}, not ${part}`));
}

function numberOf(name: 'events' | 'rounds' | 'warm-up' | 'stations' | 'partitions' | 'commit-ms' | 'seed'): number {
  const value = Number(values[name]);
  return Number.isSafeInteger(value) && value >= (name === 'warm-up' ? 0 : 1) ? value : fail(`--${name} wants a whole number, not ${values[name]}`);
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

const chosen = { workloads: listOf('workload', values.workload, workloads), sides: listOf<Side>('sides', values.sides, sides) };
const [events, rounds, warmUps, stations, partitions, commitMs, seed] = (['events', 'rounds', 'warm-up', 'stations', 'partitions', 'commit-ms', 'seed'] as const).map(numberOf) as
  [number, number, number, number, number, number, number];

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** The runner waits for most of the time; when it did not get the processor for so long, nobody did. */
const standstillMsMax = 1_500;
/** In a round. */
const repeatsMax = 6;
let runs = 0;

async function compare(workload: Workload, common: Pick<RunPlan, 'kafka' | 'log' | 'registryUrl'>): Promise<Result[]> {
  const results: Result[] = [];
  let reference: { readonly output: Output; readonly side: Side } | null = null;
  for (let round = 1 - warmUps; round <= rounds; round++) {
    // Nobody has always the same place in the turn.
    const turn = chosen.sides.map((_, index) => chosen.sides[(index + Math.max(0, round)) % chosen.sides.length] as Side);
    let repeated = 0;
    for (let side = turn.shift(); side !== undefined; side = turn.shift()) {
      const name = `peer-${process.pid}-${++runs}`;
      const { figures, output } = await run({
        ...common, side, workload, applicationId: name, eventsTopic, stationsTopic, outputTopic: `${name}.output`, partitions, events, windowMs, graceMs, gapMs, commitMs,
        cores: cpus().length, profileFolder: side === 'voltstream' ? values.prof ?? null : null,
      });
      const wrong = reference === null ? difference(workload, output, output) : difference(workload, reference.output, output);
      if (wrong !== null) throw new Error(`workload ${workload}: ${reference?.side ?? side} and ${side} do not agree: ${wrong}`);
      reference ??= { output, side };
      const isDisturbed = figures.standstillMs > standstillMsMax && repeated < repeatsMax;
      process.stdout.write(`${workload}, ${round < 1 ? 'warm-up' : `round ${round}`}, ${side}: ${describeFigures(figures)}${isDisturbed ? '; the machine stood still: once more' : ''}\n`);
      if (isDisturbed) {
        repeated += 1;
        turn.unshift(side);
      } else if (round >= 1) {
        results.push({ workload, side, round, ...figures });
      }
    }
  }
  process.stdout.write(`${workload}: all outputs are equal, ${reference?.output.last.size.toLocaleString('en-US') ?? 0} keys\n\n`);
  return results;
}

const machine = `${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}; broker, Redis and application on the same cores`;
const setting = `${events.toLocaleString('en-US')} events of ${stations.toLocaleString('en-US')} stations, ${partitions} partition${partitions === 1 ? '' : 's'}, commits every ${commitMs} ms, seed ${seed}`;
process.stdout.write(`${machine}\n${setting}\n${chosen.sides.map((side) => `${side}: ${sideTexts[side]}\n`).join('')}${chosen.workloads.map((one) => `${one}: ${workloadTexts[one]}\n`).join('')}`);
if (chosen.sides.some((side) => side !== 'voltstream')) buildKafkaStreams();

const kafka = new KafkaService();
const registryService = new RegistryService();
try {
  await Promise.all([kafka.start(), registryService.start()]);
  const log = new KafkaLog({ brokers: [kafka.address], application: 'peer-driver' });
  const registry = new ConfluentRegistry({ url: registryService.url });
  await log.open();
  await registry.open();
  const startedMs = performance.now();
  const bytes = await fillInput(log, registry, { events: eventsTopic, stations: stationsTopic }, partitions, { events, stations, seed });
  process.stdout.write(`filled in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s, ${Math.round(bytes / events)} bytes an event\n\n`);
  const results: Result[] = [];
  for (const workload of chosen.workloads) results.push(...await compare(workload, { kafka, log, registryUrl: registryService.url }));
  process.stdout.write(tableOf(results));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, setting, sides: sideTexts, workloads: workloadTexts, results }, null, 1)}\n`);
  await registry.close();
  await log.close();
} finally {
  await Promise.all([kafka.dispose(), registryService.dispose()]);
}
process.exit(0);
