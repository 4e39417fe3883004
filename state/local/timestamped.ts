import { int64 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { composite } from '../../schemas/codec-evolution.ts';
import { encodeInto } from '../../schemas/encode-into.ts';
import { timeBytes, writeTime } from './time-bytes.ts';

/** A value with the timestamp of the record that it comes from; of an aggregate, the highest of its records. */
export interface Timestamped<V> {
  readonly value: V;
  readonly timestampMs: number;
}

/** Timestamp (8 bytes, int64), then the value. */
export function timestamped<V>(value: Codec<V>): Codec<Timestamped<V>> {
  return composite<Timestamped<V>, [Codec<V>]>('timestamped', [value], ([part]) => ({
    encodeInto: ({ value: stampedValue, timestampMs }, writer) => {
      writeTime(timestampMs, writer);
      encodeInto(part, stampedValue, writer);
    },
    decode: (encoded) => ({ value: part.decode(encoded.subarray(timeBytes)), timestampMs: int64.decode(encoded.subarray(0, timeBytes)) }),
  }));
}
