import { VoltstreamError, assertInvariant } from '../../errors.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { BuiltTopology } from '../../topology/graph.ts';
import type { Topology } from '../../topology/topology.ts';
import { groupOf } from '../stored-tasks.ts';
import { CommittedGroups, CommittedKeyValues, CommittedVersions, CommittedWindows } from './committed-stores.ts';
import { StoreReader, type StorePlace } from './store-reader.ts';

/** A store of the topology, and what the tasks that keep it hold. */
export interface StoreSummary {
  readonly store: string;
  /** `key-value`, `time-key`, `versioned`, `grouped`, `key-timers` or `seen`. */
  readonly kind: string;
  readonly step: string;
  readonly subTopology: string;
  readonly cells: number;
  /** About what the state store needs for it. */
  readonly bytes: number;
  readonly tasks: readonly { readonly task: string; readonly cells: number; readonly bytes: number }[];
}

/**
 * Committed state of a topology, for any process that can reach the state store: no owner is asked, and none is disturbed. What a
 * page shows of a task is what one commit left. State that another version of the topology wrote is read in its form, or refused
 * (STATE_INCOMPATIBLE). `state` is open already. Tables that every process holds whole (global tables) are not in it.
 *
 * @example The newest value of a table's key
 * const state = committedState(topology, ports.store);
 * const harbour = await state.keyValue<string, Timestamped<Site>>('sites-table').get('harbour');
 */
export function committedState(topology: Topology, state: StateStore): CommittedState {
  return new CommittedState(topology.build(), state);
}

export class CommittedState {
  readonly #topology: BuiltTopology;
  readonly #state: StateStore;
  readonly #readers = new Map<string, StoreReader>();

  constructor(topology: BuiltTopology, state: StateStore) {
    this.#topology = topology;
    this.#state = state;
  }

  /** A store of values by key. The value of a table or aggregate comes with its timestamp: `Timestamped<V>`. Throws STORE_UNKNOWN. */
  keyValue<K = unknown, V = unknown>(store: string): CommittedKeyValues<K, V> {
    const reader = this.#reader(store, ['key-value', 'key-timers']);
    return new CommittedKeyValues<K, V>(reader, keyCodecOf<K>(reader));
  }

  /** A store of values by time and key: windows by start, sessions by end. Throws STORE_UNKNOWN. */
  windows<K = unknown, V = unknown>(store: string): CommittedWindows<K, V> {
    const reader = this.#reader(store, ['time-key']);
    return new CommittedWindows<K, V>(reader, keyCodecOf<K>(reader));
  }

  /** A table with a history. Throws STORE_UNKNOWN. */
  versioned<K = unknown, V = unknown>(store: string): CommittedVersions<K, V> {
    const reader = this.#reader(store, ['versioned']);
    return new CommittedVersions<K, V>(reader, keyCodecOf<K>(reader));
  }

  /** A store of values by group and member. Throws STORE_UNKNOWN. */
  grouped<V = unknown>(store: string): CommittedGroups<V> {
    return new CommittedGroups<V>(this.#reader(store, ['grouped']));
  }

  /** Where a store lives. Throws STORE_UNKNOWN. */
  placeOf(store: string): StorePlace {
    const places = this.#places();
    const found = places.find((place) => place.definition.name === store);
    if (found !== undefined) return found;
    const global = this.#topology.globalTables.find((table) => table.store.name === store || table.name === store);
    throw new VoltstreamError('STORE_UNKNOWN', global === undefined ? 'there is no such store' : 'a global table is held by each process, not in the state store', {
      wanted: places.map((place) => place.definition.name).join(', ') || 'a topology with stores', got: store,
    });
  }

  /** All stores of the topology, and how much each task holds of them. */
  async stores(): Promise<readonly StoreSummary[]> {
    const parts = new Set(this.#topology.subTopologies.map((part) => part.name));
    const tasks = (await this.#state.tasks()).map(({ task }) => task).filter((task) => parts.has(groupOf(task)));
    const sizes = await Promise.all(tasks.map(async (task) => ({ task, sizes: await this.#state.sizes(task) })));
    return this.#places().map(({ definition, step, part }) => {
      const held = sizes.filter(({ task }) => groupOf(task) === part.name).flatMap(({ task, sizes: all }) => {
        const size = all.find((each) => each.store === definition.name);
        return size === undefined ? [] : [{ task, cells: size.cells, bytes: size.bytes }];
      });
      return {
        store: definition.name, kind: definition.kind, step, subTopology: part.name,
        cells: held.reduce((sum, { cells }) => sum + cells, 0), bytes: held.reduce((sum, { bytes }) => sum + bytes, 0), tasks: held,
      };
    });
  }

  #places(): readonly StorePlace[] {
    return this.#topology.subTopologies.flatMap((part) =>
      part.steps.flatMap((step) => step.operator.stores.map((definition) => ({ definition, step: step.name, part }))));
  }

  #reader(store: string, kinds: readonly string[]): StoreReader {
    const place = this.placeOf(store);
    if (!kinds.includes(place.definition.kind)) {
      throw new VoltstreamError('STORE_UNKNOWN', 'the store is of another kind', { where: `store ${store}`, wanted: kinds.join(' or '), got: place.definition.kind });
    }
    const reader = this.#readers.get(store) ?? new StoreReader(place, this.#state);
    this.#readers.set(store, reader);
    return reader;
  }
}

function keyCodecOf<K>(reader: StoreReader): Codec<K> {
  const { key } = reader.place.definition;
  assertInvariant(key !== undefined, `store ${reader.place.definition.name} names the codec of its keys`);
  return key as Codec<K>;
}
