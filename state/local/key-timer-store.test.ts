import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyTimerStore } from './key-timer-store.ts';
import { DurableCells } from './testing/durable-cells.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

const definition = keyTimerStore({ name: 'timers' });

describe('a store of timers by key', () => {
  it('gives many timers in order, however they were set and set anew', () => {
    const store = keyTimerStore({ name: 'many' }).create();
    const dueOf = (at: number, round: number): number => (at * 37 + round * 91) % 1_009;
    for (const round of [0, 1, 2]) for (let at = 0; at < 300; at += 1) store.schedule('a', dueOf(at, round), `${at}`);
    const wanted = Array.from({ length: 300 }, (_, at) => at).sort((a, b) => dueOf(a, 2) - dueOf(b, 2) || a - b).map(String);
    expect(store.drain('a', 2_000)).toEqual(wanted);
  });

  it('moves a key’s time only forwards', () => {
    const store = definition.create();
    expect(store.timeOf('a')).toBe(-1);
    expect([store.advance('a', 5), store.advance('a', 5), store.advance('a', 4), store.advance('b', 1)]).toEqual([true, false, false, true]);
    expect([store.timeOf('a'), store.timeOf('b')]).toEqual([5, 1]);
  });

  it('writes a key once a commit, however often it went on', () => {
    const store = definition.create();
    for (let timeMs = 0; timeMs < 10; timeMs += 1) store.advance('a', timeMs);
    store.schedule('a', 30, 'x');
    expect(store.changes).toBe(1);
    const durable = new DurableCells();
    expect(durable.commit(store).length).toBe(1);
    expect(durable.commit(store)).toEqual([]);
    expect(store.advance('a', 3)).toBe(false);
    expect(durable.commit(store)).toEqual([]);
    expect(durable.load(definition).get('a')).toEqual({ timeMs: 9, timers: [[30, 'x']] });
  });

  it('gives what is due first due first, and at equal times in the order in which it was set', () => {
    const store = definition.create();
    store.schedule('a', 20, 'x');
    store.schedule('a', 10, 'z');
    store.schedule('a', 10, 'y');
    store.schedule('a', 10, 'x');
    expect(store.drain('a', 9)).toEqual([]);
    expect(store.drain('b', 9)).toEqual([]);
    expect(store.drain('a', 10)).toEqual(['z', 'y', 'x']);
    expect(store.drain('a', 99)).toEqual([]);
  });

  it('tells what is due next, when an id is due, and which keys have something due', () => {
    const store = definition.create();
    expect([store.nextDueMs('a'), store.dueOf('a', 'x'), store.keysDue(99)]).toEqual([undefined, undefined, []]);
    for (const key of ['b', 'a', 'c']) store.schedule(key, key === 'c' ? 21 : 20, 'x');
    store.schedule('a', 10, 'y');
    expect([store.nextDueMs('a'), store.dueOf('a', 'x'), store.nextDueMs('c')]).toEqual([10, 20, 21]);
    expect([store.keysDue(9), store.keysDue(10), store.keysDue(20)]).toEqual([[], ['a'], ['a', 'b']]);
    store.drain('a', 20);
    expect([store.nextDueMs('a'), store.dueOf('a', 'x'), store.keysDue(20)]).toEqual([undefined, undefined, ['b']]);
  });

  it('gives a snapshot that does not change any more', () => {
    const store = definition.create();
    store.schedule('a', 20, 'x');
    const before = store.get('a');
    store.advance('a', 7);
    store.schedule('a', 20, 'y');
    expect(before).toEqual({ timeMs: -1, timers: [[20, 'x']] });
  });

  it('refuses names that UTF-8 cannot carry', () => {
    expect(() => definition.create().advance('\ud800', 1)).toThrow(/SERIALISATION_FAILED/);
    expect(() => definition.create().schedule('a', 1, '\ud800')).toThrow(/SERIALISATION_FAILED/);
  });

  it('behaves as a sorted list with any commits and restarts in between', () => {
    const key = fc.constantFrom('a', 'b');
    const command = fc.oneof(
      fc.record({ do: fc.constant('schedule' as const), key, timeMs: fc.nat(9), id: fc.constantFrom('x', 'y', 'z', 'w') }),
      fc.record({ do: fc.constantFrom('drain' as const, 'advance' as const), key, timeMs: fc.nat(9) }),
      fc.record({ do: fc.constantFrom('commit' as const, 'restart' as const) }),
    );
    fc.assert(fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const model = new Map<string, { timeMs: number; timers: [number, string][] }>();
      const durable = new DurableCells();
      let store = definition.create();
      for (const one of commands) {
        if (!('key' in one)) {
          durable.commit(store);
          if (one.do === 'restart') store = durable.load(definition);
          continue;
        }
        const held = model.get(one.key) ?? { timeMs: -1, timers: [] };
        if ('id' in one) {
          held.timers = [...held.timers.filter(([, id]) => id !== one.id), [one.timeMs, one.id] as [number, string]].sort((left, right) => left[0] - right[0]);
          store.schedule(one.key, one.timeMs, one.id);
        } else if (one.do === 'advance') {
          expect(store.advance(one.key, one.timeMs)).toBe(one.timeMs > held.timeMs);
          held.timeMs = Math.max(held.timeMs, one.timeMs);
        } else {
          expect(store.drain(one.key, one.timeMs)).toEqual(held.timers.filter(([dueMs]) => dueMs <= one.timeMs).map(([, id]) => id));
          held.timers = held.timers.filter(([dueMs]) => dueMs > one.timeMs);
        }
        if (one.do !== 'drain') model.set(one.key, held);
        for (const [name, wanted] of model) expect(store.get(name)).toEqual(wanted);
        expect(store.entries).toBe(model.size);
      }
    }), propertyRuns());
  });
});
