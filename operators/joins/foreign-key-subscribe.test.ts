import { describe, expect, it } from 'vitest';
import { float64, json } from '../../schemas/builtin-codecs.ts';
import { valueHash } from '../../schemas/value-hash.ts';
import { OperatorHarness } from '../testing/harness.ts';
import type { Answer } from './foreign-key-messages.ts';
import { foreignKeySubscribe, WITHOUT_FOREIGN_KEY } from './foreign-key-subscribe.ts';

interface Order {
  readonly customer: number | null;
}

const order = json<Order>('order');
const of = (customer: number | null): Order => ({ customer });
const hashOf = (value: Order | null): Buffer | null => (value === null ? null : valueHash(value, order));

describe('a foreign-key join, subscribing,', () => {
  const running = (type: 'inner' | 'left', versioned = false) => new OperatorHarness(foreignKeySubscribe<string, Order, number>(
    'subscribe', { type, versioned, foreignKeyOf: ({ customer }) => customer, foreignKey: float64, value: order },
  ));
  /** What a change sends: foreign key and instruction, or that it is answered at once. */
  const sent = (type: 'inner' | 'left', oldValue: Order | null, newValue: Order | null): unknown[] => {
    const subscribe = running(type);
    subscribe.push({ key: 'o', value: { newValue, oldValue, isLatest: true }, timestampMs: 5 });
    const direct = subscribe.take(WITHOUT_FOREIGN_KEY).map((one) => {
      const { quiet } = one.value as Answer<never>;
      expect(one).toEqual({ key: 'o', value: { hash: hashOf(newValue), value: null, quiet }, timestampMs: 5 });
      return quiet ? 'answered quietly' : 'answered';
    });
    return [...subscribe.take().map(({ key, value, timestampMs }) => {
      expect([value.key, value.hash, timestampMs]).toEqual(['o', hashOf(newValue), 5]);
      return [key, value.instruction];
    }), ...direct, ...Object.entries(subscribe.dropped)];
  };

  it('of an inner join takes back only what may have been joined', () => {
    expect(sent('inner', null, of(1))).toEqual([[1, 'subscribe-quietly']]);
    expect(sent('inner', of(1), of(1))).toEqual([[1, 'subscribe-quietly']]);
    expect(sent('inner', of(1), of(2))).toEqual([[1, 'unsubscribe'], [2, 'subscribe']]);
    expect(sent('inner', of(1), null)).toEqual([[1, 'unsubscribe-and-answer']]);
    expect(sent('inner', null, null)).toEqual(['answered quietly']);
  });

  it('of an inner join drops and counts a row without a foreign key, and takes back what was there', () => {
    expect(sent('inner', null, of(null))).toEqual(['answered quietly', ['null-key', 1]]);
    expect(sent('inner', of(null), of(null))).toEqual(['answered quietly', ['null-key', 1]]);
    expect(sent('inner', of(1), of(null))).toEqual([[1, 'unsubscribe-and-answer'], ['null-key', 1]]);
    expect(sent('inner', of(null), of(1))).toEqual([[1, 'subscribe-quietly']]);
    expect(sent('inner', of(null), null)).toEqual(['answered quietly']);
  });

  it('of a left join wants an answer to every change, and gives it itself without a foreign key', () => {
    expect(sent('left', null, of(1))).toEqual([[1, 'subscribe']]);
    expect(sent('left', of(1), of(1))).toEqual([[1, 'subscribe']]);
    expect(sent('left', of(1), of(2))).toEqual([[1, 'unsubscribe'], [2, 'subscribe']]);
    expect(sent('left', of(1), null)).toEqual([[1, 'unsubscribe'], 'answered']);
    expect(sent('left', of(1), of(null))).toEqual([[1, 'unsubscribe'], 'answered']);
    expect(sent('left', null, of(null))).toEqual(['answered']);
    expect(sent('left', null, null)).toEqual([]);
  });

  it('drops and counts what is behind the newest version of a versioned table', () => {
    for (const [versioned, count] of [[true, 0], [false, 1]] as const) {
      const subscribe = running('left', versioned);
      subscribe.push({ key: 'o', value: { newValue: of(1), oldValue: null, isLatest: false }, timestampMs: 5 });
      expect([subscribe.take().length, subscribe.dropped['out-of-order'] ?? 0]).toEqual([count, 1 - count]);
    }
  });

  it('hands an error of the foreign key\'s function to the policy', () => {
    const subscribe = new OperatorHarness(foreignKeySubscribe<string, Order, number>('subscribe', {
      type: 'left', versioned: false, foreignKeyOf: () => { throw new Error('no'); }, foreignKey: float64, value: order,
    }));
    subscribe.push({ key: 'o', value: { newValue: of(1), oldValue: null, isLatest: true }, timestampMs: 5 });
    expect(subscribe.failures).toHaveLength(1);
  });
});
