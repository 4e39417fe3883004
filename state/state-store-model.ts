import fc from 'fast-check';
import { expect, it } from 'vitest';
import { outcomeWithoutWrite } from './commit-check.ts';
import type { TaskHead } from './commit-check.ts';
import { cell, dump, following, hex, loadAll } from './state-store-harness.ts';
import type { StateStoreHarness } from './state-store-harness.ts';
import type { Cell, Claim, Commit, StateStore } from './state-store.ts';

type Step =
  | { readonly kind: 'claim'; readonly by: number }
  | { readonly kind: 'commit'; readonly by: number; readonly cells: readonly Cell[] }
  | { readonly kind: 'again'; readonly by: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'rewind' }
  | { readonly kind: 'clear' };

/** A store of one task as a plain Map, changed in place by what the laws say. */
interface Model {
  head: TaskHead;
  cells: Map<string, Cell>;
}

/** What one of two claimers remembers: its last claim or commit, and what it would send again. */
interface Claimer {
  last: Claim | Commit | undefined;
  sent: Commit | undefined;
}

const bytes = fc.uint8Array({ maxLength: 3 });
const cells = fc.array(
  fc
    .tuple(fc.constantFrom('a', 'b'), bytes, fc.option(bytes, { freq: 3 }))
    .map(([store, key, value]) => cell(store, key, value)),
  { maxLength: 8 },
);
const by = fc.nat({ max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('claim' as const), by }) },
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('commit' as const), by, cells }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('again' as const), by }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewind' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
);

/** Any sequence of claims, commits, repeats, rewinds and clears equals a plain Map. */
export function describeModel(current: () => { harness: StateStoreHarness; store: StateStore }): void {
  it('equals a plain Map under any sequence of commits, claims, repeats, rewinds and clears', async () => {
    const { harness, store } = current();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const task = `model_${run++}`;
        const model = await play(harness, store, task, steps);
        expect(dump(await loadAll(store, await store.claim(task)))).toEqual(dump(model.cells.values()));
        const inStore = await store.read(task, 'a');
        const keys = [...model.cells.values()].filter((each) => each.store === 'a').map((each) => hex(each.key));
        expect(inStore.map(({ key }) => hex(key))).toEqual(keys.sort());
      }),
      { numRuns: 60 },
    );
  });
}

async function play(harness: StateStoreHarness, store: StateStore, task: string, steps: readonly Step[]): Promise<Model> {
  let model: Model = { head: { epoch: 0, owner: '', sequence: 0, commitId: '' }, cells: new Map() };
  const claimers: Claimer[] = [
    { last: undefined, sent: undefined },
    { last: undefined, sent: undefined },
  ];
  const first = await store.claim(task);
  model.head = { ...model.head, epoch: first.epoch, owner: first.owner };
  claimers[0] = { last: first, sent: undefined };
  let saved = { stored: await harness.snapshot(), model: copyOf(model) };
  for (const [index, each] of steps.entries()) {
    const claimer = 'by' in each ? claimers[each.by] : undefined;
    if (each.kind === 'snapshot') saved = { stored: await harness.snapshot(), model: copyOf(model) };
    if (each.kind === 'rewind') {
      await harness.restore(saved.stored);
      model = copyOf(saved.model);
    }
    if (each.kind === 'clear') {
      await store.clear(task);
      model = { head: { epoch: model.head.epoch, owner: '', sequence: 0, commitId: '' }, cells: new Map() };
    }
    if (each.kind === 'claim' && claimer !== undefined) {
      const claim = await store.claim(task);
      expect([claim.epoch, claim.sequence]).toEqual([model.head.epoch + 1, model.head.sequence]);
      model.head = { ...model.head, epoch: claim.epoch, owner: claim.owner };
      claimer.last = claim;
    }
    if (each.kind === 'again' && claimer?.sent !== undefined) await send(store, model, claimer, claimer.sent);
    if (each.kind === 'commit' && claimer?.last !== undefined) {
      await send(store, model, claimer, following(claimer.last, each.cells, `${task}/${index}`));
    }
  }
  return model;
}

async function send(store: StateStore, model: Model, claimer: Claimer, commit: Commit): Promise<void> {
  const expected = outcomeWithoutWrite(model.head, commit) ?? { kind: 'committed' };
  expect(await store.commit(commit)).toEqual(expected);
  claimer.sent = commit;
  if (expected.kind !== 'committed') return;
  claimer.last = commit;
  model.head = { ...model.head, sequence: commit.sequence, commitId: commit.commitId };
  for (const each of commit.cells) {
    const key = `${each.store}/${hex(each.key)}`;
    if (each.value === null) model.cells.delete(key);
    else model.cells.set(key, each);
  }
}

function copyOf(model: Model): Model {
  return { head: model.head, cells: new Map(model.cells) };
}
