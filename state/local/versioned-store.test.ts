import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64, utf8 } from '../../schemas/builtin-codecs.ts';
import { versionedStore } from './versioned-store.ts';
import { DurableCells } from './testing/durable-cells.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

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

  it('remembers a tombstone with the time of the newest version only when a value ends at that time', () => {
    const store = definition.create();
    store.put('a', 1, 10);
    store.put('a', null, 10);
    expect([store.newestMs('a'), store.entries]).toEqual([undefined, 0]);
    store.put('a', 2, 5);
    expect(store.get('a')).toEqual({ value: 2, timestampMs: 5 });
    store.put('a', 3, 10);
    store.put('a', null, 10);
    expect([store.newestMs('a'), store.get('a'), store.getAsOf('a', 9)?.value]).toEqual([10, undefined, 2]);
  });

  it('tells when the newest version begins, also of a tombstone', () => {
    const store = definition.create();
    expect(store.newestMs('a')).toBeUndefined();
    store.put('a', 1, 5);
    store.put('a', null, 8);
    store.put('a', 2, 6);
    expect(store.newestMs('a')).toBe(8);
  });

  it('answers as closed spans behind an open one would, with any commits and restarts in between', () => {
    const key = fc.constantFrom('a', 'b');
    const command = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), key, value: fc.option(fc.nat(), { freq: 2 }), stepMs: fc.oneof(fc.integer({ min: -14, max: 5 }), fc.integer({ min: -3, max: 0 })) }) },
      fc.record({ do: fc.constantFrom('commit' as const, 'restart' as const) }),
    );
    fc.assert(fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const model = { a: new Spans(), b: new Spans() };
      let observedMs = 20;
      const durable = new DurableCells();
      let store = definition.create();
      store.put('z', 0, observedMs);
      for (const one of commands) {
        if (one.do === 'put') {
          const timestampMs = observedMs + one.stepMs;
          const isTaken = timestampMs >= observedMs - historyMs;
          expect(store.put(one.key, one.value, timestampMs)).toBe(isTaken);
          if (isTaken) model[one.key].put(one.value, timestampMs);
          observedMs = Math.max(observedMs, timestampMs);
        } else {
          durable.commit(store);
          if (one.do === 'restart') store = durable.load(definition);
        }
        for (const wanted of ['a', 'b'] as const) {
          const spans = model[wanted];
          expect(store.get(wanted)?.value).toBe(spans.open?.value);
          const { newestMs } = spans;
          if (newestMs !== undefined && newestMs >= observedMs - historyMs) expect(store.newestMs(wanted)).toBe(newestMs);
          const times = Array.from({ length: 22 }, (_unused, index) => observedMs - 20 + index);
          expect(times.map((asOfMs) => store.getAsOf(wanted, asOfMs)?.value)).toEqual(times.map((asOfMs) => {
            const isOpen = spans.open !== null && spans.open.fromMs <= asOfMs;
            return isOpen || asOfMs >= observedMs - historyMs ? spans.asOf(asOfMs) : undefined;
          }));
        }
      }
    }), propertyRuns());
  });
});

/** Versions of one key as Kafka Streams keeps them: values by closed spans, which reach to `endMs`, and the open one behind them. */
class Spans {
  readonly #closed = new Map<number, number | null>();
  #endMs: number | undefined;
  open: { readonly value: number; readonly fromMs: number } | null = null;

  get newestMs(): number | undefined {
    return this.open?.fromMs ?? this.#endMs;
  }

  put(value: number | null, fromMs: number): void {
    const { open } = this;
    if (open === null ? fromMs >= (this.#endMs ?? 0) : fromMs >= open.fromMs) {
      if (open !== null && fromMs > open.fromMs) this.#close(open.value, open.fromMs, fromMs);
      if (open === null && value === null) this.#close(null, this.#endMs ?? fromMs, fromMs);
      this.open = value === null ? null : { value, fromMs };
    } else if (open !== null && fromMs >= (this.#endMs ?? 0)) {
      this.#close(value, fromMs, open.fromMs);
    } else {
      this.#closed.set(fromMs, value);
    }
  }

  asOf(asOfMs: number): number | undefined {
    if (this.open !== null && this.open.fromMs <= asOfMs) return this.open.value;
    if (this.#endMs === undefined || asOfMs >= this.#endMs) return undefined;
    const fromMs = Math.max(...[...this.#closed.keys()].filter((one) => one <= asOfMs), -1);
    return this.#closed.get(fromMs) ?? undefined;
  }

  #close(value: number | null, fromMs: number, endMs: number): void {
    if (this.#endMs !== undefined && this.#endMs < fromMs) this.#closed.set(this.#endMs, null);
    this.#closed.set(fromMs, value);
    this.#endMs = endMs;
  }
}
