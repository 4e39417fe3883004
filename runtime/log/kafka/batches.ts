import type { OutboundRecord, TopicPartition } from '../log.ts';
import { recordBytes } from './protocol/encode-batch.ts';

/** Bytes of one partition in one request: a batch must stay below the topic's max.message.bytes (1 MB by default). */
const batchBytesMax = 512 * 1024;

/** Records that go into one record batch. */
export interface PlannedBatch extends TopicPartition {
  readonly records: readonly OutboundRecord[];
  readonly bytes: number;
}

interface FillingBatch extends PlannedBatch {
  readonly records: OutboundRecord[];
  bytes: number;
}

/**
 * Cuts records into rounds: each round has at most one batch of a partition, and a partition's batches come in order. A record that is
 * larger than a batch should be has one of its own.
 */
export function roundsOf(records: readonly OutboundRecord[], partition: (record: OutboundRecord) => number): PlannedBatch[][] {
  const rounds: PlannedBatch[][] = [];
  const filling = new Map<string, Map<number, { round: number; batch: FillingBatch }>>();
  for (const record of records) {
    const { topic } = record;
    const chosen = partition(record);
    let partitions = filling.get(topic);
    if (partitions === undefined) filling.set(topic, (partitions = new Map()));
    const bytes = recordBytes(record);
    let fill = partitions.get(chosen);
    if (fill === undefined || fill.batch.bytes + bytes > batchBytesMax) {
      fill = { round: fill === undefined ? 0 : fill.round + 1, batch: { topic, partition: chosen, records: [], bytes: 0 } };
      partitions.set(chosen, fill);
      (rounds[fill.round] ??= []).push(fill.batch);
    }
    fill.batch.records.push(record);
    fill.batch.bytes += bytes;
  }
  return rounds;
}
