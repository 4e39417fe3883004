import { createAPI, type Reader, Writer } from '@platformatic/kafka';
import { ByteReader } from './bytes.ts';

export interface ProducePartition {
  readonly topic: string;
  readonly partition: number;
  /** One record batch, as `encodeBatch` makes it. */
  readonly batch: Buffer;
}

export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const allReplicas = -1;

/** Produce, version 9 (Kafka 2.8): a batch of each partition, acknowledged by all replicas. */
export function produceRequest(transactionalId: string | null, timeoutMs: number, partitions: readonly ProducePartition[]): Writer {
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(allReplicas)
    .appendInt32(timeoutMs)
    .appendArray([...Map.groupBy(partitions, ({ topic }) => topic)], (writer, [topic, ofTopic]) => {
      writer.appendString(topic).appendArray(ofTopic, (inner, { partition, batch }) => {
        inner.appendInt32(partition).appendUnsignedVarInt(batch.length + 1).append(batch);
      });
    })
    .appendTaggedFields();
}

export function parseProduceResponse(bytes: Buffer): readonly ProducedPartition[] {
  const reader = new ByteReader(bytes);
  const produced: ProducedPartition[] = [];
  for (let topics = reader.compactLength(); topics > 0; topics--) {
    const topic = reader.compactString() ?? '';
    for (let count = reader.compactLength(); count > 0; count--) {
      const partition = reader.int32();
      const errorCode = reader.int16();
      reader.at += 24; // base offset, time of the append, start of the log
      for (let errors = reader.compactLength(); errors > 0; errors--) {
        reader.int32();
        reader.compactString();
        reader.skipTags();
      }
      const errorMessage = reader.compactString();
      reader.skipTags();
      produced.push({ topic, partition, errorCode, errorMessage });
    }
    reader.skipTags();
  }
  return produced;
}

export const produceApi = createAPI<Parameters<typeof produceRequest>, readonly ProducedPartition[]>(
  0, 9, produceRequest, (_correlation, _key, _version, reader: Reader) => parseProduceResponse(reader.buffer.buffer));
