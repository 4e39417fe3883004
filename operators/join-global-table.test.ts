import { expect, it } from 'vitest';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { joinGlobalTable, leftJoinGlobalTable } from './join-global-table.ts';
import { OperatorHarness, TaskStores } from './testing/harness.ts';
import { tableIn } from './testing/tables.ts';

const values = keyValueStore({ name: 'tariffs', key: utf8, value: timestamped(utf8) });
const tariffs = tableIn('tariffs', values, true);
const at = (value: string | null, key: string | null = 'a') => ({ key, value, timestampMs: 1 });
const select = (value: string): string | null => (value === 'none' ? null : value);
const both = (left: string, right: string | null): string => `${left}+${right}`;
type Text = string | null;

it('joins by a key out of the record, and keeps the record\'s own key', () => {
  const stores = new TaskStores();
  stores.get(values).put('t1', { value: 'cheap', timestampMs: 0 });
  const running = new OperatorHarness(joinGlobalTable<Text, Text, string, string, string>(tariffs, select, both), stores);
  running.push(at('t1'), at('t2'), at('t1', null), at('none'), at(null));
  expect(running.take()).toEqual([{ key: 'a', value: 't1+cheap', timestampMs: 1 }, { key: null, value: 't1+cheap', timestampMs: 1 }]);
  expect(running.dropped).toEqual({ 'null-key': 1, 'null-value': 1 });
});

it('joins with null in a left join, and keeps records without any key', () => {
  const running = new OperatorHarness(leftJoinGlobalTable<Text, Text, string, string, string>(tariffs, select, both));
  running.push(at('t2'), at('none', null), at('none'));
  expect(running.take().map(({ value }) => value)).toEqual(['t2+null', 'none+null']);
  expect(running.dropped).toEqual({ 'null-key': 1 });
});
