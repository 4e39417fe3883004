import { VoltstreamError, assertInvariant } from '../../errors.ts';
import type { StoreDefinition } from '../../state/local-store.ts';
import type { Cell, CellPage, CellRange, StateStore } from '../../state/state-store.ts';
import type { SubTopology } from '../../topology/graph.ts';
import { partitionOf } from '../log/partitioner.ts';
import { groupOf } from '../stored-tasks.ts';
import { bytesText } from '../task/cell-bytes.ts';
import { importStore, refuseHalfImport } from '../task/restore-checks.ts';
import { readerOf } from '../task/state-evolution.ts';
import { factsStore } from '../task/task-facts.ts';

/** A store of the topology, and where it lives. */
export interface StorePlace {
  readonly definition: StoreDefinition;
  readonly step: string;
  readonly part: SubTopology;
}

/** Committed cells of one task, and how to read their values. */
export interface ReadPage extends CellPage {
  readonly task: string;
  readonly valueOf: (bytes: Uint8Array) => unknown;
}

/** What a task says of the form of its cells, and at which commit it was seen to say so. */
interface SeenFacts {
  readonly epoch: number;
  readonly sequence: number;
  readonly written: ReadonlyMap<string, string>;
  readonly valueOf: (bytes: Uint8Array) => unknown;
}

/** Each miss means that a task was brought to another form in between: a deployment, which happens once. */
const ATTEMPTS_MAX = 10;

/**
 * Reads one store of all tasks of its sub-topology, from a durable store that others write. Values are read in the form that the
 * task says they are in, which may be that of another version of the topology.
 */
export class StoreReader {
  readonly place: StorePlace;
  readonly #store: StateStore;
  readonly #factNames: readonly string[];
  readonly #facts = new Map<string, SeenFacts>();
  #partitions: number | undefined;

  constructor(place: StorePlace, store: StateStore) {
    this.place = place;
    this.#store = store;
    this.#factNames = [`schema/${place.definition.name}`, `codec/${place.definition.name}`, 'partitions'];
  }

  /** The tasks that hold the store, by partition; none while nothing was committed. */
  async tasks(): Promise<readonly string[]> {
    const { name } = this.place.part;
    this.#partitions ??= await this.#findPartitions();
    return Array.from({ length: this.#partitions ?? 0 }, (_unused, partition) => `${name}_${partition}`);
  }

  /** The tasks, that of the key's own partition (as Kafka's default partitioner chooses it) first. */
  async tasksFrom(key: Uint8Array): Promise<readonly string[]> {
    const tasks = await this.tasks();
    if (tasks.length < 2) return tasks;
    const own = tasks[partitionOf(key, tasks.length)];
    assertInvariant(own !== undefined, 'a key belongs to a partition');
    return [own, ...tasks.filter((task) => task !== own)];
  }

  /** Cells of one task at one commit. Throws STATE_INCOMPATIBLE, STATE_INCOMPLETE. */
  async page(task: string, range: CellRange): Promise<ReadPage> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const before = this.#facts.get(task) ?? await this.#readFacts(task);
      const page = await this.#store.readPage(task, this.place.definition.name, range);
      const seen = isSameCommit(before, page) ? before : await this.#readFacts(task);
      if (this.#factNames.some((name) => seen.written.get(name) !== before.written.get(name))) continue;
      // A task without facts has never committed, or is half a savepoint.
      if (seen.written.size === 0) await this.#refuseHalfImport(task);
      return { ...page, task, valueOf: seen.valueOf };
    }
    throw new VoltstreamError('STORE_UNAVAILABLE', 'the form of a store kept changing while it was read', { where: `task ${task}, store ${this.place.definition.name}` });
  }

  async #readFacts(task: string): Promise<SeenFacts> {
    const page = await this.#store.readPage(task, factsStore, { where: (key) => this.#factNames.includes(bytesText(key)) });
    const written = new Map(page.cells.map(({ key, value }: Cell) => [bytesText(key), bytesText(value as Uint8Array)]));
    const known = this.#facts.get(task);
    const unchanged = known !== undefined && this.#factNames.every((name) => written.get(name) === known.written.get(name));
    const facts: SeenFacts = {
      epoch: page.epoch, sequence: page.sequence, written,
      valueOf: unchanged ? known.valueOf : this.#valueReader(task, written),
    };
    this.#facts.set(task, facts);
    return facts;
  }

  async #refuseHalfImport(task: string): Promise<void> {
    refuseHalfImport(task, [await this.#store.read(task, importStore, { limit: 1 })]);
  }

  #valueReader(task: string, written: ReadonlyMap<string, string>): (bytes: Uint8Array) => unknown {
    const { definition, step } = this.place;
    const read = readerOf(task, step, definition, written);
    if (read !== null) return read;
    const { value } = definition;
    return value === undefined ? (bytes) => bytes : (bytes) => value.decode(bytes);
  }

  async #findPartitions(): Promise<number | undefined> {
    for (const { task } of await this.#store.tasks()) {
      if (groupOf(task) !== this.place.part.name) continue;
      const { written } = await this.#readFacts(task);
      const partitions = written.get('partitions');
      if (partitions !== undefined) return Number(partitions);
      await this.#refuseHalfImport(task);
    }
    return undefined;
  }
}

function isSameCommit(left: Pick<CellPage, 'epoch' | 'sequence'>, right: Pick<CellPage, 'epoch' | 'sequence'>): boolean {
  return left.epoch === right.epoch && left.sequence === right.sequence;
}
