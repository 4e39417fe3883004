import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { timeKeyStore } from './time-key-store.ts';
import { DurableCells } from './testing/durable-cells.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

const definition = timeKeyStore({ name: 'windows', key: utf8, value: float64 });

describe('a time-key store', () => {
  it('drains by time and then by key bytes, up to and with the time given', () => {
    const store = definition.create();
    for (const [key, timeMs] of [['b', 10], ['\u{1F600}', 5], ['a', 10], ['\uFFFD', 5], ['a', 11]] as const) store.put(key, timeMs, 0);
    expect(store.drain(10).map(({ key, timeMs }) => [timeMs, key])).toEqual([[5, '\uFFFD'], [5, '\u{1F600}'], [10, 'a'], [10, 'b']]);
    expect(store.earliestMs).toBe(11);
    expect(store.entries).toBe(1);
  });

  it('gives the times of one key within bounds, both inclusive', () => {
    const store = definition.create();
    for (const timeMs of [30, 10, 20, 40]) store.put('a', timeMs, timeMs);
    store.put('b', 25, 0);
    expect(store.fetch('a', 10, 30).map(({ timeMs }) => timeMs)).toEqual([10, 20, 30]);
    expect(store.earliestOf('a')).toBe(10);
    expect(store.latestMs).toBe(40);
  });

  it('gives the last entry of one key up to and with a time', () => {
    const store = definition.create();
    for (const timeMs of [30, 10, 20]) store.put('a', timeMs, timeMs);
    store.put('b', 15, 0);
    expect([9, 10, 29, 30, 31].map((toMs) => store.lastOf('a', toMs)?.value)).toEqual([undefined, 10, 20, 30, 30]);
    expect(store.lastOf('c', 100)).toBeUndefined();
  });

  it('visits everything, the times of a key ascending', () => {
    const store = definition.create();
    for (const [key, timeMs] of [['a', 30], ['b', 15], ['a', 10]] as const) store.put(key, timeMs, timeMs);
    const visited: unknown[] = [];
    store.each((key, timeMs, value) => visited.push([key, timeMs, value]));
    expect(visited.sort()).toEqual([['a', 10, 10], ['a', 30, 30], ['b', 15, 15]]);
  });

  it('reads back from the durable store in the order of time, then key', () => {
    const store = definition.create();
    store.put('a', 300, 1);
    store.put('b', 2, 1);
    store.put('a', -1, 1);
    const keys = new DurableCells().commit(store).map((cell) => cell.key).sort(Buffer.compare);
    expect(keys.map((key) => utf8.decode(key.subarray(8)))).toEqual(['a', 'b', 'a']);
  });

  it('does not look at keys that are not due', () => {
    const compared = { encodes: 0 };
    const counting: Codec<number> = { ...json<number>(), encode: (value) => { compared.encodes += 1; return json<number>().encode(value); } };
    const store = timeKeyStore({ name: 'many', key: counting, value: float64 }).create();
    for (let key = 0; key < 2_000; key += 1) store.put(key, key < 3 ? 1 : 2, 0);
    compared.encodes = 0;
    expect(store.drain(1).map(({ key }) => key)).toEqual([0, 1, 2]);
    expect(compared.encodes).toBe(0);
  });

  it('does not grow when timers are set and taken back behind one that stays', () => {
    const store = definition.create();
    store.put('stays', 0, 0);
    for (let timeMs = 1; timeMs <= 100_000; timeMs += 1) {
      store.put('timer', timeMs, 0);
      store.delete('timer', timeMs);
      if (timeMs % 1_000 === 0) new DurableCells().commit(store);
    }
    expect(store.entries).toBe(1);
    expect(store.latestMs).toBe(0);
    expect(store.changes).toBe(0);
  });

  it('refuses a time that is not in whole milliseconds when it is written', () => {
    const store = definition.create();
    store.put('a', 0.5, 1);
    expect(() => new DurableCells().commit(store)).toThrow(/SERIALISATION_FAILED/);
  });

  const key = fc.constantFrom('a', 'b', '\u{10000}', '\uffff');
  const timeMs = fc.integer({ min: -2, max: 12 });
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), key, timeMs, value: fc.nat() }) },
    fc.record({ do: fc.constantFrom('delete' as const, 'drain' as const, 'drainKey' as const), key, timeMs }),
    fc.record({ do: fc.constantFrom('commit' as const, 'restart' as const), key, timeMs }),
  );

  it('behaves as a sorted list with any commits and restarts in between', () => {
    fc.assert(fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      type Entry = { key: string; timeMs: number; value: number };
      let model: Entry[] = [];
      const take = (due: (entry: Entry) => boolean): Entry[] => {
        const taken = model.filter(due);
        model = model.filter((entry) => !due(entry));
        return taken;
      };
      const durable = new DurableCells();
      let store = definition.create();
      for (const one of commands) {
        const same = (entry: Entry): boolean => entry.key === one.key && entry.timeMs === one.timeMs;
        if (one.do === 'put') {
          take(same);
          model.push({ key: one.key, timeMs: one.timeMs, value: one.value });
          model.sort((left, right) => left.timeMs - right.timeMs || Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
          store.put(one.key, one.timeMs, one.value);
        } else if (one.do === 'delete') {
          take(same);
          store.delete(one.key, one.timeMs);
        } else if (one.do === 'drain') {
          expect(store.drain(one.timeMs)).toEqual(take((entry) => entry.timeMs <= one.timeMs));
        } else if (one.do === 'drainKey') {
          expect(store.drainKey(one.key, one.timeMs)).toEqual(take((entry) => entry.key === one.key && entry.timeMs <= one.timeMs));
        } else {
          durable.commit(store);
          expect(durable.size).toBe(model.length);
          if (one.do === 'restart') store = durable.load(definition);
        }
        expect([...store.all()]).toEqual(model);
        expect(store.entries).toBe(model.length);
        expect(store.earliestMs).toBe(model[0]?.timeMs);
        expect(store.latestMs).toBe(model.at(-1)?.timeMs);
        expect(store.get(one.key, one.timeMs)).toBe(model.find(same)?.value);
        expect(store.fetch(one.key, one.timeMs - 3, one.timeMs + 3)).toEqual(
          model.filter((entry) => entry.key === one.key && Math.abs(entry.timeMs - one.timeMs) <= 3).map((entry) => ({ timeMs: entry.timeMs, value: entry.value })));
      }
    }), propertyRuns());
  });
});
