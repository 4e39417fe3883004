import { describe, expect, it } from 'vitest';
import { json, utf8, type WindowedKey } from '../schemas/builtin-codecs.ts';
import { tableRepartitionMap } from './table-repartition-map.ts';
import { OperatorHarness } from './testing/harness.ts';

/** `site/amount`; without a site or an amount, the row is left out of one or the other; `-` is no row at all. */
function groupOf(value: string): { readonly key: string | null; readonly value: string | null } | null {
  const [site = '', amount = ''] = value.split('/');
  return value === '-' ? null : { key: site === '' ? null : site, value: amount === '' ? null : amount };
}
const change = (oldValue: string | null, newValue: string | null, isLatest = true) =>
  ({ key: 'row', value: { oldValue, newValue, isLatest }, timestampMs: 7 });
const grouped = (versioned: boolean, ...changes: readonly ReturnType<typeof change>[]): readonly unknown[] => {
  const running = new OperatorHarness(tableRepartitionMap(groupOf, utf8, versioned));
  running.push(...changes);
  expect(running.dropped).toEqual({});
  return running.take().map(({ key, value, timestampMs }) => [key, value.oldValue, value.newValue, timestampMs]);
};

describe('tableRepartitionMap', () => {
  it('gives both sides as one change where the group stays', () => {
    expect(grouped(false, change('s/1', 's/2'))).toEqual([['s', '1', '2', 7]]);
  });

  it('takes the old value out of its group first, then brings the new one into its own', () => {
    expect(grouped(false, change('s/1', 't/2'))).toEqual([['s', '1', null, 7], ['t', null, '2', 7]]);
  });

  it('gives one side where there is one', () => {
    expect(grouped(false, change(null, 's/1'), change('s/1', null))).toEqual([['s', null, '1', 7], ['s', '1', null, 7]]);
  });

  it('leaves out a side whose group or value is nothing, uncounted', () => {
    expect(grouped(false, change('s/1', '-'), change('s/', 't/2'), change('/1', 's/2'), change('-', '/'), change(null, null)))
      .toEqual([['s', '1', null, 7], ['t', null, '2', 7], ['s', null, '2', 7]]);
  });

  it('ignores what is not the newest of a versioned table, and of no other', () => {
    expect(grouped(true, change('s/1', 's/2', false), change('s/1', 's/3'))).toEqual([['s', '1', '3', 7]]);
    expect(grouped(false, change('s/1', 's/2', false))).toEqual([['s', '1', '2', 7]]);
  });

  it('compares groups by their bytes', () => {
    const running = new OperatorHarness(tableRepartitionMap<string, string, WindowedKey<string>, string>(
      (value) => ({ key: { key: value, startMs: 0, endMs: 1 }, value }), json('windowed'), false,
    ));
    running.push(change('s', 's'), change('s', 't'));
    expect(running.take().map(({ key }) => key.key)).toEqual(['s', 's', 't']);
  });

  it('hands an error to the policy before anything is emitted', () => {
    const running = new OperatorHarness(tableRepartitionMap((value: string) => {
      if (value === 'bad') throw new Error('no');
      return { key: value, value };
    }, utf8, false));
    running.push(change('bad', 's'), change('s', 'bad'));
    expect(running.failures).toHaveLength(2);
    expect(running.take()).toEqual([]);
  });
});
