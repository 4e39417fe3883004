import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { describeAtomicity, describeFailures } from './state-store-atomicity.ts';
import { bytes, cell, dump, following, hex, loadAll } from './state-store-harness.ts';
import type { StateStoreHarness } from './state-store-harness.ts';
import { describeModel } from './state-store-model.ts';
import { describeSnapshots } from './state-store-snapshots.ts';
import type { Commit, StateStore } from './state-store.ts';

export interface ContractOptions {
  /** True where a commit is more than one step that can fail: the sweeps over "the n-th command fails" are run, too. */
  readonly canFailHalfWay: boolean;
}

/** The laws of the state port. Every implementation runs all of them. */
export function describeStateStore(
  name: string,
  makeHarness: () => Promise<StateStoreHarness>,
  options: ContractOptions = { canFailHalfWay: false },
): void {
  describe(`state store contract: ${name}`, () => {
    let harness: StateStoreHarness;
    let store: StateStore;
    beforeEach(async () => {
      harness = await makeHarness();
      store = await harness.connect();
    });
    afterEach(async () => {
      await store.close();
      await harness.close();
    });

    describeClaims(() => ({ harness, store }));
    describeCells(() => store);
    describeReads(() => store);
    describeSnapshots(() => ({ harness, store }));
    describeAtomicity(() => ({ harness, store }));
    if (options.canFailHalfWay) describeFailures(() => ({ harness, store }));
    describeModel(() => ({ harness, store }));
  });
}

function describeClaims(current: () => { harness: StateStoreHarness; store: StateStore }): void {
  it('raises the epoch by one and draws a fresh owner at each claim', async () => {
    const { store } = current();
    const first = await store.claim('sessions_0');
    const second = await store.claim('sessions_0');
    expect([first.epoch, second.epoch]).toEqual([1, 2]);
    expect(first.sequence).toBe(0);
    expect(second.owner).not.toBe(first.owner);
  });

  it('gives the sequence of the last commit with the next claim', async () => {
    const { store } = current();
    const commit = following(await store.claim('sessions_0'), [cell('a', 'k', 'v')]);
    expect(await store.commit(commit)).toEqual({ kind: 'committed' });
    expect(await store.commit(following(commit, []))).toEqual({ kind: 'committed' });
    expect((await store.claim('sessions_0')).sequence).toBe(2);
  });

  it('answers a commit of an earlier owner with fenced, and writes nothing of it', async () => {
    const { harness, store } = current();
    const old = await store.claim('sessions_0');
    const other = await harness.connect();
    const now = await other.claim('sessions_0');
    expect(await store.commit(following(old, [cell('a', 'k', 'old')]))).toEqual({ kind: 'fenced' });
    expect(await other.commit(following(now, [cell('a', 'k', 'new')]))).toEqual({ kind: 'committed' });
    expect(await store.commit(following(old, [cell('a', 'k', 'old')]))).toEqual({ kind: 'fenced' });
    expect(dump(await other.read('sessions_0', 'a'))).toEqual(dump([cell('a', 'k', 'new')]));
    await other.close();
  });

  it('answers a commit to a task that nobody has claimed with fenced', async () => {
    const { store } = current();
    const commit: Commit = { task: 'none_0', owner: 'me', previousSequence: 0, sequence: 1, commitId: '1', cells: [] };
    expect(await store.commit(commit)).toEqual({ kind: 'fenced' });
    expect(await store.tasks()).toEqual([]);
  });

  it('lets exactly one of many simultaneous claimers commit', async () => {
    const { harness, store } = current();
    const others = await Promise.all([1, 2, 3].map(() => harness.connect()));
    const claims = await Promise.all([store, ...others].map(async (each) => ({ each, claim: await each.claim('sessions_0') })));
    expect(new Set(claims.map(({ claim }) => claim.epoch)).size).toBe(4);
    const outcomes = await Promise.all(claims.map(({ each, claim }) => each.commit(following(claim, [cell('a', claim.owner, 'x')]))));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['committed', 'fenced', 'fenced', 'fenced']);
    expect(await store.read('sessions_0', 'a')).toHaveLength(1);
    for (const each of others) await each.close();
  });

  it('answers the same commit id again with repeated, and applies it once', async () => {
    const { store } = current();
    const commit = following(await store.claim('sessions_0'), [cell('a', 'k', 'v')]);
    const outcomes = [await store.commit(commit), await store.commit(commit), await store.commit(commit)];
    expect(outcomes.map(({ kind }) => kind)).toEqual(['committed', 'repeated', 'repeated']);
    expect((await store.tasks())[0]?.sequence).toBe(1);
  });

  it('answers rewound when the store was put back to an older copy under the same owner', async () => {
    const { harness, store } = current();
    const first = following(await store.claim('sessions_0'), [cell('a', 'n', '1')]);
    await store.commit(first);
    const older = await harness.snapshot();
    const second = following(first, [cell('a', 'n', '2')]);
    await store.commit(second);
    await harness.restore(older);
    expect(await store.commit(following(second, [cell('a', 'm', '3')]))).toEqual({ kind: 'rewound', storedSequence: 1 });
    const again = await store.claim('sessions_0');
    expect(dump(await loadAll(store, again))).toEqual(dump([cell('a', 'n', '1')]));
  });

  it('fences an owner whose epoch was given twice because the store lost a claim', async () => {
    const { harness, store } = current();
    await store.claim('sessions_0');
    const older = await harness.snapshot();
    const lost = await store.claim('sessions_0');
    await harness.restore(older);
    const present = await store.claim('sessions_0');
    expect(present.epoch).toBe(lost.epoch);
    expect(await store.commit(following(lost, [cell('a', 'k', 'lost')]))).toEqual({ kind: 'fenced' });
    expect(await store.commit(following(present, [cell('a', 'k', 'present')]))).toEqual({ kind: 'committed' });
  });

  it('keeps tasks apart, whatever their names', async () => {
    const { store } = current();
    const names = ['a_1', 'a_10', 'a', 'ü{b}:c_0', 'a_1 '];
    for (const name of names) await store.commit(following(await store.claim(name), [cell('s', 'k', name)]));
    for (const name of names) expect(dump(await store.read(name, 's'))).toEqual(dump([cell('s', 'k', name)]));
    expect((await store.tasks()).map(({ task }) => task).sort()).toEqual([...names].sort());
    expect((await store.tasks()).map(({ epoch, sequence }) => [epoch, sequence])).toEqual(names.map(() => [1, 1]));
  });

  it('clears a task so that its cells are gone, its owner is fenced and its epochs go on rising', async () => {
    const { store } = current();
    const claim = await store.claim('sessions_0');
    const commit = following(claim, [cell('a', 'k', 'v'), cell('b', 'k', 'v')]);
    await store.commit(commit);
    await store.clear('sessions_0');
    expect(await store.commit(following(commit, []))).toEqual({ kind: 'fenced' });
    expect(await store.read('sessions_0', 'a')).toEqual([]);
    const next = await store.claim('sessions_0');
    expect([next.epoch, next.sequence]).toEqual([2, 0]);
    expect(await loadAll(store, next)).toEqual([]);
    await store.clear('unknown_0');
    expect((await store.tasks()).map(({ task }) => task)).toEqual(['sessions_0']);
  });
}

function describeCells(current: () => StateStore): void {
  it('gives back what was committed, in the last form of each cell', async () => {
    const store = current();
    const first = following(await store.claim('t_0'), [cell('a', '1', 'x'), cell('a', '2', 'y'), cell('b', '1', 'z')]);
    await store.commit(first);
    await store.commit(following(first, [cell('a', '1', null), cell('a', '2', 'Y'), cell('a', '3', null)]));
    expect(dump(await loadAll(store, await store.claim('t_0')))).toEqual(dump([cell('a', '2', 'Y'), cell('b', '1', 'z')]));
  });

  it('takes the last form of a cell that comes more than once in a commit', async () => {
    const store = current();
    const cells = [cell('a', 'p', 'v'), cell('a', 'p', null), cell('a', 'q', null), cell('a', 'q', '1'), cell('a', 'q', '2')];
    await store.commit(following(await store.claim('t_0'), cells));
    expect(dump(await store.read('t_0', 'a'))).toEqual(dump([cell('a', 'q', '2')]));
  });

  it('keeps keys and values of any bytes, empty ones and very long keys included', async () => {
    const store = current();
    const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
    const long = (tail: string) => Buffer.concat([Buffer.alloc(1_900, 7), bytes(tail)]);
    const keys = [new Uint8Array(0), everyByte, Uint8Array.of(0), Uint8Array.of(0, 0), Uint8Array.of(255, 255), bytes('\r\n$5\r\n')];
    keys.push(Buffer.alloc(1_899, 7), long(''), long('\0'), long('a'), long('b'), Buffer.alloc(1_932, 7), Buffer.alloc(20_000, 9));
    const cells = keys.flatMap((key) => [cell('ß\0', key, everyByte), cell('empty', key, new Uint8Array(0))]);
    await store.commit(following(await store.claim('t_0'), cells));
    expect(dump(await loadAll(store, await store.claim('t_0')))).toEqual(dump(cells));
    const sorted = [...keys].sort(Buffer.compare).map(hex);
    expect((await store.read('t_0', 'empty')).map(({ key }) => hex(key))).toEqual(sorted);
    for (const key of keys) {
      const one = await store.read('t_0', 'ß\0', { from: key, to: Buffer.concat([key, Uint8Array.of(0)]) });
      expect(one.map((each) => hex(each.key))).toEqual([hex(key)]);
    }
  });
}

function describeReads(current: () => StateStore): void {
  it('reads a range in unsigned byte order, lower bound in, upper bound out, up to a limit', async () => {
    const store = current();
    const cells = [0x80, 0x00, 0xff, 0x7f, 0x01].map((byte) => cell('a', Uint8Array.of(byte), Uint8Array.of(byte)));
    await store.commit(following(await store.claim('t_0'), [...cells, cell('b', 'other', 'store')]));
    const keys = async (range?: Parameters<StateStore['read']>[2]) =>
      (await store.read('t_0', 'a', range)).map(({ key }) => key[0]);
    expect(await keys()).toEqual([0x00, 0x01, 0x7f, 0x80, 0xff]);
    expect(await keys({ from: Uint8Array.of(1), to: Uint8Array.of(0x80) })).toEqual([0x01, 0x7f]);
    expect(await keys({ from: Uint8Array.of(2) })).toEqual([0x7f, 0x80, 0xff]);
    expect(await keys({ to: Uint8Array.of(0x80, 0) })).toEqual([0x00, 0x01, 0x7f, 0x80]);
    expect(await keys({ limit: 2 })).toEqual([0x00, 0x01]);
    expect(await keys({ from: Uint8Array.of(9), to: Uint8Array.of(3) })).toEqual([]);
    expect(await keys({ limit: 0 })).toEqual([]);
  });

  it('reads nothing of a task or store that does not exist', async () => {
    const store = current();
    expect(await store.read('none_0', 'a')).toEqual([]);
    await store.claim('t_0');
    expect(await store.read('t_0', 'a', { from: bytes('k'), to: bytes('k\0') })).toEqual([]);
    expect(await store.read('t_0', 'a')).toEqual([]);
  });

  it('loads nothing under a claim that is no longer the present one', async () => {
    const store = current();
    const old = await store.claim('t_0');
    const commit = following(old, [cell('a', 'k', 'v')]);
    await store.commit(commit);
    await expectFailure(loadAll(store, old), 'REWOUND');
    await store.claim('t_0');
    await expectFailure(loadAll(store, { ...old, sequence: commit.sequence }), 'FENCED');
  });
}

export async function expectFailure(promise: Promise<unknown>, code: VoltstreamError['code']): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VoltstreamError);
  expect(error instanceof VoltstreamError ? error.code : undefined).toBe(code);
}
