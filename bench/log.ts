/**
 * Rates of the logs: `node bench/log.ts [records]` measures the embedded log, and Kafka too when VOLTSTREAM_TEST_KAFKA is set.
 * Records of 120 bytes (10 of key, 110 of value), one thread, five rounds; minimum, median and maximum.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedLog } from '../runtime/log/embedded/embedded-log.ts';
import { KafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import type { Log, OutboundRecord } from '../runtime/log/log.ts';

const rounds = 5;
const partitions = 4;
const appendRecords = 4_000;

function measure(row: string, rates: readonly number[]): void {
  const sorted = rates.toSorted((a, b) => a - b);
  const shown = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!].map((rate) => Math.round(rate).toLocaleString('en').padStart(12));
  console.log(`| ${row.padEnd(46)} |${shown.join(' |')} |`);
}

function block(topic: string, first: number): OutboundRecord[] {
  return Array.from({ length: appendRecords }, (_, index) => {
    const number = first + index;
    const key = Buffer.from(`st-${String(number % 10_000).padStart(7, '0')}`);
    return { topic, partition: number % partitions, key, value: Buffer.alloc(110, number & 0xff), timestampMs: 1_700_000_000_000 + number };
  });
}

async function append(log: Log, topic: string, records: number): Promise<{ readonly rate: number; readonly longestMs: number }> {
  const producer = await log.producer();
  const blocks = Array.from({ length: records / appendRecords }, (_, index) => block(topic, index * appendRecords));
  let longestMs = 0;
  const startMs = performance.now();
  for (const one of blocks) {
    const beforeMs = performance.now();
    await producer.append(one);
    longestMs = Math.max(longestMs, performance.now() - beforeMs);
  }
  const rate = records / (performance.now() - startMs) * 1_000;
  await producer.close();
  return { rate, longestMs };
}

async function consume(log: Log, topic: string, records: number, group: string): Promise<number> {
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
  let bytes = 0;
  while (seen < records) {
    for (const batch of await consumer.poll(1_000)) {
      if (startMs === 0) startMs = performance.now();
      for (const { key, value } of batch.records) bytes += key![0]! + value![109]!;
      seen += batch.records.length;
    }
  }
  const rate = seen / (performance.now() - startMs) * 1_000;
  if (bytes === 0) throw new Error('nothing was read');
  await consumer.stop();
  return rate;
}

async function run(name: string, log: Log, records: number): Promise<void> {
  await log.open();
  const appended: { readonly rate: number; readonly longestMs: number }[] = [];
  const consumed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const topic = `bench-${Date.now()}-${round}`;
    await log.createTopics([{ topic, partitions }]);
    appended.push(await append(log, topic, records));
    consumed.push(await consume(log, topic, records, topic));
  }
  measure(`${name}: append, ${appendRecords} at a time, records/s`, appended.map(({ rate }) => rate));
  measure(`${name}: longest append, ms`, appended.map(({ longestMs }) => longestMs));
  measure(`${name}: consume, records/s`, consumed);
  await log.close();
}

const records = Number(process.argv[2] ?? 400_000);
console.log(`${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, ${records} records of 120 bytes, ${partitions} partitions\n`);
console.log('| what                                           |     minimum |      median |     maximum |\n|---|---|---|---|');
const folder = mkdtempSync(join(tmpdir(), 'voltstream-bench-'));
await run('embedded', new EmbeddedLog({ folder }), records);
rmSync(folder, { recursive: true });
const address = process.env['VOLTSTREAM_TEST_KAFKA'];
if (address !== undefined) await run('Kafka', new KafkaLog({ brokers: [address], application: 'bench' }), records);
