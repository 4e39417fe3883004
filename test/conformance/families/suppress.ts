import { untilTimeLimit } from '../../../operators/suppress.ts';
import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import { aggregationOf, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface SuppressCase extends Case {
  readonly op: 'suppress-time-limit';
  readonly aggregate: string;
  readonly limitMs: number;
}

export const suppress: Family = {
  ops: ['suppress-time-limit'],
  build(one: SuppressCase, { topology, output }: CaseBuilder): void {
    const { initial, fold } = aggregationOf(one.aggregate);
    const kept = json<string | number>('aggregate');
    const table = topology.stream<Text, Text>('in', { key: utf8, value: utf8 } as never)
      .groupByKey({ key: utf8, value: utf8 })
      .aggregate('aggregate', { initial: () => initial, fold, aggregate: kept })
      .suppress('suppressed', { key: utf8, value: kept }, untilTimeLimit(one.limitMs));
    output(table.toStream(), ({ key, value, timestampMs }) => ({ key, value: value === null ? null : String(value), ts: timestampMs }));
  },
};
