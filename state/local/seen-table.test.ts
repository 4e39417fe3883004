import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SeenTable } from './seen-table.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

it('SeenTable finds what a plain list holds, also where many have one hash or lie at one place, and after some have gone', () => {
  const hash = fc.oneof(fc.constantFrom(0, -1, 8, 16, 2 ** 31 - 1, -(2 ** 31)), fc.nat(20));
  const call = fc.oneof({ weight: 3, arbitrary: fc.record({ add: hash }) }, { weight: 2, arbitrary: fc.record({ remove: fc.nat(40) }) });
  fc.assert(fc.property(fc.array(call, { maxLength: 120 }), (calls) => {
    const table = new SeenTable();
    const model: { readonly hash: number; readonly place: number }[] = [];
    for (const [at, one] of calls.entries()) {
      if ('add' in one) {
        table.add(one.add, at + 1);
        model.push({ hash: one.add, place: at + 1 });
      } else {
        const gone = model.splice(one.remove, 1)[0];
        if (gone !== undefined) expect(table.remove(gone.hash, gone.place)).toBe(true);
        if (gone !== undefined) expect(table.remove(gone.hash, gone.place)).toBe(false);
      }
      expect(table.size).toBe(model.length);
      for (const wanted of new Set([...model.map((entry) => entry.hash), 8, 3])) {
        const found: number[] = [];
        for (let slot = table.next(wanted, wanted); slot >= 0; slot = table.next(wanted, slot + 1)) found.push(table.placeAt(slot));
        expect(found.sort((a, b) => a - b)).toEqual(model.filter((entry) => entry.hash === wanted).map((entry) => entry.place));
      }
    }
  }), propertyRuns());
});
