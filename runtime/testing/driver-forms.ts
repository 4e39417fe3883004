import { serialize } from 'node:v8';
import { avroCodec } from '../../schemas/avro-codec.ts';
import type { Codec, Form, WireReader } from '../../schemas/codec.ts';
import type { SinkNode } from '../../topology/graph.ts';
import type { LogSink, RepartitionSink, WarehouseSink } from '../../topology/sink.ts';
import { topicRowOf } from '../delivery/sink-encoders.ts';
import { encodeTopicRow } from '../delivery/topic-row.ts';
import { rowEncoder } from '../sinks/clickhouse/row-binary.ts';
import { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import type { SinkEncoder } from '../task/task-core.ts';

type AnyRow = Readonly<Record<string, never>>;

const codecs = new WeakMap<object, Codec<unknown>>();

/** The driver needs no registry: a registered form is read and written with its own schema. */
export function codecOf<T>(form: Form<T>): Codec<T> {
  if (form.kind === 'codec') return form;
  let codec = codecs.get(form) as Codec<T> | undefined;
  if (codec === undefined) {
    codec = avroCodec(form);
    codecs.set(form, codec);
  }
  return codec;
}

export function readerOf(form: Form<unknown>): WireReader<unknown> {
  const codec = codecOf(form);
  return { decode: (bytes) => codec.decode(bytes), load: () => Promise.resolve() };
}

/** Encodes as production does, so that a value that does not fit fails in the test too, but keeps rows readable. */
export function driverEncoder(node: SinkNode): SinkEncoder {
  if (node.sink.kind === 'warehouse') {
    const sink = node.sink as unknown as WarehouseSink<unknown, unknown, AnyRow>;
    const check = rowEncoder<AnyRow>(sink.table.columns);
    const scratch = new RowBuffer();
    return {
      schemaId: node.name,
      encode(record, _ordinal, origin, into) {
        const row = sink.row(record.value, record.key, record.timestampMs, origin);
        scratch.length = 0;
        check(row, scratch);
        into.writeBytes(serialize({ key: record.key, value: row, timestampMs: record.timestampMs }));
        return sink.table.partitionOf(row);
      },
    };
  }
  const sink = node.sink as unknown as LogSink<unknown, unknown> | RepartitionSink<unknown, unknown>;
  const key = codecOf(sink.key);
  const value = codecOf(sink.value);
  return {
    schemaId: node.name,
    encode: (record, _ordinal, _origin, into) => {
      encodeTopicRow(topicRowOf(sink, record, key, value), into);
      return '';
    },
  };
}
