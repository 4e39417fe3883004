import { expect, it } from 'vitest';
import { int64, utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { statefulOperator } from './stateful-operator.ts';
import type { StreamRecord } from './operator.ts';
import type { Emit } from './record-step.ts';
import { OperatorHarness } from './testing/harness.ts';

const numbered = statefulOperator({
  name: 'numbered',
  stores: { counts: keyValueStore({ name: 'numbered', key: utf8, value: int64 }) },
  ports: ['first'],
  process(record: StreamRecord<string, string>, { stores, output, streamTime }, emit: Emit<StreamRecord<string, string>>) {
    const count = (stores.counts.get(record.key) ?? 0) + 1;
    if (record.value === 'bad') throw new Error('bad');
    stores.counts.put(record.key, count);
    if (count === 1) output('first', record);
    emit({ ...record, value: `${record.value}${count} at ${streamTime.ms}` });
  },
});
const at = (value: string, timestampMs: number) => ({ key: 'a', value, timestampMs });

it('remembers in its stores only, and goes on after a restart', () => {
  const running = new OperatorHarness(numbered);
  running.push(at('x', 5));
  running.restart();
  running.push(at('y', 3));
  expect(running.take().map(({ value }) => value)).toEqual(['x1 at 5', 'y2 at 5']);
  expect(running.take('first')).toEqual([at('x', 5)]);
});

it('hands an error of its function to the policy', () => {
  const running = new OperatorHarness(numbered);
  running.push(at('bad', 0), at('x', 0));
  expect(running.failures.map(({ record }) => record.value)).toEqual(['bad']);
  expect(running.take().map(({ value }) => value)).toEqual(['x1 at 0']);
});

it('names what it owns', () => {
  expect(numbered).toMatchObject({ kind: 'stateful', name: 'numbered', ports: ['first'], changesKey: false });
  expect(numbered.stores.map(({ name }) => name)).toEqual(['numbered']);
});

it('takes records from other streams, and is told by which one each came', () => {
  const told = statefulOperator({
    name: 'told',
    stores: {},
    others: [{ node: 'names', port: '' }],
    process(record: StreamRecord<string, string>, { input }, emit: Emit<StreamRecord<string, string>>) {
      emit({ ...record, value: `${record.value} by ${input}` });
    },
  });
  expect([told.others?.map(({ node }) => node), numbered.others]).toEqual([['names'], undefined]);
  const running = new OperatorHarness(told);
  running.push(at('x', 0));
  running.pushInto(1, at('y', 1));
  running.push(at('z', 2));
  expect(running.take().map(({ value }) => value)).toEqual(['x by 0', 'y by 1', 'z by 0']);
});
