import type { Codec } from '../../schemas/codec.ts';
import { VoltstreamError } from '../../errors.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { bytesToLatin1 } from '../cell-bytes.ts';

/**
 * Keys as Map keys. A key of the `utf8` codec is its own identity, so that a look-up allocates nothing; any other key is
 * identified by its encoded bytes, one character a byte.
 */
export interface KeyIdentity<K> {
  /** True when a key is its own identity: then a cast does, and no call is needed. */
  readonly direct: boolean;
  of(key: K): string;
  /** Order of the encoded keys, byte by byte. */
  compare(left: string, right: string): number;
}

export function keyIdentity<K>(codec: Codec<K>): KeyIdentity<K> {
  if (codec.schemaId === utf8.schemaId) return { direct: true, of: (key) => key as string, compare: compareUtf8 };
  return {
    direct: false,
    of: (key) => bytesToLatin1(codec.encode(key)),
    compare: (left, right) => (left < right ? -1 : left > right ? 1 : 0),
  };
}

const firstSurrogate = 0xd800;
const lastSurrogate = 0xdfff;

/**
 * Order of two texts by their UTF-8 bytes, which is the order of their code points. JavaScript's own order is that of UTF-16
 * units, where surrogates (code points from U+10000) come before U+E000..U+FFFF.
 */
export function compareUtf8(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const leftUnit = left.charCodeAt(at);
    const rightUnit = right.charCodeAt(at);
    if (leftUnit !== rightUnit) return codePointRank(leftUnit) - codePointRank(rightUnit);
  }
  return left.length - right.length;
}

function codePointRank(unit: number): number {
  return unit >= firstSurrogate && unit <= lastSurrogate ? unit + 0x10000 : unit;
}

/** Refuses a text that UTF-8 cannot carry: it would come back as another key after a restart. */
export function checkWellFormed(identity: string, store: string): void {
  if (identity.isWellFormed()) return;
  throw new VoltstreamError('SERIALISATION_FAILED', 'a key holds a lone surrogate, which UTF-8 cannot carry', {
    where: `store ${store}`,
    wanted: 'well-formed text',
    got: JSON.stringify(identity),
  });
}
