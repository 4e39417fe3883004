import type { IHeaders, KafkaMessage, Message, TopicMessages } from 'kafkajs';
import type { LogHeader, LogRecord, OutboundRecord } from '../log.ts';

/**
 * Messages of one partition in one request: kafkajs' grouping is quadratic in them, and beyond a few hundred that costs more
 * than further requests.
 */
const sendMessagesMax = 300;
/** Bytes of one partition in one request: a batch must stay below the broker's max.message.bytes (1 MB by default). */
const sendBytesMax = 512 * 1024;

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function headersOf(headers: readonly LogHeader[]): IHeaders {
  // Without a prototype: `__proto__` is a name like any other.
  const grouped = Object.create(null) as Record<string, Buffer | Buffer[]>;
  for (const { key, value } of headers) {
    const before = grouped[key];
    const bytes = asBuffer(value);
    grouped[key] = before === undefined ? bytes : [...(Array.isArray(before) ? before : [before]), bytes];
  }
  return grouped;
}

function messageOf(record: OutboundRecord, partition: number): Message {
  return {
    partition,
    key: record.key === null ? null : asBuffer(record.key),
    value: record.value === null ? null : asBuffer(record.value),
    timestamp: String(record.timestampMs),
    ...(record.headers === undefined || record.headers === null ? {} : { headers: headersOf(record.headers) }),
  };
}

/** Cuts records into requests: in order per partition, each with a bounded number of messages of each partition. */
export function requestsOf(records: readonly OutboundRecord[], partition: (record: OutboundRecord) => number): TopicMessages[][] {
  const requests: Map<string, Message[]>[] = [];
  const filling = new Map<string, { request: number; messages: number; bytes: number }>();
  for (const record of records) {
    const chosen = partition(record);
    const name = `${record.topic}/${chosen}`;
    const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    let fill = filling.get(name);
    if (fill === undefined) filling.set(name, (fill = { request: 0, messages: 0, bytes: 0 }));
    if (fill.messages > 0 && (fill.messages >= sendMessagesMax || fill.bytes + bytes > sendBytesMax)) {
      fill.request += 1;
      fill.messages = fill.bytes = 0;
    }
    fill.messages += 1;
    fill.bytes += bytes;
    const request = (requests[fill.request] ??= new Map());
    const messages = request.get(record.topic);
    if (messages === undefined) request.set(record.topic, [messageOf(record, chosen)]);
    else messages.push(messageOf(record, chosen));
  }
  return requests.map((request) => [...request].map(([topic, messages]) => ({ topic, messages })));
}

function logHeaders(headers: IHeaders | undefined): readonly LogHeader[] | null {
  if (headers === undefined) return null;
  const result: LogHeader[] = [];
  for (const key in headers) {
    const value = headers[key];
    for (const one of Array.isArray(value) ? value : [value]) {
      // kafkajs takes what every object inherits (`__proto__`, `constructor`) for an earlier header of that name.
      if (one !== undefined && one !== null && typeof one !== 'string' && !(one instanceof Uint8Array)) continue;
      result.push({ key, value: typeof one === 'string' ? Buffer.from(one) : (one ?? new Uint8Array(0)) });
    }
  }
  return result.length === 0 ? null : result;
}

export function logRecordOf(message: KafkaMessage): LogRecord {
  return {
    offset: Number(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: logHeaders(message.headers),
  };
}
