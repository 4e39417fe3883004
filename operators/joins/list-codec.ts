import type { Codec } from '../../schemas/codec.ts';
import { composite } from '../../schemas/codec-evolution.ts';
import { encodeWithLength } from '../../schemas/encode-into.ts';

/** Values one behind the other, each with its length in front (4 bytes, big endian). */
export function listCodec<V>(value: Codec<V>): Codec<readonly V[]> {
  return composite<readonly V[], [Codec<V>]>('list', [value], ([part]) => ({
    encodeInto: (values, writer) => {
      for (const one of values) encodeWithLength(part, one, writer);
    },
    decode: (encoded) => {
      const source = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
      const values: V[] = [];
      for (let at = 0; at < source.length;) {
        const length = source.readUInt32BE(at);
        values.push(part.decode(source.subarray(at + 4, at + 4 + length)));
        at += 4 + length;
      }
      return values;
    },
  }));
}
