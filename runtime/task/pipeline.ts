import { Observable, type Subscriber } from 'rxjs';
import type { StepContext, StreamRecord } from '../../operators/operator.ts';
import { recordSubscriber } from '../../operators/record-step.ts';
import type { Edge, SinkNode, SubTopology } from '../../topology/graph.ts';
import { MAIN_PORT } from '../../topology/graph.ts';

type AnyRecord = StreamRecord<unknown, unknown>;

/**
 * One output of a source or step: counts what passes and hands it to whoever is connected. Connections are made while the
 * pipeline is built and never change afterwards, which is what a Subject would pay for.
 */
class Port {
  count = 0;
  readonly #targets: Subscriber<AnyRecord>[] = [];
  readonly records = new Observable<AnyRecord>((subscriber) => {
    this.#targets.push(subscriber);
  });

  emit(record: AnyRecord): void {
    this.count++;
    const targets = this.#targets;
    for (let index = 0; index < targets.length; index++) (targets[index] as Subscriber<AnyRecord>).next(record);
  }
}

export interface StepCounts {
  readonly step: string;
  readonly recordsIn: number;
  readonly recordsOut: number;
}

/** A step's context, which the pipeline tells the input of each record where there are several. */
export type PipelineContext = StepContext & { input: number };

export interface PipelineHooks {
  contextOf(step: string, output: (port: string) => (record: AnyRecord) => void): PipelineContext;
  sink(sink: SinkNode, record: AnyRecord): void;
  /** A step's observable ended with an error, which no step of ours does: the task must stop. */
  fatal(step: string, error: unknown): void;
}

/** The running form of a sub-topology: RxJS observables connected from its sources to its sinks. Synchronous throughout. */
export class Pipeline {
  readonly #inputs = new Map<string, Port>();
  readonly #ports = new Map<string, Port>();
  readonly #contexts = new Map<string, PipelineContext>();
  readonly #part: SubTopology;

  constructor(part: SubTopology, hooks: PipelineHooks) {
    this.#part = part;
    for (const source of part.sources) this.#port(source.name, MAIN_PORT);
    for (const step of part.steps) {
      const input = new Port();
      this.#inputs.set(step.name, input);
      const output = this.#port(step.name, MAIN_PORT);
      for (const side of step.operator.ports) this.#port(step.name, side);
      const context = hooks.contextOf(step.name, (port) => {
        const side = this.#port(step.name, port);
        return (record) => side.emit(record);
      });
      this.#contexts.set(step.name, context);
      const built = step.operator.build(context) as unknown as (input: Observable<AnyRecord>) => Observable<AnyRecord>;
      built(input.records).subscribe(recordSubscriber((record) => output.emit(record), (error) => hooks.fatal(step.name, error)));
    }
    for (const edge of part.edges) this.#connect(edge, part, hooks);
  }

  /** The function that takes the records of a source. */
  inputOf(source: string): (record: AnyRecord) => void {
    const port = this.#port(source, MAIN_PORT);
    return (record) => port.emit(record);
  }

  counts(): readonly StepCounts[] {
    return this.#part.steps.map((step) => ({
      step: step.name,
      recordsIn: this.#inputs.get(step.name)?.count ?? 0,
      recordsOut: this.#port(step.name, MAIN_PORT).count,
    }));
  }

  #port(node: string, name: string): Port {
    const id = `${node}\n${name}`;
    const known = this.#ports.get(id);
    if (known !== undefined) return known;
    const port = new Port();
    this.#ports.set(id, port);
    return port;
  }

  #connect(edge: Edge, part: SubTopology, hooks: PipelineHooks): void {
    const from = this.#port(edge.from, edge.port);
    const sink = part.sinks.find((candidate) => candidate.name === edge.to);
    const input = this.#inputs.get(edge.to);
    const emit = sink !== undefined
      ? (record: AnyRecord) => hooks.sink(sink, record)
      : this.#emitInto(edge, input as Port, part.edges.some((other) => other.to === edge.to && other.input > 0));
    from.records.subscribe(recordSubscriber(emit));
  }

  #emitInto(edge: Edge, input: Port, several: boolean): (record: AnyRecord) => void {
    const context = this.#contexts.get(edge.to);
    if (!several || context === undefined) return (record) => input.emit(record);
    return (record) => {
      context.input = edge.input;
      input.emit(record);
    };
  }
}
