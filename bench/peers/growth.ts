/**
 * How the cost of a record grows: with live keys, partitions, size of records, and pods. Pods count records by key; all input is in the log before
 * they start: one record of each key, which makes the state, then updates of keys by chance, which are measured. One thing is varied at a time.
 *
 * node bench/peers/growth.ts [--keys 10000,100000,1000000,5000000] [--partitions 1,4,16] [--bytes 100,1000,4000] [--pods 1,2] [--updates 1000000]
 *   [--rounds 1] [--side voltstream] [--json FILE] [--plot docs/pictures/growth.svg]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import type { OutboundRecord } from '../../runtime/log/log.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { failoverTopic } from '../../test/faults/failover-pod.ts';
import { randomFrom } from '../../test/seeded-random.ts';
import { KafkaService } from '../../test/services/kafka.ts';
import { RedisService } from '../../test/services/redis.ts';
import { CountingProcess } from './counting-process.ts';
import type { CountingOptions } from './counting-process.ts';
import { drawGrowth } from './growth-plot.ts';
import type { GrowthPoint, Shape } from './growth-plot.ts';
import { peakBytes, processorSeconds } from './measured-process.ts';
import { buildKafkaStreams } from './sides.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '10000,100000,1000000,5000000' }, partitions: { type: 'string', default: '1,4,16' }, bytes: { type: 'string', default: '100,1000,4000' },
    pods: { type: 'string', default: '1,2' }, updates: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '1' },
    side: { type: 'string', default: 'voltstream' }, 'commit-ms': { type: 'string', default: '100' }, json: { type: 'string' }, plot: { type: 'string' },
  },
});
const usual: Shape = { keys: 100_000, partitions: 4, bytes: 100, pods: 1 };
const updates = Number(values.updates);
const side = values.side as CountingOptions['side'];
/** So that an append stays below the largest request. */
const bytesAtOnce = 1_000_000;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

async function fill(log: KafkaLog, { keys, partitions, bytes }: Shape): Promise<void> {
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
  const kafka = new KafkaService();
  const redis = new RedisService();
  const pods: CountingProcess[] = [];
  try {
    await Promise.all([kafka.start(), redis.start()]);
    const log = new KafkaLog({ brokers: [kafka.address], application: 'growth-driver' });
    await log.open();
    await fill(log, shape);
    await log.close();
    const options = { side, applicationId: `growth-${number}`, brokers: kafka.address, redisUrl: redis.address, partitions: shape.partitions, sessionMs: 30_000, commitMs: Number(values['commit-ms']) };
    for (let pod = 0; pod < shape.pods; pod++) pods.push(new CountingProcess(options));
    const used = (): number => pods.reduce((sum, { id }) => sum + processorSeconds(id), processorSeconds(redis.processId ?? 0));
    const processed = (): number => pods.reduce((sum, pod) => sum + pod.processed, 0);
    while (processed() < shape.keys || pods.some(({ tasks }) => tasks.length === 0)) await sleep(10);
    const from = { atMs: performance.now(), processed: processed(), seconds: used() };
    while (processed() < shape.keys + updates) await sleep(10);
    const records = processed() - from.processed;
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
  const of = (name: keyof Shape): readonly Shape[] => values[name].split(',').map((text) => ({ ...usual, [name]: Number(text) }));
  const all = [usual, ...(['keys', 'partitions', 'bytes', 'pods'] as const).flatMap(of)];
  return [...new Map(all.map((shape) => [JSON.stringify(shape), shape])).values()];
}

if (side !== 'voltstream') buildKafkaStreams();
process.stdout.write(`${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}; ${side}, ${updates.toLocaleString('en-US')} updates, commits every ${values['commit-ms']} ms\n`);
const points: GrowthPoint[] = [];
for (const shape of shapes()) {
  for (let round = 0; round < Number(values.rounds); round++) {
    const point = await measure(shape, points.length);
    points.push(point);
    process.stdout.write(`${Object.entries(shape).map(([name, value]) => `${name} ${value.toLocaleString('en-US')}`).join(', ')}: ${Math.round(point.recordsPerSecond).toLocaleString('en-US')}/s, ${
      point.secondsPerMillion.toFixed(1)} CPU-s per million with Redis, peak ${Math.round(point.podMegabytes)} MB and Redis ${Math.round(point.redisMegabytes)} MB\n`);
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(points, null, 1)}\n`);
if (values.plot !== undefined) writeFileSync(values.plot, drawGrowth(points, usual));
process.exit(0);
