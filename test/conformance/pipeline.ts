import type { Operator, StreamRecord } from '../../operators/operator.ts';
import { OperatorHarness, TaskStores } from '../../operators/testing/harness.ts';
import type { CaseInput, CaseOutput } from './cases.ts';

type TextRecord = StreamRecord<string | null, string | null>;
type Restartable = { rebuild(): void; readonly dropped: Readonly<Record<string, number>>; readonly failures: readonly { readonly error: unknown }[] };

/** The steps of one case, connected by hand over the stores of one task. */
export class Pipeline {
  readonly #stores = new TaskStores();
  readonly #steps: Restartable[] = [];
  readonly #sources = new Map<string, (record: TextRecord) => void>();
  #outputs: Omit<CaseOutput, 'after'>[] = [];

  /** Adds a step and gives what pushes a record into it. */
  step<KI, VI, KO, VO>(
    operator: Operator<KI, VI, KO, VO>, forward: (port: string, record: StreamRecord<unknown, unknown>) => void,
  ): (record: StreamRecord<KI, VI>) => void {
    const running = new OperatorHarness(operator, this.#stores, forward);
    this.#steps.push(running);
    return (record) => running.push(record);
  }

  source(topic: string, push: (record: TextRecord) => void): void {
    this.#sources.set(topic, push);
  }

  emit(output: Omit<CaseOutput, 'after'>): void {
    this.#outputs.push(output);
  }

  /** Pushes one record and gives what came out by it. */
  push(input: CaseInput): Omit<CaseOutput, 'after'>[] {
    const source = this.#sources.get(input.topic);
    if (source === undefined) throw new Error(`no such topic: ${input.topic}`);
    source({ key: input.key, value: input.value, timestampMs: input.ts });
    for (const step of this.#steps) {
      const failure = step.failures[0];
      if (failure !== undefined) throw failure.error;
    }
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  get dropped(): number {
    let total = 0;
    for (const step of this.#steps) for (const count of Object.values(step.dropped)) total += count;
    return total;
  }

  /** Commits, forgets all memory, and goes on from what was committed. */
  restart(): void {
    this.#stores.commit();
    this.#stores.restart();
    for (const step of this.#steps) step.rebuild();
  }

  commit(): void {
    this.#stores.commit();
  }
}
