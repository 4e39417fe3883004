import { int64, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { timeBytes, timeThenBytes } from '../../state/local/time-bytes.ts';
import type { Cell, CellRange } from '../../state/state-store.ts';
import { onlyKey, refused, statePage, type PageOptions, type StatePage } from './state-page.ts';
import type { ReadPage, StoreReader } from './store-reader.ts';

export interface KeyEntry<K, V> {
  readonly task: string;
  readonly key: K;
  readonly value: V;
}

export interface TimeEntry<K, V> extends KeyEntry<K, V> {
  readonly timeMs: number;
}

export interface VersionEntry<K, V> {
  readonly task: string;
  readonly key: K;
  /** Null is a tombstone. */
  readonly value: V | null;
  /** Valid from then on, to the next version. */
  readonly timestampMs: number;
}

/** A value by what its cell's key is: the key's own partition is asked first, the others when it is not there. */
async function find(reader: StoreReader, key: Uint8Array, range: CellRange): Promise<ReadPage | undefined> {
  for (const task of await reader.tasksFrom(key)) {
    const page = await reader.page(task, range);
    if (page.cells.length > 0) return page;
  }
  return undefined;
}

function valueOf(page: ReadPage | undefined): unknown {
  const cell = page?.cells[0];
  return page === undefined || cell === undefined ? undefined : page.valueOf(cell.value as Uint8Array);
}

/** Committed values by key: tables, aggregates, stores of steps of your own. */
export class CommittedKeyValues<K, V> {
  readonly #reader: StoreReader;
  readonly #key: Codec<K>;

  constructor(reader: StoreReader, key: Codec<K>) {
    this.#reader = reader;
    this.#key = key;
  }

  /**
   * The value of a key, undefined when there is none. Asks the task of the key's partition; where it has no such key, the others
   * too, since a step may keep other keys than those of its records.
   */
  async get(key: K): Promise<V | undefined> {
    const bytes = this.#key.encode(key);
    return valueOf(await find(this.#reader, bytes, onlyKey(bytes))) as V | undefined;
  }

  /** Keys from `from` to before `to` in the order of their bytes; the same key may be in several tasks. */
  range(options: PageOptions & { readonly from?: K; readonly to?: K } = {}): Promise<StatePage<KeyEntry<K, V>>> {
    const range = {
      ...(options.from === undefined ? {} : { from: this.#key.encode(options.from) }),
      ...(options.to === undefined ? {} : { to: this.#key.encode(options.to) }),
    };
    return statePage(this.#reader, range, options, ({ key, value }, page) => ({
      task: page.task, key: this.#key.decode(key), value: page.valueOf(value as Uint8Array) as V,
    }));
  }
}

export interface TimeRange {
  /** Inclusive; left out: from the first. */
  readonly fromMs?: number;
  /** Inclusive; left out: to the last. */
  readonly toMs?: number;
}

/** Committed values by time and key: windows by their start, sessions by their end, what waits by when it is due. */
export class CommittedWindows<K, V> {
  readonly #reader: StoreReader;
  readonly #key: Codec<K>;

  constructor(reader: StoreReader, key: Codec<K>) {
    this.#reader = reader;
    this.#key = key;
  }

  /** The value of a key at one time, undefined when there is none. */
  async get(key: K, timeMs: number): Promise<V | undefined> {
    const bytes = this.#key.encode(key);
    return valueOf(await find(this.#reader, bytes, onlyKey(timeThenBytes(timeMs, bytes)))) as V | undefined;
  }

  /**
   * Entries by time, at equal times by key bytes; of one key only when it is named. Cells lie by time: name a span of time, or all
   * of them are looked at.
   */
  range(options: PageOptions & TimeRange & { readonly key?: K } = {}): Promise<StatePage<TimeEntry<K, V>>> {
    const range: { from?: Uint8Array; to?: Uint8Array; where?: NonNullable<CellRange['where']> } = {};
    if (options.fromMs !== undefined) range.from = timeThenBytes(options.fromMs, new Uint8Array(0));
    if (options.toMs !== undefined) range.to = timeThenBytes(options.toMs + 1, new Uint8Array(0));
    if (options.key !== undefined) {
      const wanted = this.#key.encode(options.key);
      range.where = (key) => Buffer.compare(key.subarray(timeBytes), wanted) === 0;
    }
    return statePage(this.#reader, range, options, ({ key, value }, page) => ({
      task: page.task, key: this.#key.decode(key.subarray(timeBytes)), timeMs: int64.decode(key.subarray(0, timeBytes)),
      value: page.valueOf(value as Uint8Array) as V,
    }));
  }
}

/** Committed versions of values by key: tables with a history. */
export class CommittedVersions<K, V> {
  readonly #reader: StoreReader;
  readonly #key: Codec<K>;

  constructor(reader: StoreReader, key: Codec<K>) {
    this.#reader = reader;
    this.#key = key;
  }

  /** The latest version, undefined when there is none or it is a tombstone. */
  get(key: K): Promise<{ readonly value: V; readonly timestampMs: number } | undefined> {
    return this.getAsOf(key, Number.MAX_SAFE_INTEGER);
  }

  /** The version that was valid at a time, of those that are kept; undefined when there was none, or a tombstone. */
  async getAsOf(key: K, asOfMs: number): Promise<{ readonly value: V; readonly timestampMs: number } | undefined> {
    const bytes = this.#key.encode(key);
    const page = await find(this.#reader, bytes, versionsOf(bytes));
    const versions = (page?.cells ?? []).map((cell) => this.#entry(cell, page as ReadPage));
    const found = versions.findLast(({ timestampMs }) => timestampMs <= asOfMs);
    return found === undefined || found.value === null ? undefined : { value: found.value, timestampMs: found.timestampMs };
  }

  /** Versions, tombstones among them, by key bytes and time; of one key only when it is named. */
  range(options: PageOptions & { readonly key?: K } = {}): Promise<StatePage<VersionEntry<K, V>>> {
    const range = options.key === undefined ? { where: isVersion } : versionsOf(this.#key.encode(options.key));
    return statePage(this.#reader, range, options, (cell, page) => this.#entry(cell, page));
  }

  #entry({ key, value }: Cell, page: ReadPage): VersionEntry<K, V> {
    const bytes = value as Uint8Array;
    return {
      task: page.task, key: this.#key.decode(key.subarray(0, -timeBytes)), timestampMs: int64.decode(key.subarray(-timeBytes)),
      value: bytes[0] === 0 ? null : page.valueOf(bytes.subarray(1)) as V,
    };
  }
}

/** The store's own time has a key of one byte. */
function isVersion(key: Uint8Array): boolean {
  return key.length >= timeBytes;
}

/** Longer keys that begin with these bytes may lie among the versions. */
function versionsOf(key: Uint8Array): CellRange {
  return {
    from: key, to: Buffer.concat([key, Buffer.alloc(timeBytes, 0xff), Uint8Array.of(0)]), where: (cell) => cell.length === key.length + timeBytes,
  };
}

export interface MemberEntry<V> {
  readonly task: string;
  readonly group: string;
  readonly member: string;
  readonly value: V;
}

/** Committed values by group and member. */
export class CommittedGroups<V> {
  readonly #reader: StoreReader;

  constructor(reader: StoreReader) {
    this.#reader = reader;
  }

  async get(group: string, member: string): Promise<V | undefined> {
    return valueOf(await find(this.#reader, utf8.encode(group), onlyKey(utf8.encode(`${groupPrefix(group)}${member}`)))) as V | undefined;
  }

  /** Members by the bytes of their cells' keys: groups by the length of their names first. Of one group only when it is named. */
  range(options: PageOptions & { readonly group?: string } = {}): Promise<StatePage<MemberEntry<V>>> {
    const prefix = options.group === undefined ? undefined : utf8.encode(groupPrefix(options.group));
    // No byte of UTF-8 is 255.
    const range = prefix === undefined ? {} : { from: prefix, to: Buffer.concat([prefix, Uint8Array.of(0xff)]) };
    return statePage(this.#reader, range, options, ({ key, value }, page) => ({
      task: page.task, ...groupAndMember(utf8.decode(key)), value: page.valueOf(value as Uint8Array) as V,
    }));
  }
}

function groupPrefix(group: string): string {
  return `${group.length}:${group}/`;
}

function groupAndMember(key: string): { readonly group: string; readonly member: string } {
  const colon = key.indexOf(':');
  const end = colon + 1 + Number(key.slice(0, colon));
  if (colon < 1 || key[end] !== '/') throw refused('a key of a grouped store is malformed', 'length:group/member', key);
  return { group: key.slice(colon + 1, end), member: key.slice(end + 1) };
}
