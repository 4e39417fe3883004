import { describe, expect, it } from 'vitest';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { versionedStore } from '../state/local/versioned-store.ts';
import { joinTable, leftJoinTable } from './join-table.ts';
import { OperatorHarness, TaskStores } from './testing/harness.ts';
import { tableIn } from './testing/tables.ts';

const versions = versionedStore({ name: 'table', key: utf8, value: utf8, historyMs: 100 });
const values = keyValueStore({ name: 'table', key: utf8, value: timestamped(utf8) });
const versioned = tableIn('table', versions);
const plain = tableIn('table', values);
const at = (timestampMs: number, key: string | null = 'a', value: string | null = 'left') => ({ key, value, timestampMs });
const both = (left: string, right: string | null): string => `${left}+${right}`;
type Text = string | null;

describe('joinTable', () => {
  it('joins with the value of a key-value table as it is now, and gives nothing where there is none', () => {
    const stores = new TaskStores();
    const running = new OperatorHarness(joinTable<string, string, string, string>('join', plain, both), stores);
    running.push(at(5));
    stores.get(values).put('a', { value: 'right', timestampMs: 0 });
    running.push(at(1));
    expect(running.take()).toEqual([{ key: 'a', value: 'left+right', timestampMs: 1 }]);
  });

  it('joins with the version that was valid at the record\'s time', () => {
    const stores = new TaskStores();
    const running = new OperatorHarness(leftJoinTable<Text, Text, string, string>('join', versioned, both), stores);
    stores.get(versions).put('a', 'one', 10);
    stores.get(versions).put('a', 'two', 20);
    running.push(at(9), at(19), at(20));
    expect(running.take().map(({ value }) => value)).toEqual(['left+null', 'left+one', 'left+two']);
  });

  it('drops records without key or value and counts them; a left join keeps those without a key', () => {
    const inner = new OperatorHarness(joinTable<string, string, string, string>('join', plain, both));
    inner.push(at(0, null), at(0, 'a', null));
    expect(inner.dropped).toEqual({ 'null-key': 1, 'null-value': 1 });
    const left = new OperatorHarness(leftJoinTable<Text, Text, string, string>('join', plain, both));
    left.push(at(0, null), at(0, null, null));
    expect(left.take()).toEqual([{ key: null, value: 'left+null', timestampMs: 0 }]);
    expect(left.dropped).toEqual({ 'null-value': 1 });
  });

  it('hands an error of the joiner to the policy', () => {
    const running = new OperatorHarness(leftJoinTable<Text, Text, string, string>('join', plain, () => { throw new Error('no'); }));
    running.push(at(0));
    expect(running.failures).toHaveLength(1);
  });
});

describe('joinTable with a grace', () => {
  const grace = { graceMs: 10, key: utf8, value: utf8 };
  const run = (stores = new TaskStores()) => new OperatorHarness(leftJoinTable<Text, Text, string, string>('join', versioned, both, grace), stores);

  it('lets records wait for table versions that arrive late, and gives them by time, key and arrival', () => {
    const stores = new TaskStores();
    const running = run(stores);
    running.push(at(5, 'b'), at(5, 'a', 'first'), at(5, 'a', 'second'), at(4, 'c'));
    expect(running.take()).toEqual([]);
    stores.get(versions).put('a', 'late', 3);
    running.restart();
    running.push(at(15, 'd'));
    expect(running.take()).toEqual([
      { key: 'c', value: 'left+null', timestampMs: 4 },
      { key: 'a', value: 'first+late', timestampMs: 5 },
      { key: 'a', value: 'second+late', timestampMs: 5 },
      { key: 'b', value: 'left+null', timestampMs: 5 },
    ]);
  });

  it('joins a record later than the grace at once', () => {
    const running = run();
    running.push(at(100), at(89));
    expect(running.take().map(({ timestampMs }) => timestampMs)).toEqual([89]);
  });

  it('lets records leave when the sources have been idle, and joins at once what comes behind that', () => {
    const running = run();
    running.push(at(100), at(105, 'b'));
    running.idle(109);
    expect(running.take()).toEqual([]);
    running.idle(112);
    expect(running.take().map(({ timestampMs }) => timestampMs)).toEqual([100]);
    running.restart();
    running.push(at(101, 'c'));
    running.idle(200);
    expect(running.take().map(({ timestampMs }) => timestampMs)).toEqual([101, 105]);
  });

  it('lets the others leave when the joiner throws for one that has waited', () => {
    const running = new OperatorHarness(leftJoinTable<Text, Text, string, string>('join', versioned, (left, right) => {
      if (left === 'bad') throw new Error('no');
      return both(left, right);
    }, grace));
    running.push(at(5, 'a', 'bad'), at(6, 'a', 'good'), at(100, 'b'));
    expect(running.take().map(({ value }) => value)).toEqual(['good+null']);
    expect(running.failures.map(({ record, kept }) => [record, kept])).toEqual([[at(5, 'a', 'bad'), true]]);
  });

  it('joins a record without a key at once, and takes no time from it', () => {
    const running = run();
    running.push(at(5), at(100, null));
    expect(running.take()).toEqual([{ key: null, value: 'left+null', timestampMs: 100 }]);
  });

  it('needs a versioned table', () => {
    expect(() => joinTable<string, string, string, string>('join', plain, both, grace)).toThrow(/TOPOLOGY_INVALID.*versions/s);
  });
});
