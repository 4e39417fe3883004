import { ByteWriter } from './byte-writer.ts';
import type { Codec } from './codec.ts';

/** Writes a value behind what the writer holds: in place where the codec can, else by a copy of what `encode` gives. */
export function encodeInto<T>(codec: Codec<T>, value: T, writer: ByteWriter): void {
  if (codec.encodeInto === undefined) writer.bytes(codec.encode(value));
  else codec.encodeInto(value, writer);
}

/** Writes a value with its length in front (4 bytes, big endian). */
export function encodeWithLength<T>(codec: Codec<T>, value: T, writer: ByteWriter): void {
  const position = writer.skipUint32();
  encodeInto(codec, value, writer);
  writer.setUint32(position, writer.length - position - 4);
}

/**
 * The codec with `encodeInto`, frozen. A spread leaves it behind: a codec made as `{ ...utf8, encode }` writes by its own `encode`
 * wherever it stands.
 */
export function withEncodeInto<T>(codec: Codec<T>, write: (value: T, writer: ByteWriter) => void): Codec<T> {
  return Object.freeze(Object.defineProperty(codec, 'encodeInto', { value: write, enumerable: false }));
}

let idle: ByteWriter | undefined;

/** `encode` of a codec that has `encodeInto`. */
export function encodeBy<T>(write: (value: T, writer: ByteWriter) => void): (value: T) => Uint8Array {
  return (value) => {
    // A codec within may be one that is encoded in this way as well, hence by another writer.
    const writer = idle ?? new ByteWriter();
    idle = undefined;
    try {
      writer.begin();
      write(value, writer);
      return writer.takeCopy();
    } finally {
      idle = writer;
    }
  };
}
