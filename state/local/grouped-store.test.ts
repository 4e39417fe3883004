import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64, json } from '../../schemas/builtin-codecs.ts';
import { groupedStore } from './grouped-store.ts';
import { DurableCells } from './testing/durable-cells.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

const definition = groupedStore({ name: 'values', value: float64 });
/** Odd numbers rest, and three times each is the note on it. */
const resting = groupedStore({ name: 'values', value: float64, resting: (value) => (value % 2 === 0 ? null : 3 * value) });

describe('a grouped store', () => {
  it('keeps apart what would be the same text put together', () => {
    const store = definition.create();
    store.put('a/b', 'c', 1);
    store.put('a', 'b/c', 2);
    const durable = new DurableCells();
    expect(durable.commit(store).length).toBe(2);
    const loaded = durable.load(definition);
    expect([loaded.get('a/b', 'c'), loaded.get('a', 'b/c'), loaded.get('a', 'c')]).toEqual([1, 2, undefined]);
  });

  it('writes nothing for a member that came and went between two commits', () => {
    const store = definition.create();
    store.put('a', 'x', 1);
    store.delete('a', 'x');
    expect(new DurableCells().commit(store)).toEqual([]);
  });

  it('gives the members of a group in the order of their bytes, and none of another group', () => {
    const store = definition.create();
    for (const [group, member, value] of [['a', 'y', 1], ['a', '\u{10000}', 2], ['a', '\uffff', 3], ['b', 'z', 4], ['a', 'x', 5]] as const) {
      store.put(group, member, value);
    }
    expect([...store.members('a')]).toEqual([['x', 5], ['y', 1], ['\uffff', 3], ['\u{10000}', 2]]);
    expect([...store.members('c')]).toEqual([]);
  });

  it('may change while its members are given: those that left are left out, those that come are for the next time', () => {
    const store = definition.create();
    for (const member of ['x', 'y', 'z']) store.put('a', member, 1);
    const seen: string[] = [];
    for (const [member] of store.members('a')) {
      seen.push(member);
      store.delete('a', 'y');
      store.put('a', 'zz', 2);
    }
    expect(seen).toEqual(['x', 'z']);
    expect([...store.members('a')].map(([member]) => member)).toEqual(['x', 'z', 'zz']);
  });

  it('shows each value of a group once, also when those that are shown leave', () => {
    const store = definition.create();
    for (const [group, member, value] of [['a', 'x', 1], ['a', 'y', 2], ['b', 'x', 3], ['a', 'z', 4]] as const) store.put(group, member, value);
    const shown: number[] = [];
    store.each('a', (member, value) => {
      shown.push(value as number);
      store.delete('a', member);
    });
    store.each('c', (_member, value) => shown.push(value as number));
    expect(shown.sort()).toEqual([1, 2, 4]);
    expect(store.entries).toBe(1);
  });

  it('refuses names that UTF-8 cannot carry', () => {
    expect(() => definition.create().put('\ud800', 'x', 1)).toThrow(/SERIALISATION_FAILED/);
    expect(() => definition.create().put('x', '\ud800', 1)).toThrow(/SERIALISATION_FAILED/);
  });

  it('refuses a cell that is not its own', () => {
    expect(() => definition.create().restore(Buffer.from('3:a/b'), float64.encode(1))).toThrow(/DESERIALISATION_FAILED/);
    expect(() => definition.create().restore(Buffer.from('ab'), float64.encode(1))).toThrow(/DESERIALISATION_FAILED/);
  });

  it('keeps what rests as the bytes that were written, with its note, and decodes it for who gets it', () => {
    let decoded = 0;
    const value = json<{ at: number }>('resting.v1');
    const counting = { ...value, decode: (bytes: Uint8Array) => ((decoded += 1), value.decode(bytes)) };
    const store = groupedStore({ name: 'values', value: counting, resting: ({ at }) => at }).create();
    const durable = new DurableCells();
    const put = { at: 7 };
    store.put('a', 'x', put);
    expect(store.get('a', 'x')).toBe(put);
    durable.commit(store);
    store.each('a', (member, held, note) => expect([member, held, note]).toEqual(['x', undefined, 7]));
    expect([store.noteOf('a', 'x'), store.noteOf('a', 'y'), decoded]).toEqual([7, undefined, 0]);
    const got = store.get('a', 'x');
    expect(store.get('a', 'x')).toBe(got);
    expect([got, decoded]).toEqual([{ at: 7 }, 1]);
    (got as { at: number }).at = 8;
    expect(durable.commit(store)).toEqual([]);
    expect(store.get('a', 'x')).toEqual({ at: 7 });
  });

  it('packs what rests anew when most of what lay beside it is gone', () => {
    const store = groupedStore({ name: 'values', value: json<string>('text.v1'), resting: (value) => value.length }).create();
    const durable = new DurableCells();
    const texts = Array.from({ length: 2_000 }, (_, at) => `${at}`.padStart(1_000, '.'));
    for (const text of texts) store.put('a', text, text);
    durable.commit(store);
    for (const [at, text] of texts.entries()) if (at % 5 > 0) store.delete('a', text);
    durable.commit(store);
    expect(texts.filter((text) => store.get('a', text) === text)).toEqual(texts.filter((_, at) => at % 5 === 0));
  });

  it.each([['', definition], [', while some rest', resting]] as const)('behaves as a Map of both names with any commits and restarts in between%s', (_what, of) => {
    const group = fc.constantFrom('', 'a', '1:a', 'a/b', '\u{10000}');
    const member = fc.oneof(fc.constantFrom('', 'x', 'b/x', '2:', '\uffff'), fc.nat(60).map(String));
    const command = fc.oneof(
      fc.record({ do: fc.constant('put' as const), group, member, value: fc.integer() }),
      fc.record({ do: fc.constant('delete' as const), group, member }),
      fc.record({ do: fc.constantFrom('commit' as const, 'restart' as const, 'look' as const) }),
      fc.record({ do: fc.constantFrom('members' as const, 'each' as const), group }),
    );
    const byBytes = (left: readonly [string, number], right: readonly [string, number]): number => Buffer.compare(Buffer.from(left[0]), Buffer.from(right[0]));
    fc.assert(fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const model = new Map<string, readonly [string, string, number]>();
      const durable = new DurableCells();
      let store = of.create();
      const inGroup = (name: string): readonly (readonly [string, number])[] =>
        [...model.values()].filter(([held]) => held === name).map(([, one, value]) => [one, value] as const).sort(byBytes);
      for (const one of commands) {
        if (one.do === 'put') {
          model.set(JSON.stringify([one.group, one.member]), [one.group, one.member, one.value]);
          store.put(one.group, one.member, one.value);
        } else if (one.do === 'delete') {
          model.delete(JSON.stringify([one.group, one.member]));
          store.delete(one.group, one.member);
          expect(store.get(one.group, one.member)).toBeUndefined();
        } else if (one.do === 'members') {
          expect([...store.members(one.group)]).toEqual(inGroup(one.group));
        } else if (one.do === 'each') {
          const shown: [string, number][] = [];
          store.each(one.group, (name, value, note) => shown.push([name, value ?? note / 3]));
          expect(shown.sort(byBytes)).toEqual(inGroup(one.group));
        } else if (one.do === 'look') {
          for (const [held, name, value] of model.values()) expect(store.get(held, name)).toBe(value);
        } else {
          durable.commit(store);
          expect(durable.size).toBe(model.size);
          if (one.do === 'restart') store = durable.load(of);
        }
        expect(store.entries).toBe(model.size);
      }
      for (const [held, name, value] of model.values()) expect(store.get(held, name)).toBe(value);
    }), propertyRuns());
  });
});
