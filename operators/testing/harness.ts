import { Subject } from 'rxjs';
import type { LocalStore, StoreDefinition } from '../../state/local-store.ts';
import type { Cell } from '../../state/state-store.ts';
import type { Operator, RecordOrigin, Schedule, StepContext, StreamRecord, StreamTime } from '../operator.ts';
import { recordSubscriber } from '../record-step.ts';

export interface Failure {
  readonly error: unknown;
  readonly record: StreamRecord<unknown, unknown>;
  /** Set for a record that the step had kept before. */
  readonly kept?: true;
}

/** Committed cells as a durable store keeps them: by store and key bytes. */
class CommittedCells {
  readonly #cells = new Map<string, Cell>();

  apply(cells: readonly Cell[]): void {
    const seen = new Set<string>();
    for (const cell of cells) {
      const id = `${cell.store}/${Buffer.from(cell.key).toString('hex')}`;
      if (seen.has(id)) throw new Error(`two cells for one key in one commit: ${id}`);
      seen.add(id);
      if (cell.value === null) this.#cells.delete(id);
      else this.#cells.set(id, { store: cell.store, key: Uint8Array.from(cell.key), value: Uint8Array.from(cell.value) });
    }
  }

  /** In key order, as every durable store gives them. */
  inOrder(): readonly Cell[] {
    return [...this.#cells.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, cell]) => cell);
  }
}

/** The stores of one task: made from definitions, committed into cells, and made again from these. */
export class TaskStores {
  readonly #committed = new CommittedCells();
  #stores = new Map<string, LocalStore>();
  readonly #definitions = new Map<string, StoreDefinition>();

  get<S extends LocalStore>(definition: StoreDefinition<S>): S {
    let store = this.#stores.get(definition.name);
    if (store === undefined) {
      store = definition.create();
      this.#definitions.set(definition.name, definition);
      this.#stores.set(definition.name, store);
    }
    return store as S;
  }

  /** What a commit would carry; forgets that these were changes. */
  takeChanges(): readonly Cell[] {
    const cells: Cell[] = [];
    for (const store of this.#stores.values()) store.takeChanges(cells);
    return cells;
  }

  commit(): readonly Cell[] {
    const cells = this.takeChanges();
    this.#committed.apply(cells);
    return cells;
  }

  /** Forgets what is in memory: the stores are new, and empty until `restore`. */
  forget(): void {
    this.#stores = new Map([...this.#definitions].map(([name, definition]) => [name, definition.create()]));
  }

  /** Loads what was committed. */
  restore(): void {
    for (const cell of this.#committed.inOrder()) this.#stores.get(cell.store)?.restore(cell.key, cell.value as Uint8Array);
    for (const store of this.#stores.values()) store.restored();
  }
}

class PlainStreamTime implements StreamTime {
  ms = -1;
  advance(timestampMs: number): void {
    if (timestampMs > this.ms) this.ms = timestampMs;
  }
}

/**
 * Runs one operator without a topology: records in, outputs by port out ('' is the main one), and restarts from committed
 * cells in the middle.
 *
 * @example
 * const running = new OperatorHarness(mapValues((value: number) => value + 1));
 * running.push({ key: 'a', value: 1, timestampMs: 0 });
 * running.take(); // [{ key: 'a', value: 2, timestampMs: 0 }]
 */
export class OperatorHarness<KI, VI, KO, VO> {
  readonly stores: TaskStores;
  readonly failures: Failure[] = [];
  readonly dropped: Record<string, number> = {};
  readonly origin: RecordOrigin = { topic: 'in', partition: 0, offset: 0, timestampMs: 0 };
  readonly #operator: Operator<KI, VI, KO, VO>;
  readonly #forward: ((port: string, record: StreamRecord<unknown, unknown>) => void) | undefined;
  #streamTime = new PlainStreamTime();
  readonly #outputs = new Map<string, StreamRecord<unknown, unknown>[]>();
  #source = new Subject<StreamRecord<KI, VI>>();
  #input = 0;
  #schedules: { readonly schedule: Schedule; readonly run: (timeMs: number) => void }[] = [];
  #idle: ((timeMs: number) => void)[] = [];
  #commits: (() => void)[] = [];

  /** `forward` replaces the collecting of outputs, to put one harness behind another; share `stores` where steps share tables. */
  constructor(
    operator: Operator<KI, VI, KO, VO>,
    stores: TaskStores = new TaskStores(),
    forward?: (port: string, record: StreamRecord<unknown, unknown>) => void,
  ) {
    this.#operator = operator;
    this.stores = stores;
    this.#forward = forward;
    this.#build();
  }

  push(...records: readonly StreamRecord<KI, VI>[]): void {
    this.#input = 0;
    for (const record of records) this.#source.next(record);
  }

  /** Pushes records by one of the operator's inputs: 0, or more for one that takes other streams, too. */
  pushInto(input: number, ...records: readonly StreamRecord<KI, VI>[]): void {
    this.#input = input;
    for (const record of records) this.#source.next(record);
  }

  /** Runs the step's stream-time or wall-clock punctuators, as a task does when they are due. */
  punctuate(type: Schedule['type'], timeMs: number): void {
    for (const { schedule, run } of this.#schedules) if (schedule.type === type) run(timeMs);
  }

  /** Tells the step that its sources have been idle. */
  idle(timeMs: number): void {
    for (const run of this.#idle) run(timeMs);
  }

  /** What has come out of a port since the last call. */
  take(port?: ''): StreamRecord<KO, VO>[];
  take(port: string): StreamRecord<unknown, unknown>[];
  take(port = ''): StreamRecord<unknown, unknown>[] {
    const taken = this.#outputs.get(port) ?? [];
    this.#outputs.delete(port);
    return taken;
  }

  /**
   * Commits, forgets all memory, and goes on from what was committed. The step is built before its stores and its stream time
   * are restored, as the task does: one that reads them while it is built finds nothing.
   */
  restart(): void {
    for (const run of this.#commits) run();
    this.stores.commit();
    const streamTimeMs = this.#streamTime.ms;
    this.stores.forget();
    this.#streamTime = new PlainStreamTime();
    this.#source = new Subject();
    this.#build();
    this.stores.restore();
    this.#streamTime.ms = streamTimeMs;
  }

  #build(): void {
    const output = (port: string) => (record: StreamRecord<unknown, unknown>): void => this.#collect(port, record);
    const inputOf = (): number => this.#input;
    this.#schedules = [];
    this.#idle = [];
    this.#commits = [];
    const context: StepContext = {
      step: this.#operator.name ?? this.#operator.kind,
      subTopology: 'test',
      partition: 0,
      streamTime: this.#streamTime,
      origin: this.origin,
      get input() {
        return inputOf();
      },
      schedule: (schedule, run) => void this.#schedules.push({ schedule, run }),
      onIdle: (run) => void this.#idle.push(run),
      onCommit: (run) => void this.#commits.push(run),
      store: (definition) => this.stores.get(definition),
      output,
      dropped: (reason) => {
        this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
      },
      failed: (error, record, kept) => {
        this.failures.push(kept === undefined ? { error, record } : { error, record, kept: true });
      },
    };
    for (const definition of this.#operator.stores) this.stores.get(definition);
    this.#source.pipe(this.#operator.build(context)).subscribe(recordSubscriber(output('')));
  }

  #collect(port: string, record: StreamRecord<unknown, unknown>): void {
    if (this.#forward !== undefined) {
      this.#forward(port, record);
      return;
    }
    const collected = this.#outputs.get(port);
    if (collected === undefined) this.#outputs.set(port, [record]);
    else collected.push(record);
  }
}
