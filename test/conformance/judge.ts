import { isDeepStrictEqual } from 'node:util';
import { recordStep, stateless } from '../../operators/record-step.ts';
import type { Operator, StreamRecord } from '../../operators/operator.ts';
import { TopologyTestDriver } from '../../runtime/testing/topology-test-driver.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import type { Case, CaseInput, CaseOutput, Output } from './case.ts';
import { familyOf } from './families/index.ts';

export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'not-built' }
  | { readonly kind: 'failed'; readonly why: string };

/** What a case may do after each record besides going on. */
export type Disturbance = (index: number) => 'none' | 'commit' | 'restart';

/**
 * Runs a case's topology and compares what came out, by which record, in which order, and how many records were dropped; and
 * that the sink was given exactly that.
 */
export function judge(one: Case, disturb: Disturbance = () => 'none'): Verdict {
  const family = familyOf(one.op);
  if (family === undefined) return { kind: 'not-built' };
  const run = new Run(one);
  const outputs: CaseOutput[] = [];
  for (const [after, input] of one.inputs.entries()) {
    const caused = run.push(input).map((output): CaseOutput => ({ after, ...output }));
    outputs.push(...caused);
    const disturbance = disturb(after);
    if (disturbance === 'restart') run.restart();
    if (disturbance === 'commit') run.commit();
  }
  const why = difference(sorted(outputs, family.unordered), sorted(one.outputs, family.unordered))
    ?? differenceOfSink(run.delivered(), outputs);
  if (why !== null) return { kind: 'failed', why };
  if (run.dropped !== one.dropped) return { kind: 'failed', why: `dropped: wanted ${one.dropped}, got ${run.dropped}` };
  return { kind: 'passed' };
}

function difference(outputs: readonly unknown[], wanted: readonly unknown[]): string | null {
  const count = Math.max(outputs.length, wanted.length);
  for (let at = 0; at < count; at += 1) {
    if (!isDeepStrictEqual(outputs[at], wanted[at])) {
      return `output ${at}: wanted ${JSON.stringify(wanted[at])}, got ${JSON.stringify(outputs[at])}`;
    }
  }
  return null;
}

function differenceOfSink(delivered: readonly Output[], outputs: readonly CaseOutput[]): string | null {
  const why = difference(delivered, outputs.map(({ after: _after, ...output }) => output));
  return why === null ? null : `sink: ${why}`;
}

function sorted(outputs: readonly CaseOutput[], unordered = false): readonly CaseOutput[] {
  if (!unordered) return outputs;
  const text = (output: CaseOutput): string => JSON.stringify([output.topic, output.key, output.window, output.value, output.ts]);
  return [...outputs].sort((left, right) => left.after - right.after || (text(left) < text(right) ? -1 : 1));
}

/** One case under way. */
class Run {
  readonly #driver: TopologyTestDriver;
  /** Internal topics are drained by commits: where there are any, each input needs one. */
  readonly #commitEach: boolean;
  #outputs: Output[] = [];
  #droppedBefore = 0;

  constructor(one: Case) {
    const topology = new Topology('case');
    const sink = logTopic<null, Output>('out', { key: utf8 as never, value: json<Output>('output') });
    familyOf(one.op)?.build(one, {
      topology,
      output: (stream, outputOf) => void stream.pipe(this.#tap(outputOf)).to(sink),
    });
    this.#commitEach = topology.build().repartitionTopics.length > 0;
    this.#driver = new TopologyTestDriver(topology, { commit: this.#commitEach ? 'each' : 'manual' });
  }

  /** Pushes one record and gives what came out by it. */
  push(input: CaseInput): readonly Output[] {
    this.#driver.push(input.topic, input.key, input.value, input.ts);
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  commit(): void {
    this.#driver.commit();
  }

  /** Commits, forgets all memory, and goes on from what was committed. */
  restart(): void {
    this.#driver.commit();
    this.#droppedBefore += this.#driver.dropped;
    this.#driver.restart();
  }

  get dropped(): number {
    return this.#droppedBefore + this.#driver.dropped;
  }

  /** Everything that the sink was given. */
  delivered(): readonly Output[] {
    this.#driver.commit();
    return this.#driver.take<null, Output>('out').map(({ value }) => value);
  }

  #tap<K, V>(outputOf: (record: StreamRecord<K, V>) => Output): Operator<K, V, null, Output> {
    return {
      ...stateless,
      kind: 'tap',
      build: () => recordStep<StreamRecord<K, V>, StreamRecord<null, Output>>((down) => (record) => {
        const output = outputOf(record);
        this.#outputs.push(output);
        down.next({ key: null, value: output, timestampMs: record.timestampMs });
      }),
    };
  }
}
