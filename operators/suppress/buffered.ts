import { int64 } from '../../schemas/builtin-codecs.ts';
import { composite } from '../../schemas/codec-evolution.ts';
import type { ByteWriter } from '../../schemas/byte-writer.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeInto, encodeWithLength } from '../../schemas/encode-into.ts';
import { timeBytes, writeTime } from '../../state/local/time-bytes.ts';
import type { Windowed } from '../operator.ts';

/** A change that waits. */
export interface BufferedChange<V> {
  /** What the table's followers know of the key: its value before the first change that waits. */
  readonly toldValue: V | null;
  readonly newValue: V | null;
  readonly timestampMs: number;
}

const absent = 0xff_ff_ff_ff;

/** Timestamp (8 bytes), length of the told value (4 bytes, big endian; all ones: null) and its bytes; the same for the new one. */
export function bufferedChange<V>(value: Codec<V>): Codec<BufferedChange<V>> {
  return composite<BufferedChange<V>, [Codec<V>]>('buffered', [value], ([part]) => ({
    encodeInto: ({ toldValue, newValue, timestampMs }, writer) => {
      writeTime(timestampMs, writer);
      writeNullable(part, toldValue, writer);
      writeNullable(part, newValue, writer);
    },
    decode: (encoded) => {
      const source = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
      const [toldValue, at] = decodeNullable(part, source, timeBytes);
      const [newValue] = decodeNullable(part, source, at);
      return { toldValue, newValue, timestampMs: int64.decode(source.subarray(0, timeBytes)) };
    },
  }));
}

function writeNullable<V>(codec: Codec<V>, value: V | null, writer: ByteWriter): void {
  if (value === null) writer.uint32(absent);
  else encodeWithLength(codec, value, writer);
}

function decodeNullable<V>(codec: Codec<V>, source: Buffer, at: number): readonly [value: V | null, end: number] {
  const length = source.readUInt32BE(at);
  if (length === absent) return [null, at + 4];
  return [codec.decode(source.subarray(at + 4, at + 4 + length)), at + 4 + length];
}

/** A window's result that waits under its end and key. */
export interface BufferedWindow<A> {
  readonly startMs: number;
  readonly timestampMs: number;
  readonly value: A;
}

/** Start and timestamp (8 bytes each, int64), then the value. */
export function bufferedWindow<A>(value: Codec<A>): Codec<BufferedWindow<A>> {
  return composite<BufferedWindow<A>, [Codec<A>]>('buffered-window', [value], ([part]) => ({
    encodeInto: (window, writer) => {
      writeTime(window.startMs, writer);
      writeTime(window.timestampMs, writer);
      encodeInto(part, window.value, writer);
    },
    decode: (encoded) => ({
      startMs: int64.decode(encoded.subarray(0, timeBytes)),
      timestampMs: int64.decode(encoded.subarray(timeBytes, 2 * timeBytes)),
      value: part.decode(encoded.subarray(2 * timeBytes)),
    }),
  }));
}

/** A windowed key whose bytes are in the order that Kafka Streams' are: key, then end and start without a sign. */
export function windowInOrder<K>(key: Codec<K>): Codec<Windowed<K>> {
  return composite<Windowed<K>, [Codec<K>]>('window-in-order', [key], ([part]) => ({
    encode: (windowed) => {
      const bytes = part.encode(windowed.key);
      const encoded = Buffer.allocUnsafe(bytes.length + 16);
      encoded.set(bytes, 0);
      encoded.writeBigUInt64BE(BigInt(windowed.endMs), bytes.length);
      encoded.writeBigUInt64BE(BigInt(windowed.startMs), bytes.length + 8);
      return encoded;
    },
    decode: (encoded) => {
      const source = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
      const at = source.length - 16;
      return {
        key: part.decode(source.subarray(0, at)),
        startMs: Number(source.readBigUInt64BE(at + 8)),
        endMs: Number(source.readBigUInt64BE(at)),
      };
    },
  }));
}
