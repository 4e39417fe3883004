import { assertInvariant } from '../../errors.ts';
import type { RecordOrigin, Schedule, StepContext, StreamRecord, StreamTime } from '../../operators/operator.ts';
import type { LocalStore, StoreDefinition } from '../../state/local-store.ts';
import type { SubTopology } from '../../topology/graph.ts';

/** Where the input record under way came from; one object a task, changed in place. */
export class MutableOrigin implements RecordOrigin {
  topic = '';
  partition = 0;
  offset = -1;
  timestampMs = -1;

  set(topic: string, partition: number, offset: number, timestampMs: number): void {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.timestampMs = timestampMs;
  }
}

export type DropReason = Parameters<StepContext['dropped']>[0];

/** Plain counters of one step; metrics read them when they are asked. */
export class StepCounter {
  readonly dropped: Record<DropReason, number> = {
    late: 0, 'null-key': 0, 'null-value': 0, expired: 0, 'out-of-order': 0, duplicate: 0, malformed: 0,
  };
}

export class StepCounters {
  /** Repartition records that had been taken before. */
  repeated = 0;
  readonly #steps: ReadonlyMap<string, StepCounter>;

  constructor(part: SubTopology) {
    this.#steps = new Map(part.steps.map((step) => [step.name, new StepCounter()]));
  }

  of(step: string): StepCounter {
    const counter = this.#steps.get(step);
    assertInvariant(counter !== undefined, `step ${step} has a counter`);
    return counter;
  }

  all(): ReadonlyMap<string, StepCounter> {
    return this.#steps;
  }
}

export interface StepContextParts {
  readonly step: string;
  readonly subTopology: string;
  readonly partition: number;
  readonly streamTime: StreamTime;
  readonly origin: RecordOrigin;
  readonly counters: StepCounter;
  readonly output: (port: string) => (record: StreamRecord<unknown, unknown>) => void;
  readonly store: (definition: StoreDefinition) => LocalStore | undefined;
  readonly failed: (error: unknown, record: StreamRecord<unknown, unknown>, kept: boolean) => void;
  readonly schedule: (schedule: Schedule, run: (timeMs: number) => void) => void;
  readonly onIdle: (run: (timeMs: number) => void) => void;
  readonly onCommit: (run: () => void) => void;
}

/** A step's view of the task that runs it. */
export class TaskStepContext implements StepContext {
  readonly step: string;
  readonly subTopology: string;
  readonly partition: number;
  readonly streamTime: StreamTime;
  readonly origin: RecordOrigin;
  input = 0;
  readonly #parts: StepContextParts;

  constructor(parts: StepContextParts) {
    this.step = parts.step;
    this.subTopology = parts.subTopology;
    this.partition = parts.partition;
    this.streamTime = parts.streamTime;
    this.origin = parts.origin;
    this.#parts = parts;
  }

  store<S extends LocalStore>(definition: StoreDefinition<S>): S {
    const store = this.#parts.store(definition);
    assertInvariant(store !== undefined, `step ${this.step} uses the store ${definition.name}, which it has declared`);
    return store as S;
  }

  output<K, V>(port: string): (record: StreamRecord<K, V>) => void {
    return this.#parts.output(port);
  }

  dropped(reason: DropReason): void {
    this.#parts.counters.dropped[reason]++;
  }

  failed(error: unknown, record: StreamRecord<unknown, unknown>, kept?: 'kept'): void {
    this.#parts.failed(error, record, kept === 'kept');
  }

  schedule(schedule: Schedule, run: (timeMs: number) => void): void {
    this.#parts.schedule(schedule, run);
  }

  onIdle(run: (timeMs: number) => void): void {
    this.#parts.onIdle(run);
  }

  onCommit(run: () => void): void {
    this.#parts.onCommit(run);
  }
}
