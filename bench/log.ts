/**
 * Rates of the logs: the embedded one, and Kafka too (or only) when VOLTSTREAM_TEST_KAFKA is set. `node bench/log.ts --help` explains its options.
 * Records of 120 bytes (10 of key, 110 of value), one thread, five rounds; minimum, median and maximum. CPU is this process's, all threads.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedLog } from '../runtime/log/embedded/embedded-log.ts';
import { KafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import type { Log, OutboundRecord } from '../runtime/log/log.ts';
import { script, whole } from '../test/script-options.ts';

const rounds = 5;
const partitions = 4;
const appendRecords = 4_000;
const deliverRecords = [4_000, 20_000];

function measure(row: string, rates: readonly number[]): void {
  const sorted = rates.toSorted((a, b) => a - b);
  const shown = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!]
    .map((rate) => (rate < 100 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')).padStart(12));
  console.log(`| ${row.padEnd(65)} |${shown.join(' |')} |`);
}

function block(topic: string, first: number, size = appendRecords): OutboundRecord[] {
  return Array.from({ length: size }, (_, index) => {
    const number = first + index;
    const key = Buffer.from(`st-${String(number % 10_000).padStart(7, '0')}`);
    return { topic, partition: number % partitions, key, value: Buffer.alloc(110, number & 0xff), timestampMs: 1_700_000_000_000 + number };
  });
}

interface Appended {
  readonly rate: number;
  readonly longestMs: number;
  readonly cpuSeconds: number;
}

/** Seconds of CPU a million records since `before`. */
function cpuPerMillion(before: NodeJS.CpuUsage, records: number): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / records;
}

async function append(log: Log, topic: string, records: number): Promise<Appended> {
  const producer = await log.producer();
  await producer.append(block(topic, 0));
  const blocks = Array.from({ length: records / appendRecords }, (_, index) => block(topic, index * appendRecords));
  const result = await timed(blocks, (one) => producer.append(one));
  await producer.close();
  return result;
}

/** Exactly once: a transaction with a mark for each `size` records. */
async function deliver(log: Log, topic: string, records: number, size: number): Promise<Appended> {
  const producer = log.ordinalProducer({ application: topic, run: 1, task: `a_${size}`, sink: 'out' });
  await producer.open();
  const blocks = Array.from({ length: records / size }, (_, index) => block(topic, index * size, size));
  let ordinal = 0;
  const result = await timed(blocks, (one) => producer.deliver(one, (ordinal += one.length)));
  await producer.close();
  return result;
}

async function timed(blocks: readonly OutboundRecord[][], send: (records: readonly OutboundRecord[]) => Promise<void>): Promise<Appended> {
  const records = blocks.reduce((sum, { length }) => sum + length, 0);
  let longestMs = 0;
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  for (const one of blocks) {
    const beforeMs = performance.now();
    await send(one);
    longestMs = Math.max(longestMs, performance.now() - beforeMs);
  }
  return { rate: records / (performance.now() - startMs) * 1_000, longestMs, cpuSeconds: cpuPerMillion(cpu, records) };
}

async function consume(log: Log, topic: string, records: number, group: string): Promise<{ readonly rate: number; readonly cpuSeconds: number }> {
  const tasks = Array.from({ length: partitions }, (_, partition) => ({ task: `a_${partition}`, partitions: [{ topic, partition }] }));
  const consumer = log.consumer({ group, tasks });
  await consumer.start({
    assigned: async (assigned) => {
      for (const task of assigned) {
        for (const partition of task.partitions) consumer.seek(partition, 0);
        consumer.resume(task.partitions);
      }
    },
  });
  let seen = 0;
  let startMs = 0;
  let cpu = process.cpuUsage();
  let bytes = 0;
  while (seen < records) {
    for (const batch of await consumer.poll(1_000)) {
      if (startMs === 0) {
        startMs = performance.now();
        cpu = process.cpuUsage();
      }
      for (const { key, value } of batch.records) bytes += key![0]! + value![109]!;
      seen += batch.records.length;
    }
  }
  const rate = seen / (performance.now() - startMs) * 1_000;
  const cpuSeconds = cpuPerMillion(cpu, seen);
  if (bytes === 0) throw new Error('nothing was read');
  await consumer.stop();
  return { rate, cpuSeconds };
}

async function run(name: string, log: Log, records: number): Promise<void> {
  await log.open();
  const appended: Appended[] = [];
  const delivered = new Map<number, Appended[]>(deliverRecords.map((size) => [size, []]));
  const consumed: { readonly rate: number; readonly cpuSeconds: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const topic = `bench-${Date.now()}-${round}`;
    const exact = `${topic}-exact`;
    await log.createTopics([{ topic, partitions }, { topic: exact, partitions }]);
    appended.push(await append(log, topic, records));
    for (const [size, results] of delivered) results.push(await deliver(log, exact, records, size));
    consumed.push(await consume(log, topic, records, topic));
  }
  const show = (what: string, results: readonly { readonly rate: number; readonly cpuSeconds: number }[]): void => {
    measure(`${name}: ${what}, records/s`, results.map(({ rate }) => rate));
    measure(`${name}: ${what}, CPU ms per thousand`, results.map(({ cpuSeconds }) => cpuSeconds));
  };
  show(`append, ${appendRecords} at a time`, appended);
  measure(`${name}: longest append, ms`, appended.map(({ longestMs }) => longestMs));
  for (const [size, results] of delivered) show(`deliver exactly once, ${size} at a time`, results);
  show('consume', consumed);
  await log.close();
}

const command = script('node bench/log.ts',
  'Appending, delivering exactly once and reading: records per second and processor time, of the embedded log, and of the Kafka whose address VOLTSTREAM_TEST_KAFKA holds. '
    + 'Needs nothing beside Node.')
  .argument('[records]', 'of 120 bytes, in each of five rounds', whole(1), 400_000)
  .option('--kafka', 'only Kafka', false)
  .parse();
const [records] = command.processedArgs as [number];
const { kafka: onlyKafka } = command.opts<{ readonly kafka: boolean }>();
const address = process.env['VOLTSTREAM_TEST_KAFKA'];
if (onlyKafka && address === undefined) command.error("error: option '--kafka' wants the address of a broker in VOLTSTREAM_TEST_KAFKA, which is not set.");
console.log(`${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, ${records} records of 120 bytes, ${partitions} partitions\n`);
console.log('| what                                                              |     minimum |      median |     maximum |\n|---|---|---|---|');
const folder = mkdtempSync(join(tmpdir(), 'voltstream-bench-'));
if (!onlyKafka) await run('embedded', new EmbeddedLog({ folder }), records);
rmSync(folder, { recursive: true });
if (address !== undefined) await run('Kafka', new KafkaLog({ brokers: [address], application: 'bench' }), records);
