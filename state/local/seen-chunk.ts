import { malformed } from '../../schemas/malformed.ts';
import type { ByteWriter } from '../../schemas/byte-writer.ts';

/** Identities in one cell: few enough that a change writes little, enough that a commit has few cells. */
export const chunkIdentitiesMax = 64;

/** So that nobody can make up identities that lie all at one place. Nothing that comes out depends on it. */
const seed = Math.floor(Math.random() * 2 ** 31);

export function hashOf(identity: string): number {
  let hash = seed;
  for (let at = 0; at < identity.length; at += 1) hash = Math.imul(hash ^ identity.charCodeAt(at), 0x0100_0193);
  return mixed(hash);
}

function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return once ^ (once >>> 13);
}

/**
 * Identities that were first seen one after the other; one cell of the durable store. They are kept as bytes: each UTF-16 unit on its own in
 * 1 to 3 bytes as UTF-8 would have it, so that any text comes back as it was.
 */
export class SeenChunk {
  readonly owner: string;
  readonly number: number;
  readonly hashes: number[] = [];
  readonly seenMs: number[] = [];
  /** Those before it are forgotten already. */
  first = 0;
  changed = false;
  persisted = false;
  live = true;
  readonly #ends: number[] = [];
  #bytes: Uint8Array;
  #length = 0;

  /** `bytesLikely`: how many its identities will have. */
  constructor(owner: string, number: number, bytesLikely: number) {
    this.owner = owner;
    this.number = number;
    this.#bytes = new Uint8Array(bytesLikely);
  }

  get count(): number {
    return this.hashes.length;
  }

  get isFull(): boolean {
    return this.hashes.length >= chunkIdentitiesMax;
  }

  /** Bytes of all identities. */
  get length(): number {
    return this.#length;
  }

  add(identity: string, hash: number, seenMs: number): void {
    if (this.#length + identity.length > this.#bytes.length) this.#grow(this.#length + identity.length);
    let at = this.#length;
    const bytes = this.#bytes;
    for (let index = 0; index < identity.length; index += 1) {
      const unit = identity.charCodeAt(index);
      if (unit >= 0x80) {
        at = this.#addWide(identity, index, at);
        break;
      }
      bytes[at] = unit;
      at += 1;
    }
    this.#length = at;
    this.#ends.push(at);
    this.hashes.push(hash);
    this.seenMs.push(seenMs);
  }

  /** Whether the identity at a place is this one. */
  holds(place: number, identity: string): boolean {
    const bytes = this.#bytes;
    const end = this.#ends[place] as number;
    let at = place === 0 ? 0 : this.#ends[place - 1] as number;
    // A unit has at least one byte: the usual other one is known by that.
    if (end - at < identity.length) return false;
    for (let index = 0; index < identity.length; index += 1) {
      if (at >= end) return false;
      const unit = identity.charCodeAt(index);
      const byte = bytes[at] as number;
      if (byte < 0x80) {
        if (byte !== unit) return false;
        at += 1;
      } else {
        if (unitAt(bytes, at) !== unit) return false;
        at += unitLength(byte);
      }
    }
    return at === end;
  }

  identityAt(place: number): string {
    const units: number[] = [];
    const end = this.#endOf(place);
    for (let at = this.#endOf(place - 1); at < end; at += unitLength(this.#bytes[at] as number)) units.push(unitAt(this.#bytes, at));
    return String.fromCharCode(...units);
  }

  /** Count (1 byte), for each its time (float64, little endian) and length (uint32), then the bytes of all. Without those that are forgotten. */
  write(writer: ByteWriter): void {
    const { first, count, seenMs } = this;
    writer.uint8(count - first);
    for (let place = first; place < count; place += 1) {
      writer.float64(seenMs[place] as number);
      writer.uint32(this.#endOf(place) - this.#endOf(place - 1));
    }
    writer.bytes(this.#bytes.subarray(this.#endOf(first - 1), this.#length));
  }

  /** What `write` wrote. Throws DESERIALISATION_FAILED. */
  read(value: Uint8Array): void {
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const count = value[0] ?? 0;
    let at = 1 + count * 12;
    if (count > chunkIdentitiesMax || at > value.length) throw malformed('a cell of what was seen is cut off', `${at} bytes or more`, `${value.length} bytes`);
    const begin = at;
    for (let place = 0; place < count; place += 1) {
      const length = view.getUint32(1 + place * 12 + 8);
      if (at + length > value.length) throw malformed('an identity is cut off', `${length} bytes`, `${value.length - at} bytes`);
      this.seenMs.push(view.getFloat64(1 + place * 12, true));
      this.hashes.push(hashOfBytes(value, at, at + length));
      at += length;
      this.#ends.push(at - begin);
    }
    if (at !== value.length) throw malformed('a cell of what was seen goes on behind its identities', `${at} bytes`, `${value.length} bytes`);
    this.#length = at - begin;
    this.#bytes = Uint8Array.prototype.slice.call(value, begin, at);
  }

  /** No more will be added: no more room than it needs. */
  seal(): void {
    if (this.#bytes.length > this.#length) this.#bytes = this.#bytes.slice(0, this.#length);
  }

  #endOf(place: number): number {
    return place < 0 ? 0 : this.#ends[place] as number;
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, 2 * this.#bytes.length, 64));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** The rest of an identity from its first unit that needs more than one byte. */
  #addWide(identity: string, from: number, start: number): number {
    let at = start;
    const most = start + (identity.length - from) * 3;
    if (most > this.#bytes.length) {
      this.#length = start;
      this.#grow(most);
    }
    const bytes = this.#bytes;
    for (let index = from; index < identity.length; index += 1) {
      const unit = identity.charCodeAt(index);
      if (unit < 0x80) {
        bytes[at++] = unit;
        continue;
      }
      if (unit < 0x800) {
        bytes[at++] = 0xc0 | (unit >> 6);
      } else {
        bytes[at++] = 0xe0 | (unit >> 12);
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      }
      bytes[at++] = 0x80 | (unit & 0x3f);
    }
    return at;
  }
}

/** The UTF-16 unit that begins at a byte. */
function unitAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number;
  if (byte < 0x80) return byte;
  if (byte < 0xe0) return ((byte & 0x1f) << 6) | ((bytes[at + 1] as number) & 0x3f);
  return ((byte & 0x0f) << 12) | (((bytes[at + 1] as number) & 0x3f) << 6) | ((bytes[at + 2] as number) & 0x3f);
}

function unitLength(byte: number): number {
  if (byte < 0x80) return 1;
  return byte < 0xe0 ? 2 : 3;
}

function hashOfBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = seed;
  let at = from;
  while (at < to) {
    hash = Math.imul(hash ^ unitAt(bytes, at), 0x0100_0193);
    at += unitLength(bytes[at] as number);
  }
  return mixed(hash);
}
