import type { Operator, StreamRecord, Windowed } from '../operators/operator.ts';
import { recordStep, stateless } from '../operators/record-step.ts';
import { windowInOrder } from '../operators/suppress/buffered.ts';
import { suppressChanges } from '../operators/suppress/change-suppression.ts';
import { suppressWindows } from '../operators/suppress/window-suppression.ts';
import type { UntilTimeLimit, UntilWindowCloses } from '../operators/suppress.ts';
import type { Change } from '../operators/table-source.ts';
import { tableToStream } from '../operators/table-views.ts';
import type { Codec } from '../schemas/codec.ts';
import { MAIN_PORT } from './graph.ts';
import { invalid } from './invalid.ts';
import type { GraphBuilder, Stream } from './stream.ts';

/** Where the parts of a windowed aggregate are. */
export interface WindowedNodes {
  /** The step whose main output are the results. */
  readonly results: string;
  /** The step that aggregates, with the output `late`. */
  readonly aggregate: string;
}

/**
 * Results of windows that may not be held back (any more): final ones, or suppressed ones. As a table, to be joined:
 * `.toStream().toTable(name, { key: windowedKey(...), value })`.
 */
export class WindowedResults<K, R, V> {
  readonly #builder: GraphBuilder;
  readonly #nodes: WindowedNodes;

  constructor(builder: GraphBuilder, nodes: WindowedNodes) {
    this.#builder = builder;
    this.#nodes = nodes;
  }

  /** Each result as a record; null where a session was absorbed by another. */
  toStream(): Stream<Windowed<K>, R> {
    return this.#builder.streamOf(this.#nodes.results, MAIN_PORT);
  }

  /** The records that came when all of their windows had closed. */
  late(): Stream<K, V> {
    return this.#builder.streamOf(this.#nodes.aggregate, 'late');
  }
}

/** What a suppression has to know of the windows before it. */
export interface WindowedFacts<K, A> {
  readonly name: string;
  readonly key: Codec<K>;
  readonly aggregate: Codec<A>;
  /** From a window's end to its close: the grace, for sessions with the gap. */
  readonly closesAfterMs: number;
  readonly timeScope: 'task' | 'key';
}

/** The results of an aggregate over windows, each change at once. `R` is what comes: `A`, or `A | null` for sessions. */
export class WindowedTable<K, A, V, R extends A | null = A | null> extends WindowedResults<K, R, V> {
  readonly #builder: GraphBuilder;
  readonly #nodes: WindowedNodes;
  readonly #facts: WindowedFacts<K, A>;

  constructor(builder: GraphBuilder, nodes: WindowedNodes, facts: WindowedFacts<K, A>) {
    super(builder, nodes);
    this.#builder = builder;
    this.#nodes = nodes;
    this.#facts = facts;
  }

  /**
   * Holds results back: until their window closes, then each is sent once; or for a time, then the last one is sent. The step is
   * called `<name of the aggregate>-suppress` when it is given no name. Windows that close by the time of their key cannot be held
   * back by the time of all: TOPOLOGY_INVALID; they have `emit: 'final'`.
   */
  suppress(until: UntilWindowCloses, name?: string): WindowedResults<K, A, V>;
  suppress(until: UntilTimeLimit, name?: string): WindowedResults<K, R, V>;
  suppress(until: UntilWindowCloses | UntilTimeLimit, name = `${this.#facts.name}-suppress`): WindowedResults<K, A, V> | WindowedResults<K, R, V> {
    const { key, aggregate, closesAfterMs, timeScope } = this.#facts;
    if (until.kind === 'time-limit') {
      const changes = this.#step(this.#nodes.results, resultsAsChanges<K, A>());
      const held = this.#step(changes, suppressChanges(name, until, { key: windowInOrder(key), value: aggregate }));
      return this.#resultsOf<R>(this.#step(held, tableToStream<Windowed<K>, A>()));
    }
    if (timeScope === 'key') {
      throw invalid(name, 'windows that close by the time of their key are held back by the time of all', "emit: 'final' of the aggregate", 'suppress');
    }
    return this.#resultsOf<A>(this.#step(this.#nodes.results, suppressWindows(name, until, { key, aggregate, closesAfterMs })));
  }

  #step<V1, K2, V2>(from: string, operator: Operator<Windowed<K>, V1, K2, V2>): string {
    return this.#builder.addStep(from, MAIN_PORT, operator as Operator<never, never, unknown, unknown>);
  }

  #resultsOf<T>(results: string): WindowedResults<K, T, V> {
    return new WindowedResults(this.#builder, { ...this.#nodes, results });
  }
}

/** Results as changes whose old value nobody asks for. */
function resultsAsChanges<K, A>(): Operator<Windowed<K>, A | null, Windowed<K>, Change<A>> {
  return {
    ...stateless,
    kind: 'resultsAsChanges',
    build: () => recordStep<StreamRecord<Windowed<K>, A | null>, StreamRecord<Windowed<K>, Change<A>>>((down) => ({ key, value, timestampMs }) =>
      down.next({ key, value: { newValue: value, oldValue: null, isLatest: true }, timestampMs })),
  };
}
