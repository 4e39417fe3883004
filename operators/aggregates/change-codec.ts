import { assertInvariant } from '../../errors.ts';
import type { Codec } from '../../schemas/codec.ts';
import { asBuffer, bytesPreview, malformed } from '../../schemas/malformed.ts';
import type { Change } from '../table-source.ts';

const oldSide = 1;
const newSide = 2;
const headerBytes = 5;
const lengthBytes = 4;

/**
 * A change with its old and its new value, as it travels through a repartition topic: which sides it has (1 byte), a hash of
 * the value's schema id (4 bytes), where there are both the length of the new value (4 bytes, big endian), the new
 * value, the old value. A change written with another form of its values is refused as malformed rather than misread. One
 * without any side is not a change.
 *
 * Whether a change is the newest is not carried: what is not stays out of the topic (KIP-904 carries both sides alike).
 */
export function changeCodec<V>(value: Codec<V>): Codec<Change<V>> {
  const schemaId = `change(${value.schemaId})`;
  const fingerprint = hashOf(schemaId);
  return {
    kind: 'codec',
    schemaId,
    encode: ({ newValue, oldValue }) => {
      const sides = (newValue === null ? 0 : newSide) | (oldValue === null ? 0 : oldSide);
      assertInvariant(sides !== 0, 'a change in a repartition topic has a side');
      const after = newValue === null ? nothing : value.encode(newValue);
      const before = oldValue === null ? nothing : value.encode(oldValue);
      const start = sides === (newSide | oldSide) ? headerBytes + lengthBytes : headerBytes;
      const encoded = Buffer.allocUnsafe(start + after.length + before.length);
      encoded.writeUInt8(sides, 0);
      encoded.writeUInt32BE(fingerprint, 1);
      if (start > headerBytes) encoded.writeUInt32BE(after.length, headerBytes);
      encoded.set(after, start);
      encoded.set(before, start + after.length);
      return encoded;
    },
    decode: (bytes) => {
      const source = asBuffer(bytes);
      const sides = source.length < headerBytes ? 0 : source.readUInt8(0);
      if (sides < oldSide || sides > (oldSide | newSide)) throw malformed('a change is cut off or has no side', 'sides, schema and values', bytesPreview(bytes));
      if (source.readUInt32BE(1) !== fingerprint) throw malformed('a change was written with another form of its values', schemaId, bytesPreview(bytes));
      const rest = source.subarray(headerBytes);
      if (sides === newSide) return { newValue: value.decode(rest), oldValue: null, isLatest: true };
      if (sides === oldSide) return { newValue: null, oldValue: value.decode(rest), isLatest: true };
      const split = rest.length < lengthBytes ? Number.POSITIVE_INFINITY : lengthBytes + rest.readUInt32BE();
      if (split > rest.length) throw malformed('a change is cut off', 'length, new and old value', bytesPreview(bytes));
      return { newValue: value.decode(rest.subarray(lengthBytes, split)), oldValue: value.decode(rest.subarray(split)), isLatest: true };
    },
  };
}

const nothing = new Uint8Array(0);

/** FNV-1a, 32 bits: tells schema ids apart, no more. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
