import type { OperatorFunction } from 'rxjs';
import type { TableStore } from '../operators/joins/table-lookup.ts';
import type { StreamRecord } from '../operators/operator.ts';
import { mergeStep } from '../operators/merge.ts';
import { rxjsStep } from '../operators/rxjs-step.ts';
import type { Form } from '../schemas/codec.ts';
import { describeText } from './describe.ts';
import { describeMermaid } from './describe-mermaid.ts';
import type {
  AnyOperator, AnySink, ArchiveNode, BuiltTopology, Edge, GlobalTableNode, Node, SinkNode, SourceNode, StreamForm, TopicForm,
} from './graph.ts';
import { MAIN_PORT } from './graph.ts';
import type { ErrorPolicies } from './error-policy.ts';
import { checkErrorPolicies } from './error-policy.ts';
import { checkName, invalid } from './invalid.ts';
import type { SinkDefinition, WarehouseSink } from './sink.ts';
import { refuseDropOfPresent } from './dropped-state.ts';
import type { GraphBuilder, RepartitionOptions, Step } from './stream.ts';
import { Stream } from './stream.ts';
import { splitIntoSubTopologies } from './sub-topologies.ts';
import type { Table, TableOptions } from './table.ts';
import { GlobalTable, keptTable, tableStoreOf } from './table.ts';
import type { DeadLetter } from './dead-letter.ts';

/**
 * A dataflow as a value: sources, steps and sinks, by name. Nothing runs here. `build()` checks the whole and splits it
 * into sub-topologies; a runtime or a test driver takes it from there.
 *
 * Mistakes are told where they are made (a name used twice, a side output that does not exist) or by `build()` (a step that
 * keeps state by key behind one that changes the key), always as TOPOLOGY_INVALID with step, wanted and got.
 *
 * @example
 * const topology = new Topology('words');
 * topology.stream('lines', { key: utf8, value: utf8 })
 *   .pipe(filter((line) => line !== ''))
 *   .to(logTopic('clean-lines', { key: utf8, value: utf8 }));
 * console.log(topology.describe());
 */
export class Topology {
  readonly name: string;
  readonly #nodes = new Map<string, Node>();
  readonly #edges: Edge[] = [];
  readonly #globalTables: GlobalTableNode[] = [];
  readonly #archives: ArchiveNode[] = [];
  readonly #droppedState = new Set<string>();
  readonly #unnamed = new Map<string, number>();
  #deadLetters: SinkNode | null = null;
  #errorPolicies: ErrorPolicies | null = null;
  readonly #builder: GraphBuilder;

  constructor(name: string) {
    checkName('topology', name);
    this.name = name;
    this.#builder = {
      addStep: (from, port, step) => this.#addStep(from, port, step),
      addSink: (from, port, sink) => this.#addSink(from, port, sink),
      addMerge: (inputs) => this.#addMerge(inputs),
      addRepartition: (from, port, name, options, inner) => this.#addRepartition(from, port, name, options, inner),
      requirePort: (node, port) => this.#requirePort(node, port),
      keyChangedBy: (node) => this.#keyChangedBy(node),
      streamOf: (node, port) => new Stream(this.#builder, node, port),
    };
  }

  /** A topic as a stream of records. Each topic is a source once; use the stream as often as needed. */
  stream<K, V>(topic: string, form: StreamForm<K, V>): Stream<K, V> {
    this.#addSource({
      kind: 'source', name: topic, topic, form: form as unknown as TopicForm<unknown, unknown>, role: 'stream', ...idleAfter(topic, form.idleAfterMs),
    });
    return new Stream(this.#builder, topic, MAIN_PORT);
  }

  /**
   * A topic as a table: the newest value of each key, or, with `historyMs`, its versions by time for as-of joins. A null value
   * deletes. Partitioned like the streams that join it.
   */
  table<K, V>(topic: string, form: TopicForm<K, V>, options: TableOptions = {}): Table<K, V> {
    this.#addSource({ kind: 'source', name: topic, topic, form: form as unknown as TopicForm<unknown, unknown>, role: 'table' });
    const step = `${topic}-table`;
    return keptTable(this.#builder, { node: topic, port: MAIN_PORT }, step, tableStoreOf(step, form, options), topic);
  }

  /** A topic as a table that every process holds whole; joined by any key without repartitioning. */
  globalTable<K, V>(topic: string, form: TopicForm<K, V>, options: TableOptions = {}): GlobalTable<K, V> {
    checkName('global table', topic);
    this.#refuseTaken(topic);
    const store = tableStoreOf(`${topic}-table`, form, options);
    this.#globalTables.push({ name: topic, topic, form: form as unknown as TopicForm<unknown, unknown>, store: store as TableStore<unknown, unknown> });
    return new GlobalTable(topic, store);
  }

  /**
   * Rows one to one with the records of a topic, for the table of raw events. The rows never pass through the state store: a
   * batch is committed as a range of offsets before it is inserted, and made again from the log after a crash.
   */
  archive<K, V, Row>(name: string, topic: string, form: TopicForm<K, V>, sink: WarehouseSink<K, V, Row>): void {
    checkName('archive', name);
    this.#refuseTaken(name);
    this.#archives.push({
      name, topic, form: form as unknown as TopicForm<unknown, unknown>, sink: sink as unknown as AnySink,
    });
  }

  /** Where records go that cannot be decoded, processed or encoded, unless `errorPolicy` says otherwise. Without it the first such record stops its task. */
  deadLetters<Row>(sink: SinkDefinition<string, DeadLetter, Row>): void {
    if (this.#deadLetters !== null) throw invalid(sink.name, 'there are two sinks for dead letters', 'one', 'two');
    checkName('sink', sink.name);
    this.#deadLetters = { kind: 'sink', name: sink.name, sink: sink as unknown as AnySink };
  }

  /**
   * What happens to records that fail, by stage, and by name of a source, step, sink or archive. Left out: dead letters where there
   * is a sink for them, else the first such record stops its task. A bug of our own always does.
   *
   * @example
   * topology.errorPolicy({ deserialise: 'dead-letter', process: { attempts: 5, backOffMs: 200, otherwise: 'fail' }, steps: { totals: 'fail' } });
   */
  errorPolicy(policies: ErrorPolicies): void {
    if (this.#errorPolicies !== null) throw invalid(this.name, 'the topology has two error policies', 'one', 'two');
    this.#errorPolicies = policies;
  }

  /**
   * Lets go of state of earlier versions: of steps (or their stores) that are gone, deleted with the next commit of their tasks; and
   * of sources, repartitions and archives that are gone, whose tasks are forgotten at start. Without it a topology that would leave
   * such state behind is refused. May stay in the code: where there is nothing (more), nothing happens.
   */
  dropState(...names: readonly string[]): this {
    for (const name of names) {
      checkName('dropped state', name);
      this.#droppedState.add(name);
    }
    return this;
  }

  /** Checks the whole and splits it into sub-topologies. Throws TOPOLOGY_INVALID. */
  build(): BuiltTopology {
    this.#refuseSharedNames();
    const errorPolicies = this.#errorPolicies ?? {};
    checkErrorPolicies(errorPolicies, new Set([...this.#nodes.keys(), ...this.#archives.map((archive) => archive.name)]), this.#deadLetters !== null);
    const subTopologies = splitIntoSubTopologies(this.#nodes, this.#edges, this.#globalTables);
    refuseDropOfPresent(this.#droppedState, subTopologies, this.#archives);
    const repartitionTopics = [...this.#nodes.values()]
      .filter((node): node is SourceNode => node.kind === 'source' && node.role === 'repartition')
      .map((node) => node.topic);
    return Object.freeze({
      name: this.name,
      subTopologies,
      globalTables: [...this.#globalTables],
      archives: [...this.#archives],
      repartitionTopics,
      deadLetters: this.#deadLetters,
      droppedState: [...this.#droppedState],
      errorPolicies,
    });
  }

  /** The topology as text, or as a Mermaid flowchart. */
  describe(format: 'text' | 'mermaid' = 'text'): string {
    const built = this.build();
    return format === 'text' ? describeText(built) : describeMermaid(built);
  }

  /** Outboxes and stores of a task are found by name alone. */
  #refuseSharedNames(): void {
    const dead = this.#deadLetters;
    if (dead !== null && this.#nodes.has(dead.name)) {
      throw invalid(dead.name, 'the sink for dead letters has a name that is used twice', 'a name of its own', `a second "${dead.name}"`);
    }
    const stores = new Map([...this.#nodes.values()]
      .flatMap((node) => node.kind === 'step' ? node.operator.stores.map((store) => [store.name, node.name] as const) : []));
    for (const { name, store } of this.#globalTables) {
      const step = stores.get(store.name);
      if (step !== undefined) throw invalid(step, `it has a store of the same name as the global table "${name}"`, 'another name', store.name);
    }
  }

  #addSource(node: SourceNode): void {
    checkName('source', node.name);
    this.#add(node);
  }

  #add(node: Node): string {
    this.#refuseTaken(node.name);
    this.#nodes.set(node.name, node);
    return node.name;
  }

  #refuseTaken(name: string): void {
    const taken = this.#nodes.has(name) || this.#globalTables.some((table) => table.name === name) ||
      this.#archives.some((archive) => archive.name === name);
    if (taken) throw invalid(name, 'a name is used twice', 'names that are unique in the topology', `a second "${name}"`);
  }

  #addStep(from: string, port: string, step: Step<never, never, unknown, unknown>): string {
    const operator: AnyOperator = typeof step === 'function'
      ? rxjsStep(step as OperatorFunction<StreamRecord<never, never>, StreamRecord<unknown, unknown>>) as AnyOperator
      : step;
    const name = operator.name ?? this.#number(operator.kind);
    checkName('step', name);
    this.#add({ kind: 'step', name, operator });
    this.#edges.push({ from, port, to: name, input: 0 });
    for (const [index, other] of (operator.others ?? []).entries()) {
      if (!this.#nodes.has(other.node)) throw invalid(name, 'it takes records from a stream of another topology', 'a stream of this topology', `"${other.node}"`);
      this.#edges.push({ from: other.node, port: other.port, to: name, input: index + 1 });
    }
    return name;
  }

  #number(kind: string): string {
    const next = (this.#unnamed.get(kind) ?? 0) + 1;
    this.#unnamed.set(kind, next);
    return `${kind}-${next}`;
  }

  #addMerge(inputs: readonly (readonly [string, string])[]): string {
    const name = this.#number('merge');
    this.#add({ kind: 'step', name, operator: mergeStep() as AnyOperator });
    for (const [from, port] of inputs) this.#edges.push({ from, port, to: name, input: 0 });
    return name;
  }

  #addSink(from: string, port: string, sink: SinkDefinition<never, never>): void {
    checkName('sink', sink.name);
    const node = this.#nodes.get(sink.name);
    // A stream may end in a sink that a sister stream already ends in, when it is the very same value.
    if (node === undefined) this.#nodes.set(sink.name, { kind: 'sink', name: sink.name, sink });
    else if (node.kind !== 'sink' || node.sink !== sink) {
      throw invalid(sink.name, 'a name is used twice', 'names that are unique in the topology', `a second "${sink.name}"`);
    }
    this.#edges.push({ from, port, to: sink.name, input: 0 });
  }

  #addRepartition(from: string, port: string, name: string, options: RepartitionOptions<never, never>, inner = false): string {
    checkName('repartition', name);
    const topic = `${name}-repartition`;
    const form = options as { readonly key: Form<never>; readonly value: Form<never> };
    const idle = idleAfter(name, options.idleAfterMs ?? this.#idleAfterInFrontOf(from));
    this.#addSink(from, port, { kind: 'repartition', name: `${name}-sink`, topic, key: form.key, value: form.value });
    this.#add({ kind: 'source', name, topic, form: options as unknown as TopicForm<unknown, unknown>, role: 'repartition', inner, ...idle });
    return name;
  }

  /** The longest `idleAfterMs` of the streams from which records reach a node; undefined when one of them has none. */
  #idleAfterInFrontOf(from: string): number | undefined {
    const reached = new Set([from]);
    // Sets give what is added while they are iterated, too.
    for (const name of reached) for (const edge of this.#edges) if (edge.to === name) reached.add(edge.from);
    const streams = [...reached].map((name) => this.#nodes.get(name)).filter((node) => node?.kind === 'source' && node.role !== 'table');
    const times = streams.map((node) => (node as SourceNode).idleAfterMs);
    return times.reduce((longest, one) => (one === undefined || longest === undefined ? undefined : Math.max(longest, one)), times[0]);
  }

  /** The last step in front of (or at) a node that may have changed the key since the last source or repartition. */
  #keyChangedBy(name: string): string | null {
    const node = this.#nodes.get(name);
    if (node === undefined || node.kind === 'source') return null;
    if (node.kind === 'step' && node.operator.changesKey) return name;
    for (const edge of this.#edges) {
      const changer = edge.to === name ? this.#keyChangedBy(edge.from) : null;
      if (changer !== null) return changer;
    }
    return null;
  }

  #requirePort(name: string, port: string): void {
    const node = this.#nodes.get(name);
    const ports = node?.kind === 'step' ? node.operator.ports : [];
    if (!ports.includes(port)) {
      throw invalid(name, `it has no side output "${port}"`, ports.length === 0 ? 'a step with side outputs' : `one of ${ports.join(', ')}`, port);
    }
  }
}

function idleAfter(source: string, idleAfterMs: number | undefined): { readonly idleAfterMs?: number } {
  if (idleAfterMs === undefined) return {};
  if (Number.isSafeInteger(idleAfterMs) && idleAfterMs > 0) return { idleAfterMs };
  throw invalid(source, 'idleAfterMs is not a length of time', 'whole milliseconds, 1 or more', String(idleAfterMs));
}
