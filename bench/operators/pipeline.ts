import type { StepContext, StreamRecord, StreamTime } from '../../operators/operator.ts';
import { applyGlobalRecord } from '../../runtime/global-tables.ts';
import { Pipeline, type PipelineContext } from '../../runtime/task/pipeline.ts';
import type { LocalStore } from '../../state/local-store.ts';
import type { Cell } from '../../state/state-store.ts';
import type { BuiltTopology, SinkNode, SubTopology } from '../../topology/graph.ts';

export type AnyRecord = StreamRecord<unknown, unknown>;

class BenchTime implements StreamTime {
  ms = -1;
  advance(timestampMs: number): void {
    if (timestampMs > this.ms) this.ms = timestampMs;
  }
}

/**
 * The steps of a topology as a task connects them, without decoding in front and encoding behind: one partition, and records of
 * a repartition go on at once.
 */
export class BenchPipeline {
  readonly #topology: BuiltTopology;
  readonly #stores = new Map<string, LocalStore>();
  readonly #pipelines: Pipeline[] = [];
  readonly #inputs = new Map<string, (record: AnyRecord) => void>();

  constructor(topology: BuiltTopology) {
    this.#topology = topology;
    for (const { store } of topology.globalTables) this.#stores.set(store.name, store.create());
    for (const part of topology.subTopologies) this.#add(part);
  }

  /** What takes the records of a topic. */
  inputOf(topic: string): (record: AnyRecord) => void {
    const global = this.#topology.globalTables.find((table) => table.topic === topic);
    if (global !== undefined) {
      const store = this.#stores.get(global.store.name) as LocalStore;
      return ({ key, value, timestampMs }) => applyGlobalRecord(store, global.store.kind, key, value, timestampMs);
    }
    const input = this.#inputs.get(topic);
    if (input === undefined) throw new Error(`the topology reads no topic ${topic}`);
    return input;
  }

  /** Cells that a commit would write; they are forgotten as changes. */
  takeChanges(): number {
    const cells: Cell[] = [];
    for (const store of this.#stores.values()) store.takeChanges(cells);
    return cells.length;
  }

  /** Records that came out of the last step so far, over all its outputs that are counted. */
  get recordsOut(): number {
    return this.#pipelines.at(-1)?.counts().at(-1)?.recordsOut ?? 0;
  }

  #add(part: SubTopology): void {
    for (const definition of part.stores) this.#stores.set(definition.name, definition.create());
    const pipeline = new Pipeline(part, {
      contextOf: (step, output) => this.#contextOf(step, output),
      sink: (sink, record) => this.#sink(sink, record),
      fatal: (_step, error) => { throw error; },
    });
    this.#pipelines.push(pipeline);
    for (const source of part.sources) this.#inputs.set(source.topic, pipeline.inputOf(source.name));
  }

  #sink({ sink }: SinkNode, record: AnyRecord): void {
    if (sink.kind === 'repartition') this.#inputs.get(sink.topic)?.(record);
  }

  #contextOf(step: string, output: (port: string) => (record: AnyRecord) => void): PipelineContext {
    return {
      step, subTopology: 'bench', partition: 0, streamTime: new BenchTime(), input: 0,
      origin: { topic: 'readings', partition: 0, offset: 0, timestampMs: 0 },
      store: (definition) => this.#stores.get(definition.name) as ReturnType<typeof definition.create>,
      output: output as StepContext['output'],
      dropped: () => {},
      failed: (error) => { throw error; },
      schedule: () => {},
      onIdle: () => {},
      onCommit: () => {},
    };
  }
}
