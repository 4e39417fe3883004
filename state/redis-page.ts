import { assertInvariant } from '../errors.ts';
import { bufferOf } from './redis-cells.ts';
import { SeenTable } from './local/seen-table.ts';
import type { Cell } from './state-store.ts';

/** So that nobody can make up keys that lie all at one place. */
const seed = Math.floor(Math.random() * 2 ** 31);

/** The cells of a page as `scan.lua` packs it. They share the page's memory. */
export function cellsOfPage(store: string, page: Buffer): Cell[] {
  const reader = new PageReader(page);
  const items = reader.arrayLength();
  const cells: Cell[] = [];
  for (let item = 0; item < items; item += 2) cells.push({ store, key: reader.bytes(), value: reader.bytes() });
  return cells;
}

/** As much of MessagePack as Redis' encoder makes of an array of strings. */
class PageReader {
  readonly #page: Buffer;
  #at = 0;

  constructor(page: Buffer) {
    this.#page = page;
  }

  /** An empty table of Lua comes as an array, too. */
  arrayLength(): number {
    const kind = this.#byte();
    if ((kind & 0xf0) === 0x90) return kind & 0x0f;
    assertInvariant(kind === 0xdc || kind === 0xdd, `a page of cells begins with an array, not with ${kind}`);
    return kind === 0xdc ? this.#number(2) : this.#number(4);
  }

  bytes(): Uint8Array {
    const length = this.#textLength();
    const start = this.#at;
    this.#at = start + length;
    return this.#page.subarray(start, this.#at);
  }

  #textLength(): number {
    const kind = this.#byte();
    if ((kind & 0xe0) === 0xa0) return kind & 0x1f;
    if (kind === 0xd9) return this.#byte();
    if (kind === 0xda) return this.#number(2);
    assertInvariant(kind === 0xdb, `a page of cells holds texts, not ${kind}`);
    return this.#number(4);
  }

  #byte(): number {
    const byte = this.#page[this.#at++];
    assertInvariant(byte !== undefined, 'a page of cells is whole');
    return byte;
  }

  #number(bytes: 2 | 4): number {
    const number = bytes === 2 ? this.#page.readUInt16BE(this.#at) : this.#page.readUInt32BE(this.#at);
    this.#at += bytes;
    return number;
  }
}

/** Which keys a scan has given: HSCAN gives a field again when the hash was resized meanwhile. Holds no copy of a key. */
export class ScannedKeys {
  readonly #table = new SeenTable();
  readonly #keys: Uint8Array[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** True when the key comes for the first time. */
  add(key: Uint8Array): boolean {
    const hash = hashOf(key);
    for (let slot = this.#table.next(hash, hash); slot >= 0; slot = this.#table.next(hash, slot + 1)) {
      if (bufferOf(key).equals(this.#keys[this.#table.placeAt(slot) - 1] as Uint8Array)) return false;
    }
    this.#keys.push(key);
    this.#table.add(hash, this.#keys.length);
    return true;
  }
}

function hashOf(key: Uint8Array): number {
  let hash = seed;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ (key[at] as number), 0x0100_0193);
  const once = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return once ^ (once >>> 13);
}
