import { branch } from '../../operators/branch.ts';
import { filter, filterNot } from '../../operators/filter.ts';
import { flatMapValues } from '../../operators/flat-map-values.ts';
import { joinTable, leftJoinTable } from '../../operators/join-table.ts';
import { map } from '../../operators/map.ts';
import { mapValues } from '../../operators/map-values.ts';
import type { Operator, StreamRecord, TableReference, Windowed } from '../../operators/operator.ts';
import { selectKey } from '../../operators/select-key.ts';
import { tableSource } from '../../operators/table-source.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { sliding, type SlidingWindows } from '../../operators/windows/sliding-windows.ts';
import { hopping, tumbling, type TimeWindows } from '../../operators/windows/time-windows.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { versionedStore } from '../../state/local/versioned-store.ts';
import { Pipeline } from './pipeline.ts';

export interface CaseInput {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly ts: number;
}

export interface CaseOutput {
  readonly after: number;
  readonly topic?: string;
  readonly key: string | null;
  readonly window?: readonly [number, number];
  readonly value: string | null;
  readonly ts: number;
}

interface CaseBase {
  readonly id: string;
  readonly inputs: readonly CaseInput[];
  readonly outputs: readonly CaseOutput[];
  readonly dropped: number;
}

interface StatelessCase extends CaseBase {
  readonly op: 'stateless-chain';
  readonly steps: readonly string[];
  readonly end: 'to' | 'split' | 'merge-with-original';
}

interface WindowCase extends CaseBase {
  readonly op: 'window-aggregate';
  readonly window: {
    readonly type: 'tumbling' | 'hopping' | 'sliding';
    readonly sizeMs?: number;
    readonly advanceMs?: number;
    readonly timeDifferenceMs?: number;
    readonly graceMs: number;
  };
  readonly aggregate: string;
  readonly emit: 'update' | 'final';
}

interface VersionedJoinCase extends CaseBase {
  readonly op: 'versioned-stream-table-join';
  readonly join: 'inner' | 'left';
  readonly historyRetentionMs: number;
  readonly graceMs: number;
}

export type Case = StatelessCase | WindowCase | VersionedJoinCase;

/** Builds what a case describes; null for a family that is not built yet. */
export function buildCase(one: Case | { readonly op: string }): Pipeline | null {
  if (!('inputs' in one)) return null;
  switch (one.op) {
    case 'stateless-chain': return statelessChain(one);
    case 'window-aggregate': return windowed(one);
    case 'versioned-stream-table-join': return versionedJoin(one);
    default: return null;
  }
}

type Text = string | null;
type TextStep = Operator<Text, Text, Text, Text>;
type TextRecord = StreamRecord<Text, Text>;

const isEven = (value: Text): boolean => Number(value) % 2 === 0;

function statelessStep(name: string): TextStep {
  switch (name) {
    case 'filter-even': return filter(isEven);
    case 'filterNot-even': return filterNot(isEven);
    case 'mapValues-plus1': return mapValues((value) => String(Number(value) + 1));
    case 'selectKey-mod3': return selectKey((value) => String(Number(value) % 3));
    case 'flatMapValues-twice': return flatMapValues((value) => [value, value]);
    case 'map-swap': return map((value, key) => ({ key: value, value: key }));
    default: throw new Error(`no such step: ${name}`);
  }
}

function statelessChain(one: StatelessCase): Pipeline {
  const pipeline = new Pipeline();
  const end = (topic?: string) => (record: TextRecord): void =>
    pipeline.emit({ ...(topic === undefined ? {} : { topic }), key: record.key, value: record.value, ts: record.timestampMs });
  let next: (record: TextRecord) => void = end();
  if (one.end === 'split') {
    const ends: Readonly<Record<string, (record: TextRecord) => void>> = { low: end('low'), mid: end('mid'), high: end('high') };
    const split = branch<Text, Text>({ low: (value) => Number(value) < 30, mid: (value) => Number(value) < 60 }, 'high');
    next = pipeline.step(split, (port, record) => ends[port]?.(record as TextRecord));
  }
  for (const name of one.steps.toReversed()) {
    const down = next;
    next = pipeline.step(statelessStep(name), (_port, record) => down(record as TextRecord));
  }
  pipeline.source('in', (record) => {
    next(record);
    if (one.end === 'merge-with-original') end()(record);
  });
  return pipeline;
}

interface Aggregation {
  readonly initial: number | string | null;
  readonly fold: (aggregate: number | string | null, value: Text) => number | string | null;
}

const aggregations: Readonly<Record<string, Aggregation>> = {
  count: { initial: 0, fold: (count) => Number(count) + 1 },
  sum: { initial: 0, fold: (sum, value) => Number(sum) + Number(value) },
  min: { initial: null, fold: (min, value) => (min === null ? Number(value) : Math.min(Number(min), Number(value))) },
  max: { initial: null, fold: (max, value) => (max === null ? Number(value) : Math.max(Number(max), Number(value))) },
  collect: { initial: null, fold: (all, value) => (all === null ? value : `${all},${value}`) },
};

function windowsOf({ window }: WindowCase): TimeWindows | SlidingWindows {
  const { sizeMs = 0, advanceMs = 0, timeDifferenceMs = 0, graceMs } = window;
  switch (window.type) {
    case 'tumbling': return tumbling({ sizeMs, graceMs });
    case 'hopping': return hopping({ sizeMs, advanceMs, graceMs });
    case 'sliding': return sliding({ timeDifferenceMs, graceMs });
  }
}

function windowed(one: WindowCase): Pipeline {
  const aggregation = aggregations[one.aggregate];
  if (aggregation === undefined) throw new Error(`no such aggregate: ${one.aggregate}`);
  const pipeline = new Pipeline();
  const operator = windowAggregate<string, Text, number | string | null>('windows', windowsOf(one), {
    key: utf8,
    aggregate: json('aggregate'),
    emit: one.emit,
    initial: () => aggregation.initial,
    fold: aggregation.fold,
  });
  pipeline.source('in', pipeline.step(operator, (port, record) => {
    if (port !== '') return;
    const { key, value, timestampMs } = record as StreamRecord<Windowed<string>, number | string>;
    pipeline.emit({ key: key.key, window: [key.startMs, key.endMs], value: String(value), ts: timestampMs });
  }));
  return pipeline;
}

function versionedJoin(one: VersionedJoinCase): Pipeline {
  const pipeline = new Pipeline();
  const store = versionedStore({ name: 'right', key: utf8, value: utf8, historyMs: one.historyRetentionMs });
  const table: TableReference<string, string> = { name: 'right', global: false, store };
  const grace = { graceMs: one.graceMs, key: utf8, value: utf8 };
  const concatenate = (left: string, right: string | null): string => `${left}+${right}`;
  const operator = one.join === 'left'
    ? leftJoinTable<Text, Text, string, string>('join', table, concatenate, grace)
    : joinTable<string, string, string, string>('join', table, concatenate, grace);
  pipeline.source('right', pipeline.step(tableSource('right', store), () => {}));
  pipeline.source('left', pipeline.step(operator, (_port, record) => {
    const { key, value, timestampMs } = record as StreamRecord<Text, string>;
    pipeline.emit({ key, value, ts: timestampMs });
  }));
  return pipeline;
}
