import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64 } from '../../schemas/builtin-codecs.ts';
import { groupedStore } from './grouped-store.ts';
import { DurableCells } from './testing/durable-cells.ts';
import { propertyRuns } from './testing/property-runs.ts';

const definition = groupedStore({ name: 'values', value: float64 });

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

  it('refuses names that UTF-8 cannot carry', () => {
    expect(() => definition.create().put('\ud800', 'x', 1)).toThrow(/SERIALISATION_FAILED/);
    expect(() => definition.create().put('x', '\ud800', 1)).toThrow(/SERIALISATION_FAILED/);
  });

  it('refuses a cell that is not its own', () => {
    expect(() => definition.create().restore(Buffer.from('3:a/b'), float64.encode(1))).toThrow(/DESERIALISATION_FAILED/);
    expect(() => definition.create().restore(Buffer.from('ab'), float64.encode(1))).toThrow(/DESERIALISATION_FAILED/);
  });

  it('behaves as a Map of both names with any commits and restarts in between', () => {
    const group = fc.constantFrom('', 'a', '1:a', 'a/b', '\u{10000}');
    const member = fc.constantFrom('', 'x', 'b/x', '2:');
    const command = fc.oneof(
      fc.record({ do: fc.constant('put' as const), group, member, value: fc.integer() }),
      fc.record({ do: fc.constant('delete' as const), group, member }),
      fc.record({ do: fc.constantFrom('commit' as const, 'restart' as const) }),
    );
    fc.assert(fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const model = new Map<string, readonly [string, string, number]>();
      const durable = new DurableCells();
      let store = definition.create();
      for (const one of commands) {
        if (one.do === 'put') {
          model.set(JSON.stringify([one.group, one.member]), [one.group, one.member, one.value]);
          store.put(one.group, one.member, one.value);
        } else if (one.do === 'delete') {
          model.delete(JSON.stringify([one.group, one.member]));
          store.delete(one.group, one.member);
          expect(store.get(one.group, one.member)).toBeUndefined();
        } else {
          durable.commit(store);
          expect(durable.size).toBe(model.size);
          if (one.do === 'restart') store = durable.load(definition);
        }
        expect(store.entries).toBe(model.size);
        for (const [held, name, value] of model.values()) expect(store.get(held, name)).toBe(value);
      }
    }), propertyRuns());
  });
});
