import { untilWindowCloses } from '../../../operators/suppress.ts';
import { sessions } from '../../../operators/windows/session-windows.ts';
import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import { aggregationOf, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface SessionCase extends Case {
  readonly op: 'session-aggregate';
  readonly window: { readonly type: 'session'; readonly gapMs: number; readonly graceMs: number };
  readonly aggregate: string;
  readonly emit: 'update' | 'final';
}

type Aggregate = number | string | null;

/** How two sessions' aggregates become one, for those that cases name. */
const merges: Readonly<Record<string, (earlier: Aggregate, later: Aggregate) => Aggregate>> = {
  count: (earlier, later) => Number(earlier) + Number(later),
  sum: (earlier, later) => Number(earlier) + Number(later),
  min: (earlier, later) => (earlier === null ? later : later === null ? earlier : Math.min(Number(earlier), Number(later))),
  max: (earlier, later) => (earlier === null ? later : later === null ? earlier : Math.max(Number(earlier), Number(later))),
  collect: (earlier, later) => (earlier === null ? later : later === null ? earlier : `${earlier},${later}`),
};

function mergeOf(name: string): (earlier: Aggregate, later: Aggregate) => Aggregate {
  const merge = merges[name];
  if (merge === undefined) throw new Error(`no such aggregate: ${name}`);
  return merge;
}

export const session: Family = {
  ops: ['session-aggregate'],
  build(one: SessionCase, { topology, output }: CaseBuilder): void {
    const { initial, fold } = aggregationOf(one.aggregate);
    const windowed = topology.stream<Text, Text>('in', { key: utf8, value: utf8 } as never)
      .groupByKey({ key: utf8, value: utf8 })
      .windowedBy(sessions(one.window))
      .aggregate('sessions', { initial: () => initial, fold, merge: mergeOf(one.aggregate), aggregate: json<Aggregate>('aggregate') });
    const results = one.emit === 'final' ? windowed.suppress(untilWindowCloses()) : windowed;
    output(results.toStream(), ({ key, value, timestampMs }) => ({
      key: key.key, window: [key.startMs, key.endMs], value: value === null ? null : String(value), ts: timestampMs,
    }));
  },
};
