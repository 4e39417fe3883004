import { describe, expect, it } from 'vitest';
import { float64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import { valueHash } from '../../schemas/value-hash.ts';
import { groupedStore } from '../../state/local/grouped-store.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timestamped } from '../../state/local/timestamped.ts';
import { OperatorHarness, TaskStores } from '../testing/harness.ts';
import { tableIn } from '../testing/tables.ts';
import { foreignKeyAnswer } from './foreign-key-answer.ts';
import { subscriberCodec, type Instruction } from './foreign-key-messages.ts';

interface Order {
  readonly customer: number | null;
}

const order = json<Order>('order');
const of = (customer: number | null): Order => ({ customer });
const hashOf = (value: Order): Buffer => valueHash(value, order);

describe('a foreign-key join, answering,', () => {
  const customers = keyValueStore({ name: 'customers', key: float64, value: timestamped(utf8) });
  const start = () => {
    const stores = new TaskStores();
    stores.get(customers).put(1, { value: 'Ada', timestampMs: 10 });
    const answer = new OperatorHarness(foreignKeyAnswer('answer', { ...tableIn('customers', customers), node: 'customers-table' }, {
      key: utf8, value: order, foreignKey: float64,
    }), stores);
    return { answer, stores };
  };
  const asking = (foreignKey: number, instruction: Instruction, key = 'o', timestampMs = 5) =>
    ({ key: foreignKey, value: { instruction, key, hash: hashOf(of(foreignKey)) }, timestampMs });
  const told = (newValue: string | null, timestampMs: number) => ({ key: 1, value: { newValue, oldValue: null, isLatest: true }, timestampMs });

  it('gives the value with the later timestamp, or says that there is none, quietly where that is wanted', () => {
    const { answer } = start();
    answer.push(asking(1, 'subscribe'), asking(1, 'subscribe-quietly', 'p', 15), asking(2, 'subscribe'), asking(3, 'subscribe-quietly'));
    expect(answer.take().map(({ key, value, timestampMs }) => [key, value.value, value.quiet, timestampMs])).toEqual([
      ['o', 'Ada', false, 10], ['p', 'Ada', false, 15], ['o', null, false, 5], ['o', null, true, 5],
    ]);
  });

  it('answers a deletion with nothing, and who has gone elsewhere not at all', () => {
    const { answer } = start();
    answer.push(asking(1, 'subscribe'), asking(1, 'unsubscribe-and-answer'), asking(1, 'subscribe', 'p'), asking(1, 'unsubscribe', 'p'));
    expect(answer.take().map(({ key, value }) => [key, value.value])).toEqual([['o', 'Ada'], ['o', null], ['p', 'Ada']]);
    answer.pushInto(1, told('Bea', 20));
    expect(answer.take()).toEqual([]);
  });

  it('tells a change to all who have subscribed, in the order of their keys, after a restart, too', () => {
    const { answer } = start();
    answer.push(...['z', 'a', 'm'].map((key) => asking(1, 'subscribe', key)), asking(2, 'subscribe', 'b'));
    answer.take();
    answer.restart();
    answer.push(asking(1, 'subscribe', 'c'));
    answer.take();
    answer.pushInto(1, told('Bea', 3), told(null, 4));
    const hash = hashOf(of(1));
    expect(answer.take()).toEqual([
      ...['a', 'c', 'm', 'z'].map((key) => ({ key, value: { hash, value: 'Bea', quiet: false }, timestampMs: 3 })),
      ...['a', 'c', 'm', 'z'].map((key) => ({ key, value: { hash, value: null, quiet: false }, timestampMs: 4 })),
    ]);
  });

  it('keeps keys that are no texts by their bytes', () => {
    const stores = new TaskStores();
    const answer = new OperatorHarness(foreignKeyAnswer('answer', { ...tableIn('customers', customers), node: 'customers-table' }, {
      key: float64, value: order, foreignKey: float64,
    }), stores);
    answer.push({ key: 1, value: { instruction: 'subscribe', key: -0.5, hash: hashOf(of(1)) }, timestampMs: 5 });
    answer.restart();
    answer.take();
    answer.pushInto(1, told('Ada', 6));
    expect(answer.take().map(({ key }) => key)).toEqual([-0.5]);
    const store = groupedStore({ name: 'answer', value: subscriberCodec(float64, float64, order) });
    expect(stores.get(store).entries).toBe(1);
  });

  it('drops and counts versions behind the newest, and what has no foreign key', () => {
    const { answer, stores } = start();
    const versioned = new OperatorHarness(foreignKeyAnswer('answer', { ...tableIn('customers', customers), node: 'customers-table', versioned: true }, {
      key: utf8, value: order, foreignKey: float64,
    }), stores);
    versioned.pushInto(1, { ...told('Bea', 1), value: { newValue: 'Bea', oldValue: null, isLatest: false } });
    answer.push({ ...asking(1, 'subscribe'), key: null as unknown as number });
    expect([versioned.dropped, answer.dropped]).toEqual([{ 'out-of-order': 1 }, { 'null-key': 1 }]);
  });
});
