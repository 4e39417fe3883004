import { createAPI, type Reader, Writer } from '@platformatic/kafka';
import { ByteReader } from './bytes.ts';
import type { AbortedTransaction } from './record-batches.ts';

export interface FetchTopic {
  readonly topicId: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly position: number;
    readonly leaderEpoch: number;
    /** The epoch in which the record before the position was written; -1 when it is not known. */
    readonly readEpoch?: number;
  }[];
}

export interface FetchOptions {
  readonly waitMs: number;
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
}

export interface FetchedPartition {
  /** Hexadecimal, without dashes. */
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Whole record batches as they lie in the log; the last one may be cut off. */
  readonly records: Buffer | null;
  /** Behind this offset the log does not hold what was read of it (KIP-320, KIP-595); null as a rule. */
  readonly cutAt: number | null;
}

const readCommitted = 1;
const noSession = { id: 0, epoch: -1 } as const;

/** Fetch, version 13 (Kafka 3.1): topics by id, so that one which was deleted and made anew is not taken for the same. */
export function fetchRequest(topics: readonly FetchTopic[], { waitMs, bytesMax, partitionBytesMax }: FetchOptions): Writer {
  return Writer.create()
    .appendInt32(-1)
    .appendInt32(waitMs)
    .appendInt32(1)
    .appendInt32(bytesMax)
    .appendInt8(readCommitted)
    .appendInt32(noSession.id)
    .appendInt32(noSession.epoch)
    .appendArray([...topics], (writer, { topicId, partitions }) => {
      writer.appendUUID(topicId).appendArray([...partitions], (inner, { partition, position, leaderEpoch, readEpoch = -1 }) => {
        inner.appendInt32(partition).appendInt32(leaderEpoch).appendInt64(BigInt(position)).appendInt32(readEpoch).appendInt64(-1n).appendInt32(partitionBytesMax);
      });
    })
    .appendArray([], () => undefined)
    .appendString('')
    .appendTaggedFields();
}

export interface FetchResponse {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

/** The records stay bytes: they are decoded when somebody asks for them. */
export function parseFetchResponse(bytes: Buffer): FetchResponse {
  const reader = new ByteReader(bytes);
  reader.int32();
  const errorCode = reader.int16();
  reader.int32();
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.compactLength(); topics > 0; topics--) {
    const topicId = reader.slice(16).toString('hex');
    for (let count = reader.compactLength(); count > 0; count--) partitions.push(fetchedPartition(reader, topicId));
    reader.skipTags();
  }
  return { errorCode, partitions };
}

function fetchedPartition(reader: ByteReader, topicId: string): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  reader.int64();
  const lastStableOffset = reader.int64();
  reader.int64();
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.compactLength(); count > 0; count--) {
    aborted.push({ producerId: reader.bigInt64(), firstOffset: reader.int64() });
    reader.skipTags();
  }
  reader.int32();
  const length = reader.compactLength();
  const records = length > 0 ? reader.slice(length) : null;
  return { topicId, partition, errorCode, lastStableOffset, aborted, records, cutAt: cutOf(reader) };
}

const divergingEpochTag = 0;

function cutOf(reader: ByteReader): number | null {
  let cutAt: number | null = null;
  for (let tags = reader.unsignedVarint(); tags > 0; tags--) {
    const tag = reader.unsignedVarint();
    const end = reader.unsignedVarint() + reader.at;
    if (tag === divergingEpochTag) {
      reader.int32(); // the last epoch that both have in common
      cutAt = reader.int64();
    }
    reader.at = end;
  }
  return cutAt;
}

export const fetchApi = createAPI<Parameters<typeof fetchRequest>, FetchResponse>(
  1, 13, fetchRequest, (_correlation, _key, _version, reader: Reader) => parseFetchResponse(reader.buffer.buffer));
