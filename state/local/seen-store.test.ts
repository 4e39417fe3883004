import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seenStore } from './seen-store.ts';
import { DurableCells } from './testing/durable-cells.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

const definition = seenStore({ name: 'seen' });

describe('SeenStore', () => {
  it('writes one cell for 64 identities of an owner, and deletes it when all are forgotten', () => {
    const store = definition.create();
    const durable = new DurableCells();
    for (let index = 0; index < 128; index += 1) store.remember('a', `id-${index}`, index);
    expect(durable.commit(store)).toHaveLength(2);
    store.forget('a', 62);
    expect(durable.commit(store)).toHaveLength(0);
    store.forget('a', 63);
    expect(durable.commit(store).map((cell) => cell.value)).toEqual([null]);
    expect([durable.size, store.entries]).toEqual([1, 64]);
  });

  it('writes nothing for what came and went between two commits', () => {
    const store = definition.create();
    store.remember('a', 'x', 1);
    store.forget('a', 1);
    expect(new DurableCells().commit(store)).toEqual([]);
  });

  it('holds what a plain list holds, with any order of calls and restarts', () => {
    const call = fc.oneof(
      fc.record({ kind: fc.constant('remember' as const), owner: fc.constantFrom('a', 'é', ''), identity: fc.string({ maxLength: 2 }), stepMs: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('forget' as const), owner: fc.constantFrom('a', 'é', ''), backMs: fc.nat(10) }),
      fc.record({ kind: fc.constant('restart' as const) }),
    );
    fc.assert(fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
      let store = definition.create();
      const durable = new DurableCells();
      let model: { owner: string; identity: string; seenMs: number }[] = [];
      let nowMs = 0;
      let lastForget = new Map<string, number>();
      for (const one of calls) {
        if (one.kind === 'remember') {
          nowMs += one.stepMs;
          const isNew = !store.has(one.owner, one.identity);
          expect(store.remember(one.owner, one.identity, nowMs)).toBe(isNew);
          if (isNew) {
            model.push({ owner: one.owner, identity: one.identity, seenMs: nowMs });
          }
        } else if (one.kind === 'forget') {
          store.forget(one.owner, nowMs - one.backMs);
          lastForget = new Map([...lastForget, [one.owner, Math.max(nowMs - one.backMs, lastForget.get(one.owner) ?? -1)]]);
          model = model.filter((entry) => entry.owner !== one.owner || entry.seenMs > nowMs - one.backMs);
        } else {
          durable.commit(store);
          store = durable.load(definition);
          // What was forgotten within a cell that lives on comes back with it, until the same is forgotten again.
          for (const [owner, untilMs] of lastForget) store.forget(owner, untilMs);
        }
        expect(store.entries).toBe(model.length);
        for (const { owner, identity } of model) expect(store.has(owner, identity)).toBe(true);
      }
    }), propertyRuns());
  });
});
