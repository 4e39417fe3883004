import { expect, it } from 'vitest';
import { int64, utf8 } from '../../schemas/builtin-codecs.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import type { StreamRecord } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import { statefulStep } from '../stateful-operator.ts';
import { OperatorHarness } from './harness.ts';

interface Seen {
  readonly count: number | undefined;
  readonly timeMs: number;
}

it('builds a step before its stores and its stream time are restored, as a task does', () => {
  const seenWhileBuilt: Seen[] = [];
  const counts = keyValueStore({ name: 'counts', key: utf8, value: int64 });
  const running = new OperatorHarness(statefulStep<string, string, string, number, { counts: typeof counts }>({
    name: 'counted',
    stores: { counts },
    start({ stores, streamTime }, emit: Emit<StreamRecord<string, number>>) {
      seenWhileBuilt.push({ count: stores.counts.get('a'), timeMs: streamTime.ms });
      return (record) => {
        streamTime.advance(record.timestampMs);
        const count = (stores.counts.get(record.key) ?? 0) + 1;
        stores.counts.put(record.key, count);
        emit({ ...record, value: count, timestampMs: streamTime.ms });
      };
    },
  }));
  running.push({ key: 'a', value: '', timestampMs: 5 });
  running.restart();
  running.push({ key: 'a', value: '', timestampMs: 3 });
  expect(seenWhileBuilt).toEqual([{ count: undefined, timeMs: -1 }, { count: undefined, timeMs: -1 }]);
  expect(running.take().map(({ value, timestampMs }) => [value, timestampMs])).toEqual([[1, 5], [2, 5]]);
});
