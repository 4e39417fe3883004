import type { StreamRecord } from '../../operators/operator.ts';
import type { Form, SchemaRegistry, WireWriter } from '../../schemas/codec.ts';
import type { SinkNode } from '../../topology/graph.ts';
import type { LogSink, RepartitionSink, WarehouseSink } from '../../topology/sink.ts';
import { rowEncoder } from '../sinks/clickhouse/row-binary.ts';
import { writeBatchGap, writeRowVersion } from '../sinks/clickhouse/row-buffer.ts';
import type { SinkEncoder } from '../task/task-core.ts';
import type { TopicRow } from './topic-row.ts';
import { encodeTopicRow } from './topic-row.ts';

type AnyRecord = StreamRecord<unknown, unknown>;
type AnyRow = Readonly<Record<string, never>>;
type TopicSink = LogSink<unknown, unknown> | RepartitionSink<unknown, unknown>;

/** Makes a task's encoders. The run stands in each row's version, so every claim has its own. */
export type SinkEncoders = (run: number) => ReadonlyMap<string, SinkEncoder>;

/** Registers the schemas of all topics among the sinks, so that encoding itself is synchronous. */
export async function sinkEncoders(sinks: readonly SinkNode[], registry: SchemaRegistry, nowMs: () => number): Promise<SinkEncoders> {
  const topics = new Map<string, SinkEncoder>();
  for (const { name, sink } of sinks) {
    if (sink.kind !== 'warehouse') topics.set(name, await topicEncoder(sink as unknown as LogSink<unknown, unknown>, registry));
  }
  return (run) => new Map(sinks.map(({ name, sink }) => [
    name,
    sink.kind === 'warehouse'
      ? warehouseEncoder(sink as unknown as WarehouseSink<unknown, unknown, AnyRow>, run, nowMs)
      : topics.get(name) as SinkEncoder,
  ]));
}

/** Rows in RowBinary, complete but for `_batch`, which the seal decides. Columns: the table's, then `_version`. */
export function warehouseEncoder(sink: WarehouseSink<unknown, unknown, AnyRow>, run: number, nowMs: () => number): SinkEncoder {
  const encode = rowEncoder<AnyRow>(sink.table.columns);
  const byClock = sink.table.versions === 'by clock';
  return {
    schemaId: `${JSON.stringify(sink.table.columns)} and a gap`,
    encode(record, ordinal, origin, into) {
      const row = sink.row(record.value, record.key, record.timestampMs, origin);
      encode(row, into);
      writeRowVersion(into, run, byClock ? clockVersion(nowMs()) : ordinal);
      writeBatchGap(into);
      return sink.table.partitionOf(row);
    },
  };
}

/** A time has 40 bits in a version: units of 4 ms last until the year 2109. */
const clockUnitMs = 4;

/** Above every ordinal that a table can have had before it was versioned by the clock. */
function clockVersion(nowMs: number): number {
  return Math.floor(nowMs / clockUnitMs);
}

async function topicEncoder(sink: TopicSink, registry: SchemaRegistry): Promise<SinkEncoder> {
  const key = await registry.writer(`${sink.topic}-key`, sink.key);
  const value = await registry.writer(`${sink.topic}-value`, sink.value);
  return {
    schemaId: `${formId(sink.key)}/${formId(sink.value)}`,
    encode(record: AnyRecord, _ordinal, _origin, into) {
      encodeTopicRow(topicRowOf(sink, record, key, value), into);
      return '';
    },
  };
}

/** What a topic sink makes of a record: its bytes, by its forms or as they came, and its headers. */
export function topicRowOf(sink: TopicSink, record: AnyRecord, key: WireWriter<unknown>, value: WireWriter<unknown>): TopicRow {
  const { timestampMs } = record;
  if (sink.kind === 'repartition' || (sink.bytesOf === undefined && sink.headers === undefined)) {
    return { key: encodeWith(key, record.key), value: encodeWith(value, record.value), timestampMs };
  }
  const bytes = sink.bytesOf?.(record.value, record.key) ?? { key: encodeWith(key, record.key), value: encodeWith(value, record.value) };
  return { ...bytes, timestampMs, headers: sink.headers?.(record.value, record.key) ?? null };
}

function encodeWith(writer: WireWriter<unknown>, part: unknown): Uint8Array | null {
  return part === null || part === undefined ? null : writer.encode(part);
}

function formId(form: Form<unknown>): string {
  return form.kind === 'codec' ? form.schemaId : form.name;
}
