import type { StreamRecord } from '../../operators/operator.ts';
import type { Stream } from '../../topology/stream.ts';
import type { Topology } from '../../topology/topology.ts';

export type Text = string | null;
export type TextRecord = StreamRecord<Text, Text>;

export interface CaseInput {
  readonly topic: string;
  readonly key: Text;
  readonly value: Text;
  readonly ts: number;
}

export interface CaseOutput {
  /** Index of the input that caused it. */
  readonly after: number;
  readonly topic?: string;
  readonly key: Text;
  readonly window?: readonly [number, number];
  readonly value: Text;
  readonly ts: number;
}

export type Output = Omit<CaseOutput, 'after'>;

/** What every case has, beside the parameters of its `op`. */
export interface Case {
  readonly id: string;
  readonly op: string;
  readonly inputs: readonly CaseInput[];
  readonly outputs: readonly CaseOutput[];
  readonly dropped: number;
}

/** What a family builds a case's topology with. */
export interface CaseBuilder {
  readonly topology: Topology;
  /** Ends a stream in the outputs of the case. */
  output<K, V>(stream: Stream<K, V>, outputOf: (record: StreamRecord<K, V>) => Output): void;
}

/** Builds the topologies of one or more `op`s. */
export interface Family {
  readonly ops: readonly string[];
  /** True when only what one input causes is the same, not its order. */
  readonly unordered?: boolean;
  /** `one` has one of the `ops`. */
  build(one: Case, builder: CaseBuilder): void;
}

/** A record of texts as an output. */
export function textOutput({ key, value, timestampMs }: TextRecord): Output {
  return { key, value, ts: timestampMs };
}

export interface Aggregation {
  readonly initial: number | string | null;
  readonly fold: (aggregate: number | string | null, value: Text) => number | string | null;
}

/** The aggregates that cases name. */
export const aggregations: Readonly<Record<string, Aggregation>> = {
  count: { initial: 0, fold: (count) => Number(count) + 1 },
  sum: { initial: 0, fold: (sum, value) => Number(sum) + Number(value) },
  min: { initial: null, fold: (min, value) => (min === null ? Number(value) : Math.min(Number(min), Number(value))) },
  max: { initial: null, fold: (max, value) => (max === null ? Number(value) : Math.max(Number(max), Number(value))) },
  collect: { initial: null, fold: (all, value) => (all === null ? value : `${all},${value}`) },
};

export function aggregationOf(name: string): Aggregation {
  const aggregation = aggregations[name];
  if (aggregation === undefined) throw new Error(`no such aggregate: ${name}`);
  return aggregation;
}
