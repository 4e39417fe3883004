import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64, utf8 } from '../../schemas/builtin-codecs.ts';
import { versionedStore } from './versioned-store.ts';
import { DurableCells } from './testing/durable-cells.ts';
import { propertyRuns } from './testing/property-runs.ts';

const historyMs = 10;
const definition = versionedStore({ name: 'versions', key: utf8, value: float64, historyMs });

describe('a versioned store', () => {
  it('gives the version that was valid at a time, whatever the order of puts', () => {
    const store = definition.create();
    store.put('a', 2, 8);
    store.put('a', 1, 4);
    store.put('a', null, 6);
    expect([3, 4, 5, 6, 7, 8, 99].map((asOfMs) => store.getAsOf('a', asOfMs)?.value)).toEqual([undefined, 1, 1, undefined, undefined, 2, 2]);
    expect(store.get('a')).toEqual({ value: 2, timestampMs: 8 });
  });

  it('refuses a put older than the history behind the newest timestamp of any key, and takes one at its very edge', () => {
    const store = definition.create();
    store.put('a', 1, 20);
    expect(store.put('b', 2, 9)).toBe(false);
    expect(store.put('b', 2, 10)).toBe(true);
    expect(store.get('b')?.value).toBe(2);
  });

  it('answers behind the history only with a latest version that was valid then already', () => {
    const store = definition.create();
    store.put('a', 1, 5);
    store.put('b', 1, 5);
    store.put('b', 2, 14);
    store.put('c', 1, 20);
    expect(store.getAsOf('a', 7)?.value).toBe(1);
    expect(store.getAsOf('b', 7)).toBeUndefined();
    expect(store.getAsOf('b', 10)?.value).toBe(1);
  });

  it('replaces a version by one of the same time', () => {
    const store = definition.create();
    store.put('a', 1, 5);
    store.put('a', 2, 5);
    expect(store.entries).toBe(1);
    expect(store.get('a')?.value).toBe(2);
  });

  it('gives the latest versions in key order, without tombstones', () => {
    const store = definition.create();
    for (const [key, value] of [['c', 1], ['a', 2], ['b', null]] as const) store.put(key, value, 1);
    expect([...store.latest()]).toEqual([['a', 2], ['c', 1]]);
  });

  it('lets go of versions and tombstones behind the history, also of keys that are not put any more', () => {
    const store = definition.create();
    const durable = new DurableCells();
    store.put('gone', 1, 0);
    store.put('gone', null, 1);
    for (let timeMs = 2; timeMs < 1_200; timeMs += 1) store.put('a', timeMs, timeMs);
    durable.commit(store);
    // Those of the last 10 ms, the one valid before them, and at most what the next sweep will find.
    expect(store.entries).toBeLessThanOrEqual(historyMs + 2);
    expect(durable.size).toBe(store.entries + 1);
  });

  it('answers as a list of all puts would, with any commits and restarts in between', () => {
    const key = fc.constantFrom('a', 'b');
    const command = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), key, value: fc.option(fc.nat()), stepMs: fc.integer({ min: -14, max: 5 }) }) },
      fc.record({ do: fc.constantFrom('commit' as const, 'restart' as const) }),
    );
    fc.assert(fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      let puts: { key: string; value: number | null; timestampMs: number }[] = [];
      let observedMs = 20;
      const durable = new DurableCells();
      let store = definition.create();
      store.put('z', 0, observedMs);
      for (const one of commands) {
        if (one.do === 'put') {
          const timestampMs = observedMs + one.stepMs;
          const isTaken = timestampMs >= observedMs - historyMs;
          expect(store.put(one.key, one.value, timestampMs)).toBe(isTaken);
          if (isTaken) puts = [...puts.filter((put) => put.key !== one.key || put.timestampMs !== timestampMs), { key: one.key, value: one.value, timestampMs }];
          observedMs = Math.max(observedMs, timestampMs);
        } else {
          durable.commit(store);
          if (one.do === 'restart') store = durable.load(definition);
        }
        for (const wanted of ['a', 'b']) {
          const versions = puts.filter((put) => put.key === wanted).sort((left, right) => left.timestampMs - right.timestampMs);
          for (let asOfMs = observedMs - 20; asOfMs <= observedMs + 1; asOfMs += 1) {
            const valid = versions.findLast((put) => put.timestampMs <= asOfMs);
            const isReadable = asOfMs >= observedMs - historyMs || valid === versions.at(-1);
            const answer = valid === undefined || valid.value === null || !isReadable ? undefined : { value: valid.value, timestampMs: valid.timestampMs };
            expect(store.getAsOf(wanted, asOfMs)).toEqual(answer);
          }
        }
      }
    }), propertyRuns());
  });
});
