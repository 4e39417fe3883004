import { VoltstreamError } from '../../errors.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { GroupedStore, StoreDefinition } from '../local-store.ts';
import type { Cell } from '../state-store.ts';
import { encodeValue } from './cell-value.ts';
import { cellKey } from './cell-writer.ts';
import { ChangeList, type CellForm, type Tracked } from './change-list.ts';
import { checkWellFormed } from './key-identity.ts';
import { MemberOrder } from './member-order.ts';
import { PackedBytes } from './packed-bytes.ts';

export interface GroupedStoreOptions<V> {
  readonly name: string;
  readonly value: Codec<V>;
  /**
   * The note on a value that rests: one that will hardly be asked for again. Null: it does not rest. Behind the commit that writes it, a
   * resting value is kept as the bytes that were written, and decoded for who gets it, until the next commit. Depends on the value alone.
   */
  readonly resting?: (value: V) => number | null;
}

/**
 * Defines a store of values by two texts: a group and a member of it. Like a key-value store over both, but no key has to be
 * put together for a look-up, and look-ups within one group find it at once. Values are immutable; `undefined` is not one.
 *
 * Values that rest (`resting`) cost their encoded size and some 150 bytes, whatever objects they are made of.
 *
 * @example Sessions of each station
 * const sessions = groupedStore({ name: 'sessions', value: json<SessionState>('session-state.v1') });
 */
export function groupedStore<V>(options: GroupedStoreOptions<V>): StoreDefinition<GroupedStore<V>> {
  return {
    name: options.name,
    kind: 'grouped',
    schemaId: `grouped/${options.value.schemaId}`,
    value: options.value,
    create: () => new MapGroupedStore(options),
  };
}

interface Group<V> {
  readonly name: string;
  readonly members: Map<string, Entry<V>>;
  /** Made by the first look at all members; groups that are never iterated pay nothing for it. */
  order: MemberOrder<Entry<V>> | undefined;
}

interface Entry<V> extends Tracked {
  readonly group: string;
  readonly member: string;
  /** Undefined while it rests. */
  value: V | undefined;
  /** Where its bytes lie, as they were written last; -1: nowhere. */
  place: number;
}

class MapGroupedStore<V> implements GroupedStore<V> {
  readonly name: string;
  readonly #value: Codec<V>;
  readonly #resting: ((value: V) => number | null) | undefined;
  readonly #groups = new Map<string, Group<V>>();
  readonly #changes = new ChangeList<Entry<V>>();
  readonly #cells: CellForm<Entry<V>>;
  #packed = new PackedBytes();
  /** What was decoded since the last commit. */
  #woken: Entry<V>[] = [];
  #entries = 0;
  /** The group and the entry of the last look-up: a put after a get needs no second one. */
  #recent: Group<V> | undefined = undefined;
  /** The very text that the group was looked up with: the same one again needs no comparison. */
  #recentName = '';
  #recentEntry: Entry<V> | undefined = undefined;

  constructor(options: GroupedStoreOptions<V>) {
    this.name = options.name;
    this.#value = options.value;
    this.#resting = options.resting;
    this.#cells = {
      store: this.name,
      key: groupedKey,
      value: (entry) => this.#written(entry),
      has: (entry) => this.#find(entry.group, entry.member) !== undefined,
    };
  }

  get entries(): number {
    return this.#entries;
  }

  get changes(): number {
    return this.#changes.length;
  }

  get(group: string, member: string): V | undefined {
    const entry = this.#find(group, member);
    if (entry === undefined) return undefined;
    return entry.value === undefined ? this.#wake(entry) : entry.value;
  }

  noteOf(group: string, member: string): number | undefined {
    const entry = this.#find(group, member);
    return entry === undefined || entry.place < 0 ? undefined : this.#packed.noteAt(entry.place);
  }

  put(group: string, member: string, value: V): void {
    const entry = this.#find(group, member);
    if (entry === undefined) {
      this.#changes.mark(this.#insert(group, member, value, false));
      return;
    }
    entry.value = value;
    this.#unpack(entry);
    this.#changes.mark(entry);
  }

  delete(group: string, member: string): void {
    const entry = this.#find(group, member);
    if (entry === undefined) return;
    const found = this.#recent as Group<V>;
    found.members.delete(entry.member);
    entry.live = false;
    entry.value = undefined;
    this.#unpack(entry);
    found.order?.left(found.members.size);
    this.#entries -= 1;
    this.#recentEntry = undefined;
    this.#changes.mark(entry);
    if (found.members.size > 0) return;
    this.#groups.delete(found.name);
    this.#recent = undefined;
  }

  *members(group: string): IterableIterator<readonly [member: string, value: V]> {
    const found = this.#groups.get(group);
    if (found === undefined) return;
    found.order ??= new MemberOrder();
    for (const entry of found.order.of(found.members)) if (entry.live) yield [entry.member, entry.value === undefined ? this.#wake(entry) : entry.value];
  }

  each(group: string, look: (member: string, value: V | undefined, note: number) => void): void {
    const found = this.#groups.get(group);
    if (found === undefined) return;
    for (const { member, value, place } of found.members.values()) look(member, value, value === undefined ? this.#packed.noteAt(place) : Number.NaN);
  }

  takeChanges(into: Cell[]): void {
    this.#changes.take(into, this.#cells);
    if (this.#resting === undefined) return;
    // What was got and not put is what it was.
    for (const entry of this.#woken) if (entry.place >= 0) entry.value = undefined;
    this.#woken = [];
    if (this.#packed.isWasteful) this.#packAnew();
  }

  restore(key: Uint8Array, value: Uint8Array): void {
    const [group, member] = this.#keyOf(key);
    const entry = this.#insert(group, member, this.#value.decode(value), true);
    if (this.#resting !== undefined) this.#rest(entry, value, this.#resting);
  }

  restored(): void {}

  /** The bytes of a changed entry's value. If it rests, they are what is kept of it. */
  #written(entry: Entry<V>): Uint8Array {
    const bytes = encodeValue(this.#value, entry.value as V, entry.group, entry.member);
    if (this.#resting !== undefined) this.#rest(entry, bytes, this.#resting);
    return bytes;
  }

  #rest(entry: Entry<V>, bytes: Uint8Array, resting: (value: V) => number | null): void {
    const note = resting(entry.value as V);
    if (note === null) return;
    entry.place = this.#packed.put(bytes, note);
    entry.value = undefined;
  }

  #wake(entry: Entry<V>): V {
    const value = this.#value.decode(this.#packed.bytesAt(entry.place));
    entry.value = value;
    this.#woken.push(entry);
    return value;
  }

  #unpack(entry: Entry<V>): void {
    if (entry.place < 0) return;
    this.#packed.remove(entry.place);
    entry.place = -1;
  }

  /** What rests lies without holes again. */
  #packAnew(): void {
    const old = this.#packed;
    const packed = new PackedBytes();
    for (const { members } of this.#groups.values()) {
      for (const entry of members.values()) if (entry.place >= 0) entry.place = packed.put(old.bytesAt(entry.place), old.noteAt(entry.place));
    }
    this.#packed = packed;
  }

  #find(group: string, member: string): Entry<V> | undefined {
    let found = this.#recent;
    if (found === undefined || this.#recentName !== group) {
      found = this.#groups.get(group);
      this.#recentEntry = undefined;
      if (found === undefined) return undefined;
      this.#recent = found;
      this.#recentName = group;
    }
    const recent = this.#recentEntry;
    if (recent !== undefined && recent.member === member) return recent;
    return (this.#recentEntry = found.members.get(member));
  }

  #insert(group: string, member: string, value: V, persisted: boolean): Entry<V> {
    let found = this.#groups.get(group);
    if (found === undefined) {
      checkWellFormed(group, this.name);
      found = { name: group, members: new Map(), order: undefined };
      this.#groups.set(group, found);
    }
    checkWellFormed(member, this.name);
    const entry: Entry<V> = { group: found.name, member, value, place: -1, changed: false, persisted, live: true };
    found.members.set(member, entry);
    found.order?.came(entry);
    this.#entries += 1;
    this.#recent = found;
    this.#recentName = group;
    this.#recentEntry = entry;
    return entry;
  }

  #keyOf(key: Uint8Array): readonly [group: string, member: string] {
    const text = utf8.decode(key);
    const colon = text.indexOf(':');
    const length = Number(text.slice(0, colon));
    const memberAt = colon + 1 + length + 1;
    if (colon < 1 || !Number.isSafeInteger(length) || text[memberAt - 1] !== '/') {
      throw new VoltstreamError('DESERIALISATION_FAILED', 'a key of a grouped store is malformed', {
        where: `store ${this.name}`, wanted: 'length:group/member', got: text,
      });
    }
    return [text.slice(colon + 1, memberAt - 1), text.slice(memberAt)];
  }
}

/** Names may hold any character, so the length of the first (in UTF-16 units) stands in front. */
function groupedKey(entry: { readonly group: string; readonly member: string }): Uint8Array {
  return cellKey(utf8, `${entry.group.length}:${entry.group}/${entry.member}`);
}
