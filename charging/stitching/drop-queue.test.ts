import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { DropQueue } from './drop-queue.ts';

it('DropQueue gives what was added, earliest first, the same only once', () => {
  const call = fc.oneof({ weight: 2, arbitrary: fc.record({ add: fc.nat(9), key: fc.constantFrom('a', 'b', 'c') }) }, { weight: 1, arbitrary: fc.constant({ remove: true }) });
  fc.assert(fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
    const queue = new DropQueue();
    let model: { readonly timeMs: number; readonly key: string }[] = [];
    for (const one of calls) {
      if ('add' in one) {
        queue.add(one.add, one.key);
        if (!model.some(({ timeMs, key }) => timeMs === one.add && key === one.key)) model.push({ timeMs: one.add, key: one.key });
        model = model.sort((a, b) => a.timeMs - b.timeMs);
      } else if (model.length > 0) {
        queue.removeFirst();
        model.shift();
      }
      expect(queue.firstMs).toBe(model[0]?.timeMs ?? Infinity);
      if (model[0] !== undefined) expect(queue.firstKey).toBe(model[0].key);
    }
  }), propertyRuns());
});
