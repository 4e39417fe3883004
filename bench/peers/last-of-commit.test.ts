import { describe, expect, it } from 'vitest';
import { utf8, json } from '../../schemas/builtin-codecs.ts';
import { sessionAggregate } from '../../operators/session-aggregate.ts';
import { sessions } from '../../operators/windows/session-windows.ts';
import { TopologyTestDriver } from '../../runtime/testing/topology-test-driver.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { lastOfCommit } from './last-of-commit.ts';
import { windowedKeyOf } from './station-load.ts';

function driver(): TopologyTestDriver {
  const topology = new Topology('sessions');
  topology.stream<string, number>('in', { key: utf8, value: json<number>('n') })
    .pipe(
      sessionAggregate<string, number, number>('sum', sessions({ gapMs: 10, graceMs: 100 }), {
        key: utf8, aggregate: json<number>('n'), initial: () => 0, fold: (sum, value) => sum + value, merge: (left, right) => left + right,
      }),
      lastOfCommit<number | null>('last'),
    )
    .to(logTopic('out', { key: windowedKeyOf('session', 0), value: json<number | null>('n') }));
  return new TopologyTestDriver(topology, { commit: 'manual' });
}

describe('the last change of each window at a commit', () => {
  const taken = (one: TopologyTestDriver): unknown[] => {
    one.commit();
    return one.take('out').map(({ key, value }) => [(key as { readonly startMs: number }).startMs, (key as { readonly endMs: number }).endMs, value]);
  };

  it('is told once, and sessions that came and went in between are not', () => {
    const one = driver();
    for (const [value, timeMs] of [[1, 0], [2, 5], [4, 9]] as const) one.push('in', 'k', value, timeMs);
    expect(taken(one)).toEqual([[0, 9, 7]]);
  });

  it('takes back what was told before', () => {
    const one = driver();
    one.push('in', 'k', 1, 0);
    expect(taken(one)).toEqual([[0, 0, 1]]);
    one.push('in', 'k', 2, 5);
    expect(taken(one)).toEqual([[0, 0, null], [0, 5, 3]]);
    one.push('in', 'k', 4, 3);
    expect(taken(one)).toEqual([[0, 5, 7]]);
    expect(taken(one)).toEqual([]);
  });
});
