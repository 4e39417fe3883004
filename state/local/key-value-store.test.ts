import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64, int64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import { keyValueStore } from './key-value-store.ts';
import { DurableCells } from './testing/durable-cells.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

const definition = keyValueStore({ name: 'values', key: utf8, value: float64 });

describe('a key-value store', () => {
  it('names the forms of its keys and values', () => {
    expect(definition).toMatchObject({ name: 'values', kind: 'key-value', schemaId: 'utf8/float64' });
  });

  it('carries only the last value of a changed key in a commit, in the order of first changes', () => {
    const store = definition.create();
    store.put('b', 1);
    store.put('a', 2);
    store.put('b', 3);
    expect(store.changes).toBe(2);
    const cells = new DurableCells().commit(store);
    expect(cells.map((cell) => [utf8.decode(cell.key), float64.decode(cell.value as Uint8Array)])).toEqual([['b', 3], ['a', 2]]);
    expect(store.changes).toBe(0);
  });

  it('writes nothing for a key that came and went between two commits', () => {
    const store = definition.create();
    store.put('a', 1);
    store.delete('a');
    expect(new DurableCells().commit(store)).toEqual([]);
  });

  it('gives a range in key-bytes order, from inclusive, to exclusive', () => {
    const store = definition.create();
    for (const [at, key] of ['\u{1F600}', 'b', '\uFFFD', 'a', 'c'].entries()) store.put(key, at);
    expect([...store.range()].map(([key]) => key)).toEqual(['a', 'b', 'c', '\uFFFD', '\u{1F600}']);
    expect([...store.range('b', '\uFFFD')].map(([key]) => key)).toEqual(['b', 'c']);
  });

  it('passes over keys that are deleted while a range is read', () => {
    const store = definition.create();
    for (const key of ['a', 'b', 'c']) store.put(key, 0);
    const seen: string[] = [];
    for (const [key] of store.range()) {
      seen.push(key);
      store.delete('b');
    }
    expect(seen).toEqual(['a', 'c']);
  });

  it('refuses a key that UTF-8 cannot carry, since it would come back as another', () => {
    expect(() => definition.create().put('\ud800', 1)).toThrow(/SERIALISATION_FAILED.*lone surrogate/s);
  });

  it('orders number keys by their bytes', () => {
    const store = keyValueStore({ name: 'numbers', key: int64, value: json<string>() }).create();
    for (const key of [300, -1, 2]) store.put(key, String(key));
    expect([...store.range(0)].map(([key]) => key)).toEqual([2, 300]);
  });

  it('behaves as a Map with any commits and restarts in between', () => {
    const key = fc.constantFrom('a', 'b', 'c', '\u{10000}', '\uffff');
    const command = fc.oneof(
      fc.record({ do: fc.constant('put' as const), key, value: fc.integer() }),
      fc.record({ do: fc.constant('delete' as const), key }),
      fc.record({ do: fc.constantFrom('commit' as const, 'restart' as const) }),
    );
    fc.assert(fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const model = new Map<string, number>();
      const durable = new DurableCells();
      let store = definition.create();
      for (const one of commands) {
        if (one.do === 'put') {
          model.set(one.key, one.value);
          store.put(one.key, one.value);
        } else if (one.do === 'delete') {
          model.delete(one.key);
          store.delete(one.key);
        } else {
          durable.commit(store);
          expect(durable.size).toBe(model.size);
          if (one.do === 'restart') store = durable.load(definition);
        }
        const inOrder = [...model].sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
        expect([...store.range()]).toEqual(inOrder);
        expect(store.entries).toBe(model.size);
        for (const [held, value] of model) expect(store.get(held)).toBe(value);
      }
    }), propertyRuns());
  });
});
