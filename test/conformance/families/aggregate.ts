import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import type { Table } from '../../../topology/table.ts';
import { aggregationOf, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface AggregateCase extends Case {
  readonly op: 'stream-aggregate' | 'stream-reduce' | 'table-aggregate';
  readonly aggregate: string;
}

const words = { key: utf8, value: utf8 };
const aggregates = json<number | string>('aggregate');

/** How an aggregate of a table takes a value out again. */
const subtractions: Readonly<Record<string, (aggregate: number | string, value: string) => number>> = {
  count: (count) => Number(count) - 1,
  sum: (sum, value) => Number(sum) - Number(value),
};

export const aggregate: Family = {
  ops: ['stream-aggregate', 'stream-reduce', 'table-aggregate'],
  build(one: AggregateCase, { topology, output }: CaseBuilder): void {
    const { initial, fold } = aggregationOf(one.aggregate);
    const start = (): number | string | null => initial;
    const finish = <V>(table: Table<string, V>): void => output(table.toStream(), ({ key, value, timestampMs }) => ({
      key, value: value === null ? null : String(value), ts: timestampMs,
    }));
    if (one.op === 'table-aggregate') {
      const subtract = subtractions[one.aggregate];
      if (subtract === undefined) throw new Error(`no such aggregate of a table: ${one.aggregate}`);
      return finish(topology.table('in', words)
        .groupBy((value) => ({ key: String(Number(value) % 3), value }), words)
        .aggregate('aggregate', { initial: start, add: fold, subtract, aggregate: aggregates }));
    }
    const grouped = topology.stream<Text, Text>('in', words as never).groupByKey(words);
    if (one.op === 'stream-aggregate') return finish(grouped.aggregate('aggregate', { initial: start, fold, aggregate: aggregates }));
    return finish(grouped.reduce('aggregate', (result, value) => String(fold(result, value))));
  },
};
