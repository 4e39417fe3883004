import { assertInvariant } from '../../errors.ts';
import type { LocalStore, StoreDefinition } from '../local-store.ts';
import type { Cell } from '../state-store.ts';
import { cellWriter } from './cell-writer.ts';
import { checkWellFormed } from './key-identity.ts';
import { chunkIdentitiesMax, hashOf, SeenChunk } from './seen-chunk.ts';
import { SeenTable } from './seen-table.ts';

interface Owner {
  readonly name: string;
  readonly chunks: SeenChunk[];
  /** Places of the identities that count; see `placeOf`. After a restart, one that had been forgotten by time and was seen again lies in two chunks. */
  readonly table: SeenTable;
  /** Time of the oldest identity, at hand for each record; Infinity: there is none. */
  oldestMs: number;
  /** Number of the first chunk, by which places count; within `chunksMax`. */
  ordinal: number;
}

/** Chunks of one owner that places can tell apart: a billion identities. */
const chunksMax = 2 ** 24;

/** A place tells the chunk, by a number that goes round, and which one of it; above 0. */
function placeOf(ordinal: number, index: number): number {
  return (ordinal & (chunksMax - 1)) * chunkIdentitiesMax + index + 1;
}

/**
 * What each owner has been seen with, and when first: the memory of `deduplicate`. Times of one owner never fall. Identities
 * are forgotten oldest first. A cell holds up to 64 of them, so that remembering a million costs some 16,000 cells, not a
 * million (and as many deletions). In memory they are bytes found by a hash; where a hash is found, the identity itself is compared.
 */
export class SeenStore implements LocalStore {
  readonly name: string;
  readonly #owners = new Map<string, Owner>();
  #changed: SeenChunk[] = [];
  #entries = 0;
  /** Over all owners, so that an owner that goes and comes back within a commit does not name two cells alike. */
  #nextNumber = 0;
  /** The owner of the last look-up, and the very text that it was looked up with: several come one after the other for each record. */
  #recent: Owner | undefined = undefined;
  #recentName = '';

  constructor(name: string) {
    this.name = name;
  }

  get entries(): number {
    return this.#entries;
  }

  get changes(): number {
    return this.#changed.length;
  }

  /** How many identities an owner has. */
  sizeOf(owner: string): number {
    return this.#find(owner)?.table.size ?? 0;
  }

  has(owner: string, identity: string): boolean {
    const known = this.#find(owner);
    return known !== undefined && slotOf(known, identity, hashOf(identity)) >= 0;
  }

  /**
   * Remembers an identity; false, and nothing changes, when the owner has it. `seenMs` is not below the owner's last one, and above
   * what was forgotten.
   */
  remember(owner: string, identity: string, seenMs: number): boolean {
    const known = this.#find(owner) ?? this.#own(owner);
    const hash = hashOf(identity);
    if (slotOf(known, identity, hash) >= 0) return false;
    const { chunks } = known;
    let chunk = chunks[chunks.length - 1];
    if (chunk === undefined || chunk.isFull) chunk = this.#begin(known, chunk);
    known.table.add(hash, placeOf(known.ordinal + chunks.length - 1, chunk.count));
    chunk.add(identity, hash, seenMs);
    if (known.oldestMs === Infinity) known.oldestMs = seenMs;
    this.#entries += 1;
    this.#markChanged(chunk);
    return true;
  }

  /** Forgets what the owner was first seen with at `untilMs` or before. */
  forget(owner: string, untilMs: number): void {
    const known = this.#find(owner);
    if (known === undefined || known.oldestMs > untilMs) return;
    for (let chunk = known.chunks[0]; chunk !== undefined; chunk = known.chunks[0]) {
      while (chunk.first < chunk.count && (chunk.seenMs[chunk.first] as number) <= untilMs) this.#forgetFirst(known, chunk);
      if (chunk.first < chunk.count) break;
      this.#dropChunk(known, chunk);
    }
    known.oldestMs = oldestOf(known);
  }

  /** Forgets the one identity that the owner was seen with first. */
  forgetOldest(owner: string): void {
    const known = this.#find(owner);
    const chunk = known?.chunks[0];
    if (known === undefined || chunk === undefined) return;
    this.#forgetFirst(known, chunk);
    // A limit is no matter of time: after a restart nothing else would tell that it is forgotten.
    this.#markChanged(chunk);
    if (chunk.first >= chunk.count) this.#dropChunk(known, chunk);
    known.oldestMs = oldestOf(known);
  }

  /** Owners in the order in which they came. */
  owners(): IterableIterator<string> {
    return this.#owners.keys();
  }

  /** Time of an owner's newest identity, or undefined when it has none. */
  newestOf(owner: string): number | undefined {
    return this.#find(owner)?.chunks.at(-1)?.seenMs.at(-1);
  }

  takeChanges(into: Cell[]): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const chunk of changed) {
      chunk.changed = false;
      if (chunk.live) {
        chunk.persisted = true;
        into.push({ store: this.name, key: chunkKey(chunk.owner, chunk.number), value: chunkBytes(chunk) });
      } else if (chunk.persisted) {
        into.push({ store: this.name, key: chunkKey(chunk.owner, chunk.number), value: null });
      }
    }
  }

  /** Cells come in key order, which is by owner and number. */
  restore(key: Uint8Array, value: Uint8Array): void {
    const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
    const owner = bytes.toString('utf8', 0, bytes.length - 4);
    const number = bytes.readUInt32BE(bytes.length - 4);
    const known = this.#find(owner) ?? this.#own(owner);
    const chunk = new SeenChunk(known.name, number, 0);
    chunk.read(value);
    chunk.persisted = true;
    known.chunks.push(chunk);
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
  }

  restored(): void {
    for (const known of this.#owners.values()) {
      const { chunks, table } = known;
      chunks.sort((left, right) => left.number - right.number);
      for (const [at, chunk] of chunks.entries()) {
        for (let index = 0; index < chunk.count; index += 1) {
          const place = placeOf(known.ordinal + at, index);
          const hash = chunk.hashes[index] as number;
          const slot = table.next(hash, hash) < 0 ? -1 : slotOf(known, chunk.identityAt(index), hash);
          // The later time is the one that counts.
          if (slot >= 0) table.replace(slot, place);
          else table.add(hash, place);
        }
      }
      known.oldestMs = oldestOf(known);
      this.#entries += table.size;
    }
  }

  #begin(known: Owner, last: SeenChunk | undefined): SeenChunk {
    last?.seal();
    const chunk = new SeenChunk(known.name, this.#nextNumber, last === undefined ? 0 : Math.ceil(last.length * 1.25));
    this.#nextNumber += 1;
    known.chunks.push(chunk);
    return chunk;
  }

  #forgetFirst(known: Owner, chunk: SeenChunk): void {
    const { first } = chunk;
    chunk.first = first + 1;
    // Not there: it was seen again, and that counts.
    if (known.table.remove(chunk.hashes[first] as number, placeOf(known.ordinal, first))) this.#entries -= 1;
  }

  #dropChunk(known: Owner, chunk: SeenChunk): void {
    known.chunks.shift();
    known.ordinal += 1;
    chunk.live = false;
    this.#markChanged(chunk);
    if (known.chunks.length > 0) return;
    assertInvariant(known.table.size === 0, `${this.name}: identities lie in chunks`);
    this.#owners.delete(chunk.owner);
    if (this.#recent === known) this.#recent = undefined;
  }

  #find(owner: string): Owner | undefined {
    const recent = this.#recent;
    if (recent !== undefined && this.#recentName === owner) return recent;
    this.#recentName = owner;
    return (this.#recent = this.#owners.get(owner));
  }

  #own(owner: string): Owner {
    checkWellFormed(owner, this.name);
    const made: Owner = { name: owner, chunks: [], table: new SeenTable(), oldestMs: Infinity, ordinal: 0 };
    this.#owners.set(owner, made);
    this.#recent = made;
    this.#recentName = owner;
    return made;
  }

  #markChanged(chunk: SeenChunk): void {
    if (chunk.changed) return;
    chunk.changed = true;
    this.#changed.push(chunk);
  }
}

export function seenStore(options: { readonly name: string }): StoreDefinition<SeenStore> {
  return { name: options.name, kind: 'seen', schemaId: 'seen.v2', create: () => new SeenStore(options.name) };
}

function chunkKey(owner: string, number: number): Uint8Array {
  cellWriter.begin();
  cellWriter.text(owner);
  cellWriter.uint32(number);
  return cellWriter.take();
}

function chunkBytes(chunk: SeenChunk): Uint8Array {
  cellWriter.begin();
  chunk.write(cellWriter);
  return cellWriter.take();
}

function oldestOf({ chunks }: Owner): number {
  const chunk = chunks[0];
  return chunk === undefined ? Infinity : chunk.seenMs[chunk.first] ?? Infinity;
}

/** Where an owner's table has an identity; -1: nowhere. */
function slotOf({ table, chunks, ordinal }: Owner, identity: string, hash: number): number {
  for (let slot = table.next(hash, hash); slot >= 0; slot = table.next(hash, slot + 1)) {
    const at = table.placeAt(slot) - 1;
    const index = at % chunkIdentitiesMax;
    const chunk = chunks[((at - index) / chunkIdentitiesMax - ordinal) & (chunksMax - 1)] as SeenChunk;
    if (chunk.holds(index, identity)) return slot;
  }
  return -1;
}
