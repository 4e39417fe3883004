import type { OutboundRecord } from './log.ts';

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** Kafka's murmur2 hash as a signed 32-bit number (org.apache.kafka.common.utils.Utils.murmur2). */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = seed ^ length;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    let k = bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24);
    k = Math.imul(k, multiplier);
    k ^= k >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(k, multiplier);
  }
  const rest = length - index;
  if (rest >= 3) hash ^= bytes[index + 2]! << 16;
  if (rest >= 2) hash ^= bytes[index + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[index]!, multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return (hash ^ (hash >>> 15)) | 0;
}

/** The partition of a key, as Kafka's default partitioner chooses it. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** Records without a key stay on one partition for so many records (or to the end of the append), then move on. */
const stickyRecordsMax = 500;

/** Chooses partitions: as given, else by key, else sticky with rotation. One a producer. */
export class Partitioner {
  readonly #sticky = new Map<string, { partition: number; used: number }>();

  choose(record: OutboundRecord, partitions: number): number {
    if (record.partition !== undefined) return record.partition;
    if (record.key !== null) return partitionOf(record.key, partitions);
    let sticky = this.#sticky.get(record.topic);
    if (sticky === undefined) this.#sticky.set(record.topic, (sticky = { partition: 0, used: 0 }));
    if (sticky.used >= stickyRecordsMax) {
      sticky.partition += 1;
      sticky.used = 0;
    }
    sticky.used += 1;
    return sticky.partition % partitions;
  }

  /** Ends an append: the next record without a key goes to the next partition. */
  appendEnded(): void {
    for (const sticky of this.#sticky.values()) sticky.used = stickyRecordsMax;
  }
}
