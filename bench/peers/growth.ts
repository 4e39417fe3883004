/**
 * How the cost of a record grows: with live keys, partitions, size of records, and pods. Pods count records by key; all input is in the log before
 * they start: one record of each key, which makes the state, then updates of keys by chance, which are measured. One thing is varied at a time.
 * Each point is kept as it is measured, in .voltstream/peers/growth.json: `--resume` goes on, with the settings that are kept there; `--minutes` begins no
 * point that would not end in time. `node bench/peers/growth.ts --help` explains all options.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import type { OutboundRecord } from '../../runtime/log/log.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { failoverTopic } from '../../test/faults/failover-pod.ts';
import { randomFrom } from '../../test/seeded-random.ts';
import { aboveZero, list, oneOf, script, whole } from '../../test/script-options.ts';
import { KafkaService } from '../../test/services/kafka.ts';
import { RedisService } from '../../test/services/redis.ts';
import { CountingProcess } from './counting-process.ts';
import type { CountingOptions } from './counting-process.ts';
import { drawGrowth, growthTable } from './growth-plot.ts';
import type { GrowthPoint, Shape } from './growth-plot.ts';
import { Budget, KeptResults, minutesText } from './kept-results.ts';
import { peakBytes, processorSeconds } from './measured-process.ts';
import { buildKafkaStreams } from './sides.ts';

/** As text, as on the command line. */
interface Settings {
  readonly keys: string;
  readonly partitions: string;
  readonly bytes: string;
  readonly pods: string;
  readonly updates: string;
  readonly rounds: string;
  readonly side: string;
  readonly 'commit-ms': string;
}

const usualSettings: Settings = {
  keys: '10000,100000,1000000,5000000', partitions: '1,4,16', bytes: '100,1000,4000', pods: '1,2', updates: '1000000', rounds: '1', side: 'voltstream', 'commit-ms': '100',
};
/** With --resume the settings that are kept are the usual ones. */
const defaultOf = (name: keyof Settings): string => `(default: ${usualSettings[name]}; with --resume: as kept)`;
/** Settings are kept as they were written. */
const written = (valueOf: (text: string) => unknown) => (text: string): string => {
  valueOf(text);
  return text;
};
const command = script('node bench/peers/growth.ts',
  'How the cost of a record grows with live keys, partitions, size of records and pods, one varied at a time: records per second, processor time, memory. Each point is kept '
    + 'as it is measured. Starts Kafka and Redis itself. Needs java, mvn and redis-server, and javac for Kafka Streams.')
  .option('--keys <list>', `live keys, with commas between ${defaultOf('keys')}`, written(list(whole(1))))
  .option('--partitions <list>', `of the topic, with commas between ${defaultOf('partitions')}`, written(list(whole(1))))
  .option('--bytes <list>', `of a record's value, with commas between ${defaultOf('bytes')}`, written(list(whole(1))))
  .option('--pods <list>', `processes, with commas between ${defaultOf('pods')}`, written(list(whole(1))))
  .option('--updates <number>', `records that are measured at each point ${defaultOf('updates')}`, written(whole(1)))
  .option('--rounds <number>', `of all points ${defaultOf('rounds')}`, written(whole(1)))
  .option('--side <name>', `voltstream or kafka-streams ${defaultOf('side')}`, oneOf(['voltstream', 'kafka-streams']))
  .option('--commit-ms <number>', `between commits, in ms ${defaultOf('commit-ms')}`, written(whole(1)))
  .option('--minutes <number>', 'begin no point that would not end in this time (default: no limit)', aboveZero)
  .option('--point-seconds <number>', 'longest point, in seconds', aboveZero, 300)
  .option('--resume', 'go on with what is kept, and with its settings; further values of what is varied may come', false)
  .option('--table', 'only print the table of what is kept', false)
  .addOption(new Option('--kept <file>', 'each point is kept there as it is measured')
    .default(join(import.meta.dirname, '../../.voltstream/peers/growth.json'), '.voltstream/peers/growth.json'))
  .option('--plot <file>', 'draw all points there, as SVG')
  .parse();
const values = command.opts<Partial<Omit<Settings, 'commit-ms'>> & {
  readonly commitMs?: string; readonly minutes?: number; readonly pointSeconds: number; readonly resume: boolean; readonly table: boolean; readonly kept: string;
  readonly plot?: string;
}>();

interface Kept extends GrowthPoint {
  readonly round: number;
  readonly seconds: number;
}

function settingsFrom(usual: Settings): Settings {
  const { keys, partitions, bytes, pods, updates, rounds, side, commitMs } = values;
  const given = { keys, partitions, bytes, pods, updates, rounds, side, 'commit-ms': commitMs };
  return { ...usual, ...Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined)) };
}

/** Further values of what is varied may come; what all points have in common may not change. */
function settingsToGoOnWith(kept: Settings): Settings {
  const now = settingsFrom(kept);
  for (const name of ['updates', 'side', 'commit-ms'] as const) {
    if (now[name] !== kept[name]) command.error(`error: what is kept was measured with --${name} ${kept[name]}: begin anew, without --resume`);
  }
  return now;
}

const kept = values.resume || values.table
  ? KeptResults.resume<Settings, Kept>(values.kept, settingsToGoOnWith, (why) => command.error(why))
  : KeptResults.begin<Settings, Kept>(values.kept, settingsFrom(usualSettings));
const { settings } = kept;
const budget = new Budget(values.minutes ?? null);
const usual: Shape = { keys: 100_000, partitions: 4, bytes: 100, pods: 1 };
const side = settings.side as CountingOptions['side'];
/** So that an append stays below the largest request. */
const bytesAtOnce = 1_000_000;
/** Within this time the pods of one point must have started. */
const joinMs = 8_000;
/** Of all updates of one point: large records are fewer, or filling the log takes longer than reading it. */
const updateBytesMax = 1_000_000_000;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

function updatesOf({ bytes }: Shape): number {
  return Math.min(Number(settings.updates), Math.floor(updateBytesMax / bytes));
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const endMs = performance.now() + values.pointSeconds * 1_000; !condition();) {
    if (performance.now() > endMs) throw new Error(`not within ${values.pointSeconds} s: ${what}`);
    await sleep(10);
  }
}

async function fill(log: KafkaLog, shape: Shape): Promise<void> {
  const { keys, partitions, bytes } = shape;
  const updates = updatesOf(shape);
  await log.createTopics([{ topic: failoverTopic, partitions, settings: { 'retention.ms': '-1' } }]);
  const producer = await log.producer();
  const random = randomFrom(1);
  // Text that no compression and no cache makes smaller than it is.
  const value = utf8.encode(Array.from({ length: bytes }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join(''));
  let batch: OutboundRecord[] = [];
  for (let number = 0; number < keys + updates; number++) {
    const key = number < keys ? number : Math.floor(random() * keys);
    batch.push({ topic: failoverTopic, key: utf8.encode(`key-${String(key).padStart(8, '0')}`), value, timestampMs: 1_700_000_000_000 + number });
    if (batch.length * (bytes + 40) < bytesAtOnce && number + 1 < keys + updates) continue;
    await producer.append(batch);
    batch = [];
  }
  await producer.close();
}

async function measure(shape: Shape, number: number): Promise<GrowthPoint> {
  // All pods are to be there before any has a task: else the first one is through half of the input before the second has joined.
  const kafka = new KafkaService(shape.pods === 1 ? {} : { properties: `group.initial.rebalance.delay.ms=${joinMs}` });
  const redis = new RedisService();
  const pods: CountingProcess[] = [];
  const updates = updatesOf(shape);
  try {
    await Promise.all([kafka.start(), redis.start()]);
    const log = new KafkaLog({ brokers: [kafka.address], application: 'growth-driver' });
    await log.open();
    await fill(log, shape);
    await log.close();
    const options = { side, applicationId: `growth-${number}`, brokers: kafka.address, redisUrl: redis.address, partitions: shape.partitions, sessionMs: 30_000, commitMs: Number(settings['commit-ms']) };
    for (let pod = 0; pod < shape.pods; pod++) pods.push(new CountingProcess(options));
    const used = (): number => pods.reduce((sum, { id }) => sum + processorSeconds(id), processorSeconds(redis.processId ?? 0));
    const processed = (): number => pods.reduce((sum, pod) => sum + pod.processed, 0);
    await until('one record of each key is counted', () => processed() >= shape.keys && pods.every(({ tasks }) => tasks.length > 0));
    const from = { atMs: performance.now(), processed: processed(), seconds: used() };
    await until('all updates are counted', () => processed() >= shape.keys + updates);
    const records = processed() - from.processed;
    if (records < updates / 2) throw new Error(`only ${records} of ${updates} updates were left when all pods had their tasks: more --updates`);
    return {
      ...shape, records, recordsPerSecond: records / (performance.now() - from.atMs) * 1_000, secondsPerMillion: (used() - from.seconds) / records * 1e6,
      podMegabytes: pods.reduce((sum, { id }) => sum + peakBytes(id), 0) / 1e6, redisMegabytes: peakBytes(redis.processId ?? 0) / 1e6,
    };
  } finally {
    await Promise.all(pods.map((pod) => pod.kill()));
    await Promise.all([kafka.dispose(), redis.dispose()]);
  }
}

/** The usual shape once, and each other value of each of its sides. */
function shapes(): readonly Shape[] {
  const of = (name: keyof Shape): readonly Shape[] => settings[name].split(',').map((text) => ({ ...usual, [name]: Number(text) }));
  const all = [usual, ...(['pods', 'partitions', 'bytes', 'keys'] as const).flatMap(of)];
  return [...new Map(all.map((shape) => [JSON.stringify(shape), shape])).values()];
}

const isAlike = (one: Shape, other: Shape): boolean => one.keys === other.keys && one.partitions === other.partitions && one.bytes === other.bytes && one.pods === other.pods;

/** By what those before took, a byte of their input. */
function secondsOf(shape: Shape): number {
  const bytesOf = (one: Shape): number => (one.keys + updatesOf(one)) * (one.bytes + 500);
  const alike = kept.results.filter((one) => isAlike(one, shape));
  const known = alike.length > 0 ? alike : kept.results;
  return known.length === 0 ? 0 : known.reduce((sum, { seconds }) => sum + seconds, 0) / known.reduce((sum, one) => sum + bytesOf(one), 0) * bytesOf(shape);
}

async function measureAll(): Promise<void> {
  const all = Array.from({ length: Number(settings.rounds) }, (_, index) => index + 1).flatMap((round) => shapes().map((shape) => ({ shape, round })));
  /** Of this session: --resume tries them again. */
  const failed = new Set<object>();
  for (;;) {
    const open = all.filter((place) => !failed.has(place)).filter(({ shape, round }) => !kept.results.some((one) => one.round === round && isAlike(one, shape)));
    const next = open[0];
    if (next === undefined) return;
    process.stdout.write(`${all.length - open.length} of ${all.length} points, about ${minutesText(open.reduce((sum, { shape }) => sum + secondsOf(shape), 0))} left\n`);
    if (!budget.allows(secondsOf(next.shape))) {
      process.stdout.write('no time for another point: --resume goes on\n');
      return;
    }
    const startedMs = performance.now();
    try {
      const point = await measure(next.shape, kept.results.length);
      kept.add({ ...point, round: next.round, seconds: (performance.now() - startedMs) / 1_000 });
      process.stdout.write(`${describe(point)}\n`);
    } catch (error) {
      failed.add(next);
      process.stdout.write(`${JSON.stringify(next.shape)} failed, --resume tries it again: ${error instanceof Error ? error.message.split('\n')[0] ?? '' : String(error)}\n`);
    }
  }
}

function describe(point: GrowthPoint): string {
  return `${(['keys', 'partitions', 'bytes', 'pods'] as const).map((name) => `${name} ${point[name].toLocaleString('en-US')}`).join(', ')}: ${Math.round(point.recordsPerSecond).toLocaleString('en-US')}/s, ${
    point.secondsPerMillion.toFixed(1)} CPU-s per million with Redis, peak ${Math.round(point.podMegabytes)} MB and Redis ${Math.round(point.redisMegabytes)} MB`;
}

process.stdout.write(`${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}; ${side}, ${Number(settings.updates).toLocaleString('en-US')} updates, commits every ${settings['commit-ms']} ms\n`);
if (!values.table) {
  if (side !== 'voltstream') buildKafkaStreams();
  await measureAll();
}
process.stdout.write(`\n${growthTable(kept.results)}kept in ${kept.file}\n`);
if (values.plot !== undefined) writeFileSync(values.plot, drawGrowth(kept.results, usual));
process.exit(0);
