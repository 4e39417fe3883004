import { VoltstreamError } from '../../errors.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { KeyProgress, KeyTimerStore, StoreDefinition } from '../local-store.ts';
import type { Cell } from '../state-store.ts';
import { encodeValue } from './cell-value.ts';
import { cellKey } from './cell-writer.ts';
import { checkWellFormed, compareUtf8 } from './key-identity.ts';

const progressCodec = json<KeyProgress>('key-progress.v1');

/**
 * Defines a store of how far each key (a text) has come in its own time, with what is due for it when. Advancing a key costs one
 * look-up and no allocation; the key's cell is written once a commit.
 *
 * @example What is due at each station
 * const timers = keyTimerStore({ name: 'sessions.stations' });
 */
export function keyTimerStore(options: { readonly name: string }): StoreDefinition<KeyTimerStore> {
  return {
    name: options.name,
    kind: 'key-timers',
    schemaId: `utf8/${progressCodec.schemaId}`,
    key: utf8,
    value: progressCodec,
    create: () => new MapKeyTimerStore(options.name),
  };
}

/** One key's time and timers; changed in place, copied when a commit takes it. */
interface Owner {
  readonly key: string;
  timeMs: number;
  /** Due times ascending, and beside each the id it belongs to. */
  readonly dueMs: number[];
  readonly ids: string[];
  readonly dueOf: Map<string, number>;
  changed: boolean;
}

const none: readonly string[] = [];

class MapKeyTimerStore implements KeyTimerStore {
  readonly name: string;
  readonly #owners = new Map<string, Owner>();
  #changed: Owner[] = [];
  #recent: Owner | undefined = undefined;
  /** The very text that it was looked up with: the same one again needs no comparison. */
  #recentKey = '';

  constructor(name: string) {
    this.name = name;
  }

  get entries(): number {
    return this.#owners.size;
  }

  get changes(): number {
    return this.#changed.length;
  }

  get(key: string): KeyProgress | undefined {
    const owner = this.#find(key);
    return owner === undefined ? undefined : { timeMs: owner.timeMs, timers: timersOf(owner) };
  }

  timeOf(key: string): number {
    return this.#find(key)?.timeMs ?? -1;
  }

  advance(key: string, timestampMs: number): boolean {
    const owner = this.#find(key) ?? this.#own(key);
    if (timestampMs <= owner.timeMs) return false;
    owner.timeMs = timestampMs;
    this.#markChanged(owner);
    return true;
  }

  nextDueMs(key: string): number | undefined {
    return this.#find(key)?.dueMs[0];
  }

  dueOf(key: string, id: string): number | undefined {
    return this.#find(key)?.dueOf.get(id);
  }

  keysDue(untilMs: number): readonly string[] {
    const keys: string[] = [];
    for (const { key, dueMs } of this.#owners.values()) if ((dueMs[0] ?? Infinity) <= untilMs) keys.push(key);
    return keys.sort(compareUtf8);
  }

  drain(key: string, untilMs: number): readonly string[] {
    const owner = this.#find(key);
    if (owner === undefined || owner.dueMs.length === 0 || (owner.dueMs[0] as number) > untilMs) return none;
    const drained: string[] = [];
    // One by one, since it mostly is one: `shift` moves nothing of a long list, `splice` all of it.
    while (owner.dueMs.length > 0 && (owner.dueMs[0] as number) <= untilMs) {
      owner.dueMs.shift();
      const id = owner.ids.shift() as string;
      owner.dueOf.delete(id);
      drained.push(id);
    }
    this.#markChanged(owner);
    return drained;
  }

  schedule(key: string, dueMs: number, id: string): void {
    const owner = this.#find(key) ?? this.#own(key);
    const before = owner.dueOf.get(id);
    if (before === undefined) checkWellFormed(id, this.name);
    else removeTimer(owner, before, id);
    insertTimer(owner, dueMs, id);
    owner.dueOf.set(id, dueMs);
    this.#markChanged(owner);
  }

  takeChanges(into: Cell[]): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const owner of changed) {
      owner.changed = false;
      into.push({ store: this.name, key: cellKey(utf8, owner.key), value: encodeValue(progressCodec, { timeMs: owner.timeMs, timers: timersOf(owner) }, owner.key) });
    }
  }

  restore(key: Uint8Array, value: Uint8Array): void {
    const { timeMs, timers } = progressCodec.decode(value);
    const owner = newOwner(utf8.decode(key), timeMs);
    for (const [dueMs, id] of timers) {
      if (dueMs < (owner.dueMs.at(-1) ?? dueMs)) {
        throw new VoltstreamError('DESERIALISATION_FAILED', 'timers are not in order', { where: `store ${this.name}, key ${owner.key}` });
      }
      owner.dueMs.push(dueMs);
      owner.ids.push(id);
      owner.dueOf.set(id, dueMs);
    }
    this.#owners.set(owner.key, owner);
  }

  restored(): void {}

  #find(key: string): Owner | undefined {
    const recent = this.#recent;
    if (recent !== undefined && this.#recentKey === key) return recent;
    this.#recentKey = key;
    return (this.#recent = this.#owners.get(key));
  }

  #own(key: string): Owner {
    checkWellFormed(key, this.name);
    const owner = newOwner(key, -1);
    this.#owners.set(key, owner);
    this.#recent = owner;
    this.#recentKey = key;
    return owner;
  }

  #markChanged(owner: Owner): void {
    if (owner.changed) return;
    owner.changed = true;
    this.#changed.push(owner);
  }
}

function newOwner(key: string, timeMs: number): Owner {
  return { key, timeMs, dueMs: [], ids: [], dueOf: new Map(), changed: false };
}

function timersOf(owner: Owner): KeyProgress['timers'] {
  return owner.dueMs.map((dueMs, at) => [dueMs, owner.ids[at] as string]);
}

/** So few timers behind a place are moved by hand: faster than `splice`, which makes a list of what it takes out. */
const movedByHandMax = 64;

function insertTimer({ dueMs: times, ids }: Owner, dueMs: number, id: string): void {
  const at = firstBehind(times, dueMs);
  if (times.length - at > movedByHandMax) {
    times.splice(at, 0, dueMs);
    ids.splice(at, 0, id);
    return;
  }
  times.push(dueMs);
  ids.push(id);
  for (let place = times.length - 1; place > at; place -= 1) {
    times[place] = times[place - 1] as number;
    ids[place] = ids[place - 1] as string;
  }
  times[at] = dueMs;
  ids[at] = id;
}

function removeTimer({ dueMs: times, ids }: Owner, dueMs: number, id: string): void {
  let at = firstBehind(times, dueMs) - 1;
  while (ids[at] !== id) at -= 1;
  if (times.length - at > movedByHandMax) {
    times.splice(at, 1);
    ids.splice(at, 1);
    return;
  }
  for (const last = times.length - 1; at < last; at += 1) {
    times[at] = times[at + 1] as number;
    ids[at] = ids[at + 1] as string;
  }
  times.pop();
  ids.pop();
}

/** Position of the first time behind `timeMs`; the latest are looked at first, since most timers are set at the end. */
function firstBehind(times: readonly number[], timeMs: number): number {
  let high = times.length;
  if (high === 0 || (times[high - 1] as number) <= timeMs) return high;
  let low = 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
