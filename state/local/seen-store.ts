import { assertInvariant } from '../../errors.ts';
import type { LocalStore, StoreDefinition } from '../local-store.ts';
import type { Cell } from '../state-store.ts';
import { cellWriter } from './cell-writer.ts';
import { checkWellFormed } from './key-identity.ts';

/** Identities in one cell: few enough that a change writes little, enough that a commit has few cells. */
const CHUNK_IDENTITIES_MAX = 64;

/** Identities of one owner that were first seen one after the other; one cell of the durable store. */
interface Chunk {
  readonly owner: string;
  readonly number: number;
  readonly identities: string[];
  readonly seenMs: number[];
  /** Those before it are forgotten already. */
  first: number;
  changed: boolean;
  persisted: boolean;
  live: boolean;
}

interface Owner {
  readonly name: string;
  readonly identities: Set<string>;
  readonly chunks: Chunk[];
  /**
   * Identities that lie in two chunks, with the time of the sighting that counts. Only after a restart, which brings back what had been
   * forgotten by time, and may have been seen again since; else undefined.
   */
  repeated: Map<string, number> | undefined;
}

/**
 * What each owner has been seen with, and when first: the memory of `deduplicate`. Times of one owner never fall. Identities
 * are forgotten oldest first. A cell holds up to 64 of them, so that remembering a million costs some 16,000 cells, not a
 * million (and as many deletions).
 */
export class SeenStore implements LocalStore {
  readonly name: string;
  readonly #owners = new Map<string, Owner>();
  #changed: Chunk[] = [];
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
    return this.#find(owner)?.identities.size ?? 0;
  }

  has(owner: string, identity: string): boolean {
    return this.#find(owner)?.identities.has(identity) === true;
  }

  /**
   * Remembers an identity; false, and nothing changes, when the owner has it. `seenMs` is not below the owner's last one, and above
   * what was forgotten.
   */
  remember(owner: string, identity: string, seenMs: number): boolean {
    const known = this.#find(owner) ?? this.#own(owner);
    // Its size tells whether it is new: one look into a set that mostly lies in no cache, not two.
    const { size } = known.identities;
    if (known.identities.add(identity).size === size) return false;
    let chunk = known.chunks.at(-1);
    if (chunk === undefined || chunk.identities.length >= CHUNK_IDENTITIES_MAX) {
      chunk = { owner: known.name, number: this.#nextNumber, identities: [], seenMs: [], first: 0, changed: false, persisted: false, live: true };
      this.#nextNumber += 1;
      known.chunks.push(chunk);
    }
    chunk.identities.push(identity);
    chunk.seenMs.push(seenMs);
    this.#entries += 1;
    this.#markChanged(chunk);
    return true;
  }

  /** Forgets what the owner was first seen with at `untilMs` or before. */
  forget(owner: string, untilMs: number): void {
    const known = this.#find(owner);
    if (known === undefined) return;
    for (let chunk = known.chunks[0]; chunk !== undefined; chunk = known.chunks[0]) {
      while (chunk.first < chunk.identities.length && (chunk.seenMs[chunk.first] as number) <= untilMs) this.#forgetFirst(known, chunk);
      if (chunk.first < chunk.identities.length) return;
      this.#dropChunk(known, chunk);
    }
  }

  /** Forgets the one identity that the owner was seen with first. */
  forgetOldest(owner: string): void {
    const known = this.#find(owner);
    const chunk = known?.chunks[0];
    if (known === undefined || chunk === undefined) return;
    this.#forgetFirst(known, chunk);
    // A limit is no matter of time: after a restart nothing else would tell that it is forgotten.
    this.#markChanged(chunk);
    if (chunk.first >= chunk.identities.length) this.#dropChunk(known, chunk);
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
    const [identities, seenMs] = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')) as [string[], number[]];
    const known = this.#find(owner) ?? this.#own(owner);
    known.chunks.push({ owner, number, identities, seenMs, first: 0, changed: false, persisted: true, live: true });
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    const before = known.identities.size;
    identities.forEach((identity, index) => {
      // Those of one owner come in the order of their numbers, so the later time is the one that counts.
      if (known.identities.has(identity)) (known.repeated ??= new Map()).set(identity, seenMs[index] as number);
      known.identities.add(identity);
    });
    this.#entries += known.identities.size - before;
  }

  restored(): void {
    for (const { chunks } of this.#owners.values()) chunks.sort((left, right) => left.number - right.number);
  }

  #forgetFirst(known: Owner, chunk: Chunk): void {
    const identity = chunk.identities[chunk.first] as string;
    const countsMs = known.repeated?.get(identity);
    if (countsMs === undefined || countsMs === chunk.seenMs[chunk.first]) {
      known.identities.delete(identity);
      known.repeated?.delete(identity);
      this.#entries -= 1;
    }
    chunk.first += 1;
  }

  #dropChunk(known: Owner, chunk: Chunk): void {
    known.chunks.shift();
    chunk.live = false;
    this.#markChanged(chunk);
    if (known.chunks.length > 0) return;
    assertInvariant(known.identities.size === 0, `${this.name}: identities lie in chunks`);
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
    const made: Owner = { name: owner, identities: new Set(), chunks: [], repeated: undefined };
    this.#owners.set(owner, made);
    this.#recent = made;
    this.#recentName = owner;
    return made;
  }

  #markChanged(chunk: Chunk): void {
    if (chunk.changed) return;
    chunk.changed = true;
    this.#changed.push(chunk);
  }
}

export function seenStore(options: { readonly name: string }): StoreDefinition<SeenStore> {
  return { name: options.name, kind: 'seen', schemaId: 'seen.v1', create: () => new SeenStore(options.name) };
}

function chunkKey(owner: string, number: number): Uint8Array {
  cellWriter.begin();
  cellWriter.text(owner);
  cellWriter.uint32(number);
  return cellWriter.take();
}

function chunkBytes(chunk: Chunk): Uint8Array {
  cellWriter.begin();
  cellWriter.text(JSON.stringify([chunk.identities.slice(chunk.first), chunk.seenMs.slice(chunk.first)]));
  return cellWriter.take();
}
