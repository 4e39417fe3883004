import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { valueHash } from '../../schemas/value-hash.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timestamped } from '../../state/local/timestamped.ts';
import { OperatorHarness, TaskStores } from '../testing/harness.ts';
import { tableIn } from '../testing/tables.ts';
import { foreignKeyMatch } from './foreign-key-match.ts';
import type { Answer } from './foreign-key-messages.ts';

interface Order {
  readonly customer: number | null;
}

const order = json<Order>('order');
const of = (customer: number | null): Order => ({ customer });
const hashOf = (value: Order | null): Buffer | null => (value === null ? null : valueHash(value, order));

describe('a foreign-key join, matching,', () => {
  const orders = keyValueStore({ name: 'orders', key: utf8, value: timestamped(order) });
  const results = keyValueStore({ name: 'joined', key: utf8, value: timestamped(utf8) });
  const run = (type: 'inner' | 'left', current: Order | null, asked: Order | null, answer: string | null, quiet = false, before: string | null = null): unknown[] => {
    const stores = new TaskStores();
    if (current !== null) stores.get(orders).put('o', { value: current, timestampMs: 1 });
    if (before !== null) stores.get(results).put('o', { value: before, timestampMs: 1 });
    const match = new OperatorHarness(foreignKeyMatch<string, Order, string, string>('match', tableIn('orders', orders), { node: 'subscribe', port: 'p' }, {
      type, value: order, joiner: (left, right, key) => `${key}:${left.customer}+${right}`, result: tableIn('joined', results),
    }), stores);
    const record = (value: Answer<string>) => ({ key: 'o', value, timestampMs: 7 });
    match.push(record({ hash: hashOf(asked), value: answer, quiet }));
    return [...match.take().map(({ value, timestampMs }) => [value, timestampMs]), ...Object.entries(match.dropped)];
  };

  it('joins the answer with the value that asked for it, or says that there is nothing', () => {
    for (const type of ['inner', 'left'] as const) expect(run(type, of(1), of(1), 'Ada')).toEqual([['o:1+Ada', 7]]);
    expect(run('inner', of(1), of(1), null)).toEqual([[null, 7]]);
    expect(run('left', of(1), of(1), null)).toEqual([['o:1+null', 7]]);
    for (const type of ['inner', 'left'] as const) expect(run(type, null, null, null)).toEqual([[null, 7]]);
  });

  it('deletes by a quiet answer what should not be there, and gives nothing where nothing is', () => {
    expect(run('inner', of(1), of(1), null, true, 'o:0+Ada')).toEqual([[null, 7]]);
    expect(run('inner', null, null, null, true, 'o:0+Ada')).toEqual([[null, 7]]);
    expect(run('inner', of(1), of(1), null, true)).toEqual([]);
  });

  it('drops and counts an answer to another value than the present one', () => {
    for (const type of ['inner', 'left'] as const) {
      expect(run(type, of(2), of(1), 'Ada')).toEqual([['expired', 1]]);
      expect(run(type, null, of(1), 'Ada')).toEqual([['expired', 1]]);
      expect(run(type, of(1), null, null)).toEqual([['expired', 1]]);
    }
  });
});
