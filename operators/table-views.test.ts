import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64, utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { versionedStore } from '../state/local/versioned-store.ts';
import { storeLookup } from './joins/table-lookup.ts';
import type { StreamRecord } from './operator.ts';
import { tableSource, type Change } from './table-source.ts';
import { tableToStream, viewLookup, viewTable } from './table-views.ts';
import { OperatorHarness } from './testing/harness.ts';

const values = keyValueStore({ name: 'table', key: utf8, value: timestamped(float64) });
const isEven = (value: number): number | null => (value % 2 === 0 ? value : null);
const change = (newValue: number | null, oldValue: number | null, isLatest = true): StreamRecord<string, Change<number>> =>
  ({ key: 'a', value: { newValue, oldValue, isLatest }, timestampMs: 7 });

describe('a view of a table', () => {
  it('shows both sides of a change, so that what ceases to pass a filter is deleted', () => {
    const running = new OperatorHarness(viewTable<string, number, number>('filterTable', isEven, false));
    running.push(change(2, null), change(3, 2), change(4, 3));
    expect(running.take()).toEqual([change(2, null), change(null, 2), change(4, null)]);
  });

  it('gives no tombstone for what its filter never showed, but a mapped table passes every change on', () => {
    const filtered = new OperatorHarness(viewTable<string, number, number>('filterTable', isEven, false));
    filtered.push(change(1, null), change(3, 1), change(null, 3));
    expect(filtered.take()).toEqual([]);
    const mapped = new OperatorHarness(viewTable('mapTableValues', (value: number) => (value > 9 ? null : -value), false));
    mapped.push(change(10, 11), change(null, null));
    expect(mapped.take()).toEqual([change(null, null), change(null, null)]);
  });

  it('of a versioned table passes on what its filter hides: it may end a version in the middle', () => {
    const running = new OperatorHarness(viewTable('filterTable', isEven, true));
    running.push(change(3, 1, false));
    expect(running.take()).toEqual([change(null, null, false)]);
  });

  it('hands an error of its function to the policy', () => {
    const running = new OperatorHarness(viewTable<string, number, number>('mapTableValues', () => { throw new Error('no'); }, false));
    running.push(change(1, null));
    expect(running.failures).toHaveLength(1);
  });

  it('looks values and versions up as it shows them, with the timestamps that they have', () => {
    const versions = versionedStore({ name: 'table', key: utf8, value: float64, historyMs: 100 });
    const running = new OperatorHarness(tableSource('table', versions));
    running.push({ key: 'a', value: 2, timestampMs: 10 }, { key: 'a', value: 3, timestampMs: 20 });
    const shown = viewLookup(storeLookup({ store: (definition) => running.stores.get(definition) }, versions), (value: number) => isEven(value));
    expect([shown.get('a'), shown.get('b'), shown.getAsOf('a', 15), shown.getAsOf('a', 25)]).toEqual([undefined, undefined, { value: 2, timestampMs: 10 }, undefined]);
  });

  it('holds after each change what it shows of the table, and its changes add up to that', () => {
    const record = fc.record({ key: fc.constantFrom('a', 'b'), value: fc.option(fc.nat(9)), timestampMs: fc.nat(20) });
    fc.assert(fc.property(fc.array(record, { maxLength: 30 }), fc.infiniteStream(fc.nat(9)), (records, dice) => {
      const table = new Map<string, number>();
      const followed = new Map<string, number>();
      const view = new OperatorHarness(viewTable<string, number, number>('filterTable', isEven, false));
      const source = new OperatorHarness(tableSource('table', values), undefined, (_port, one) => view.push(one as StreamRecord<string, Change<number>>));
      for (const one of records) {
        source.push(one);
        if (one.value === null) table.delete(one.key);
        else table.set(one.key, one.value);
        for (const { key, value } of view.take()) {
          expect(value.oldValue).toBe(followed.get(key) ?? null);
          if (value.newValue === null) followed.delete(key);
          else followed.set(key, value.newValue);
        }
        if (dice.next().value === 0) source.restart();
        const shown = viewLookup(storeLookup({ store: (definition) => source.stores.get(definition) }, values), (value: number) => isEven(value));
        for (const key of ['a', 'b']) {
          const held = isEven(table.get(key) ?? 1);
          expect([shown.get(key)?.value ?? null, followed.get(key) ?? null]).toEqual([held, held]);
        }
      }
    }), propertyRuns());
  });
});

it('follows a table as a stream of its new values', () => {
  const running = new OperatorHarness(tableToStream<string, number>());
  running.push(change(1, null), change(null, 1));
  expect(running.take()).toEqual([{ key: 'a', value: 1, timestampMs: 7 }, { key: 'a', value: null, timestampMs: 7 }]);
});
