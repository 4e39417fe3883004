import { expect, it } from 'vitest';
import { float64, utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { versionedStore } from '../state/local/versioned-store.ts';
import { tableSource } from './table-source.ts';
import { OperatorHarness } from './testing/harness.ts';

const at = (value: number | null, timestampMs: number, key: string | null = 'a') => ({ key, value, timestampMs });

it('keeps the newest value and passes on what changed', () => {
  const store = keyValueStore({ name: 'table', key: utf8, value: timestamped(float64) });
  const running = new OperatorHarness(tableSource('table', store));
  running.push(at(1, 5), at(2, 3), at(null, 9), at(1, 9, null));
  expect(running.take().map(({ value }) => value)).toEqual([
    { newValue: 1, oldValue: null, isLatest: true },
    { newValue: 2, oldValue: 1, isLatest: true },
    { newValue: null, oldValue: 2, isLatest: true },
  ]);
  expect(running.dropped).toEqual({ 'null-key': 1 });
  expect(running.stores.get(store).entries).toBe(0);
});

it('keeps versions, says which are not the latest, and counts those behind the history', () => {
  const running = new OperatorHarness(tableSource('table', versionedStore({ name: 'table', key: utf8, value: float64, historyMs: 10 })));
  running.push(at(1, 20), at(2, 15), at(3, 9), at(null, 25), at(4, 22));
  expect(running.take().map(({ value }) => value)).toEqual([
    { newValue: 1, oldValue: null, isLatest: true },
    { newValue: 2, oldValue: 1, isLatest: false },
    { newValue: null, oldValue: 1, isLatest: true },
    { newValue: 4, oldValue: null, isLatest: false },
  ]);
  expect(running.dropped).toEqual({ expired: 1 });
});

it('knows a tombstone behind a newer tombstone from the latest, after a restart, too', () => {
  const running = new OperatorHarness(tableSource('table', versionedStore({ name: 'table', key: utf8, value: float64, historyMs: 100 })));
  running.push(at(1, 20), at(null, 30));
  running.restart();
  running.push(at(null, 25), at(2, 27), at(null, 30), at(3, 30));
  expect(running.take().map(({ value, timestampMs }) => [value.newValue, timestampMs, value.isLatest])).toEqual([
    [1, 20, true], [null, 30, true], [null, 25, false], [2, 27, false], [null, 30, true], [3, 30, true],
  ]);
});
