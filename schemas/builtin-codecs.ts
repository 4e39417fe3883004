import { VoltstreamError } from '../errors.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Codec } from './codec.ts';
import { composite } from './codec-evolution.ts';
import { encodeBy, encodeInto, encodeWithLength, withEncodeInto } from './encode-into.ts';
import { KeptStrings } from './kept-strings.ts';
import { asBuffer, bytesPreview, malformed, messageOf } from './malformed.ts';

/**
 * Codecs with a fixed form, for keys and for simple values of state and topics. Each gives the same bytes for the same value,
 * and each refuses bytes that it could not have written with DESERIALISATION_FAILED.
 */

function defineCodec<T>(
  schemaId: string, encode: (value: T) => Uint8Array, decode: (bytes: Uint8Array) => T, into: (value: T, writer: ByteWriter) => void,
): Codec<T> {
  return withEncodeInto({ kind: 'codec', schemaId, encode, decode }, into);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Node replaces broken sequences by U+FFFD; only then is it worth to look closely. */
function sound(text: string, bytes: Uint8Array): string {
  if (!text.includes('\uFFFD')) return text;
  try {
    return strictUtf8.decode(bytes);
  } catch (error) {
    throw malformed('text is not valid UTF-8', 'UTF-8', bytesPreview(bytes), error);
  }
}

/** UTF-8 text. Byte order is code-point order. Lone surrogates cannot be written: they become U+FFFD. */
export const utf8: Codec<string> = defineCodec(
  'utf8',
  (value) => Buffer.from(value, 'utf8'),
  (bytes) => sound(asBuffer(bytes).toString('utf8'), bytes),
  (value, writer) => writer.text(value),
);

/** Decodes as `utf8` does; strings that come again and again are the same string, which stores find faster. */
export function repeatedUtf8(): (bytes: Uint8Array) => string {
  const kept = new KeptStrings();
  return (bytes) => {
    const source = asBuffer(bytes);
    return sound(kept.read(source, 0, source.length), source);
  };
}

/** Bytes as they are, not copied. */
export const bytes: Codec<Uint8Array> = Object.freeze({
  kind: 'codec',
  schemaId: 'bytes',
  encode: (value: Uint8Array) => value,
  decode: (value: Uint8Array) => value,
});

/** JSON in UTF-8, for aggregates whose type needs no schema. `undefined`, functions and symbols at the top are refused. */
export function json<T>(name = 'any'): Codec<T> {
  const textOf = (value: T): string => {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) {
      throw new VoltstreamError('SERIALISATION_FAILED', `a value of json codec ${name} has no JSON form`, { got: typeof value });
    }
    return text;
  };
  return defineCodec(
    `json:${name}`,
    (value) => Buffer.from(textOf(value), 'utf8'),
    (encoded) => {
      try {
        return JSON.parse(utf8.decode(encoded)) as T;
      } catch (error) {
        if (error instanceof VoltstreamError) throw error;
        throw malformed(`JSON cannot be parsed: ${messageOf(error)}`, 'JSON', bytesPreview(encoded), error);
      }
    },
    (value, writer) => writer.text(textOf(value)),
  );
}

function wantLength(encoded: Uint8Array, length: number, name: string): Buffer {
  if (encoded.length !== length) throw malformed(`a ${name} has the wrong length`, `${length} bytes`, bytesPreview(encoded));
  return asBuffer(encoded);
}

/** A double, IEEE 754, little endian; every number including NaN, infinities and -0. Not for ordered keys. */
export const float64: Codec<number> = defineCodec(
  'float64',
  (value) => {
    const encoded = Buffer.allocUnsafe(8);
    encoded.writeDoubleLE(value);
    return encoded;
  },
  (encoded) => wantLength(encoded, 8, 'float64').readDoubleLE(),
  (value, writer) => writer.float64(value),
);

/** A safe integer as 8 bytes whose order is the order of the numbers: big endian, sign bit turned round. */
export const int64: Codec<number> = defineCodec(
  'int64',
  encodeBy(writeInt64),
  (encoded) => readOrderedInt64(wantLength(encoded, 8, 'int64'), 0),
  writeInt64,
);

function writeInt64(value: number, writer: ByteWriter): void {
  if (!Number.isSafeInteger(value)) {
    throw new VoltstreamError('SERIALISATION_FAILED', 'a value does not fit an int64', { wanted: 'a safe integer', got: String(value) });
  }
  writer.orderedInt64(value);
}

function readOrderedInt64(source: Buffer, at: number): number {
  const high = (source.readUInt32BE(at) ^ 0x8000_0000) | 0;
  const value = high * 2 ** 32 + source.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(value)) throw malformed('an int64 is beyond 2^53', 'a safe integer', bytesPreview(source));
  return value;
}

/**
 * Two values one behind the other: the first with its length in front (4 bytes, big endian), so that nothing is ambiguous.
 * Equal first parts lie together; among different ones, shorter come first.
 */
export function pair<A, B>(first: Codec<A>, second: Codec<B>): Codec<readonly [A, B]> {
  return composite<readonly [A, B], [Codec<A>, Codec<B>]>('pair', [first, second], ([left, right]) => ({
    encodeInto: ([a, b], writer) => {
      encodeWithLength(left, a, writer);
      encodeInto(right, b, writer);
    },
    decode: (encoded) => {
      const source = asBuffer(encoded);
      const length = source.length < 4 ? -1 : source.readUInt32BE();
      if (length < 0 || 4 + length > source.length) throw malformed('a pair is cut off', 'length, first and second part', bytesPreview(encoded));
      return [left.decode(source.subarray(4, 4 + length)), right.decode(source.subarray(4 + length))];
    },
  }));
}

/** Structurally the `Windowed` key of operators: a key in a span of event time. */
export interface WindowedKey<K> {
  readonly key: K;
  readonly startMs: number;
  readonly endMs: number;
}

/** A windowed key: key bytes, then start and end as ordered int64; one key's windows lie in order of their starts. */
export function windowedKey<K>(key: Codec<K>): Codec<WindowedKey<K>> {
  const write = (windowed: WindowedKey<K>, writer: ByteWriter): void => {
    encodeInto(key, windowed.key, writer);
    writeInt64(windowed.startMs, writer);
    writeInt64(windowed.endMs, writer);
  };
  return defineCodec<WindowedKey<K>>(
    `windowed(${key.schemaId})`,
    encodeBy(write),
    (encoded) => {
      const source = asBuffer(encoded);
      const at = source.length - 16;
      if (at < 0) throw malformed('a windowed key is cut off', 'key, start and end', bytesPreview(encoded));
      return {
        key: key.decode(source.subarray(0, at)),
        startMs: readOrderedInt64(source, at),
        endMs: readOrderedInt64(source, at + 8),
      };
    },
    write,
  );
}
