import { utf8 } from '../../../schemas/builtin-codecs.ts';
import type { Table } from '../../../topology/table.ts';
import type { Topology } from '../../../topology/topology.ts';
import type { Case, CaseBuilder, Family, Text } from '../case.ts';

const words = { key: utf8, value: utf8 };

/** Nothing at sums of a multiple of ten. */
const add = (sum: string, value: string): string | null => {
  const added = Number(sum) + Number(value);
  return added % 10 === 0 ? null : String(added);
};
/** Nothing at differences of a multiple of four. */
const subtract = (sum: string, value: string): string | null => {
  const left = Number(sum) - Number(value);
  return left % 4 === 0 ? null : String(left);
};
const group = (value: string): string => String(Number(value) % 3);
const zero = (): string => '0';
const nothing = (): string => '';

type Input = ReturnType<typeof inputOf>;
function inputOf(topology: Topology, topic: string) {
  return topology.stream<Text, Text>(topic, words as never);
}

const ofStreams: Readonly<Record<string, (input: Input, topology: Topology) => Table<string, string>>> = {
  'aggregate-deleting': (input) => input.groupByKey(words).aggregate('store', { initial: zero, fold: add, aggregate: utf8 }),
  'reduce-deleting': (input) => input.groupByKey(words).reduce('store', add),
  'group-by': (input) => input.groupBy((value) => (value === null || Number(value) % 5 === 0 ? null : group(value)), words)
    .aggregate('store', { initial: nothing, fold: (all, value) => `${all},${value}`, aggregate: utf8 }),
  'cogroup': (input, topology) => input.groupByKey(words).cogroup((all: string | null, value) => `${all}+${value}`)
    .cogroup(
      inputOf(topology, 'in2').groupBy((value) => (value === null ? null : 'abc'.charAt(Number(value) % 3)), words),
      (all, value) => (value.endsWith('9') ? null : `${all}-${value}`),
    )
    .aggregate('store', { initial: nothing, aggregate: utf8 }),
};

const ofTables: Readonly<Record<string, (topology: Topology) => Table<string, string>>> = {
  'table-aggregate-deleting': (topology) => topology.table('in', words)
    .groupBy((value) => ({ key: Number(value) % 5 === 0 ? null : group(value), value: Number(value) % 7 === 0 ? null : value }), words)
    .aggregate('store', { initial: zero, add, subtract, aggregate: utf8 }),
  'table-reduce-deleting': (topology) => topology.table('in', words).groupBy((value) => ({ key: group(value), value }), words)
    .reduce('store', { add, subtract }),
  'versioned-table-aggregate': (topology) => topology.table('in', words, { historyMs: 100 }).groupBy((value) => ({ key: group(value), value }), words)
    .aggregate('store', {
      initial: zero, add: (sum, value) => String(Number(sum) + Number(value)), subtract: (sum, value) => String(Number(sum) - Number(value)), aggregate: utf8,
    }),
};

/** Aggregates that are deleted, groups that leave records out, versions, and several streams: what `aggregate` does not have. */
export const grouping: Family = {
  ops: [...Object.keys(ofStreams), ...Object.keys(ofTables)],
  build(one: Case, { topology, output }: CaseBuilder): void {
    const table = ofTables[one.op]?.(topology) ?? ofStreams[one.op]?.(inputOf(topology, 'in'), topology);
    if (table === undefined) throw new Error(`no such op: ${one.op}`);
    output(table.toStream(), ({ key, value, timestampMs }) => ({ key, value, ts: timestampMs }));
  },
};
