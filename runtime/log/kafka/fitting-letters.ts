import type { OutboundRecord } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { batchLayout } from './protocol/record-batches.ts';
import { recordBytes } from './protocol/encode-batch.ts';
import { describeTopics } from './topics.ts';

/** Dead letters carry Kafka Streams' headers; each tells where the record came from, so that its value can be looked up there. */
const letterHeader = '__streams.errors.topic';
/** Put on a letter whose value was left out: how many bytes it had. */
export const leftOutHeader = 'voltstream.value-bytes-left-out';

const isLetter = ({ headers }: OutboundRecord): boolean => headers?.some(({ key }) => key === letterHeader) ?? false;

/**
 * The same records with the value of those dead letters left out that their topic is too small for; null when it is not (only) dead letters
 * that are too large. A letter that nobody takes would hold back its task for ever, and it names topic, partition and offset anyway.
 */
export async function fittingLetters(cluster: Cluster, records: readonly OutboundRecord[]): Promise<readonly OutboundRecord[] | null> {
  const limits = new Map<string, number>();
  for (const [topic, settings] of await describeTopics(cluster, [...new Set(records.map(({ topic }) => topic))], ['max.message.bytes'])) {
    limits.set(topic, Number(settings.get('max.message.bytes')));
  }
  const tooLarge = (record: OutboundRecord): boolean => recordBytes(record) + batchLayout.records > (limits.get(record.topic) ?? Number.POSITIVE_INFINITY);
  const large = records.filter(tooLarge);
  if (large.length === 0 || !large.every(isLetter)) return null;
  const fitting = records.map((record) => (tooLarge(record) ? withoutValue(record) : record));
  return fitting.some(tooLarge) ? null : fitting;
}

function withoutValue(record: OutboundRecord): OutboundRecord {
  const leftOut = { key: leftOutHeader, value: Buffer.from(String(record.value?.length ?? 0)) };
  return { ...record, value: null, headers: [...(record.headers ?? []), leftOut] };
}
