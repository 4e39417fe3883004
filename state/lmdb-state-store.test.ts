import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { count, COUNTER_TASK } from './lmdb-counter-process.ts';
import { LmdbStateStore } from './lmdb-state-store.ts';
import { describeStateStore } from './state-store-contract.ts';
import { cell, following, loadAll } from './state-store-harness.ts';
import type { StateStoreHarness } from './state-store-harness.ts';
import type { CellPage, StateStore } from './state-store.ts';

interface RawEntry {
  readonly database: 'heads' | 'cells';
  readonly key: Buffer;
  readonly value: Buffer;
  readonly version: number | undefined;
}

describeStateStore('LMDB', makeHarness);

describe('LmdbStateStore', () => {
  let path: string;
  let store: LmdbStateStore;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'voltstream-state-'));
    store = new LmdbStateStore({ path });
    await store.open();
  });
  afterEach(async () => {
    await store.close();
    await rm(path, { recursive: true, force: true });
  });

  it('counts right when two processes fight over a task', async () => {
    const theirs = output(counter(path, '300'));   // either may be done first
    const here = await count(store, 300);
    const there = Number(await theirs);
    expect(here).toBe(300);
    expect(there).toBe(300);
    await expectWhole(store, 600);
  });

  it('holds a whole commit after its process was killed at any time', async () => {
    let before = 0;
    for (const waitMs of [250, 300, 350, 400]) {
      const child = counter(path, 'endless');
      await once(child.stdout ?? child, 'data');
      await sleep(waitMs - 250);
      child.kill('SIGKILL');
      await once(child, 'exit');
      before = await expectWhole(store, undefined, before);
    }
  });

  it('shows whole commits in pages and snapshots while another process commits', async () => {
    const child = counter(path, 'endless');
    await once(child.stdout ?? child, 'data');
    const sequences = new Set<number>();
    const check = (page: CellPage): void => {
      const numbers = new Set(page.cells.map(({ value }) => Number(Buffer.from(value ?? []).toString().trim())));
      if (page.cells.length > 0) expect([...numbers]).toEqual([page.sequence]);
      sequences.add(page.sequence);
    };
    for (let round = 0; round < 100; round++) {
      const [size] = await store.sizes(COUNTER_TASK);
      check(await store.readPage(COUNTER_TASK, size?.store ?? ''));
      for await (const page of store.snapshot(COUNTER_TASK)) {
        check(page);
        await sleep(1);
      }
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(sequences.size).toBeGreaterThan(10);
  });

  it('keeps commits of many tasks at the same time apart', async () => {
    const tasks = Array.from({ length: 20 }, (_, index) => `t_${index}`);
    await Promise.all(
      tasks.map(async (task) => {
        let last = following(await store.claim(task), [cell('s', 'k', '0')]);
        await store.commit(last);
        for (let round = 1; round <= 10; round++) {
          last = following(last, [cell('s', 'k', String(round)), cell(`only ${task}`, task, task)]);
          expect(await store.commit(last)).toEqual({ kind: 'committed' });
        }
      }),
    );
    expect((await store.tasks()).map(({ sequence }) => sequence)).toEqual(tasks.map(() => 11));
    for (const task of tasks) expect(await loadAll(store, await store.claim(task))).toHaveLength(2);
  });

  it('says that the disk is full, keeps the state, and goes on when there is room', async () => {
    // A limit on the size of files stands for a full disk.
    const child = counter(path, 'fill', 4_000);
    expect(JSON.parse(await output(child))).toEqual({ codes: ['DISK_FULL', 'DISK_FULL'], unchanged: true });
    await expectWhole(store, undefined);
    expect(await count(store, 1)).toBe(1);
    await expectWhole(store, undefined);
  });

  it('writes nothing that would leave less of the disk than is to be spared, and the same commit later', async () => {
    const claim = await store.claim('t_0');
    const commit = following(claim, [cell('s', 'k', '1')]);
    const tight = new LmdbStateStore({ path, spareBytes: Number.MAX_SAFE_INTEGER });
    await tight.open();
    const full = expect.objectContaining({ code: 'DISK_FULL' }) as unknown;
    for (const refused of [() => tight.commit(commit), () => tight.claim('t_0'), () => tight.claim('t_1'), () => tight.clear('t_0')]) {
      await expect(refused()).rejects.toEqual(full);
    }
    expect(await tight.tasks()).toEqual([{ task: 't_0', epoch: 1, sequence: 0 }]);
    expect(await store.commit(commit)).toEqual({ kind: 'committed' });
    expect(await tight.commit(commit)).toEqual({ kind: 'repeated' });
    await tight.close();
  });
});

/** Runs the counter in another process; `fileBlocksMax` limits its files to so many blocks of 1,024 bytes. */
function counter(path: string, mode: string, fileBlocksMax?: number): ChildProcess {
  const program = fileURLToPath(new URL('lmdb-counter-process.ts', import.meta.url));
  const limit = fileBlocksMax === undefined ? '' : `ulimit -f ${fileBlocksMax}; `;
  return spawn('bash', ['-c', `${limit}exec "$@"`, 'bash', process.execPath, program, path, mode], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

async function output(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  return text;
}

/** All cells of the counter carry the number of the last commit. Gives that number. */
async function expectWhole(store: StateStore, sequence: number | undefined, sequenceMin = 0): Promise<number> {
  const claim = await store.claim(COUNTER_TASK);
  const numbers = new Set((await loadAll(store, claim)).map(({ value }) => Number(Buffer.from(value ?? []).toString().trim())));
  expect([...numbers]).toEqual([claim.sequence]);
  if (sequence !== undefined) expect(claim.sequence).toBe(sequence);
  expect(claim.sequence).toBeGreaterThan(sequenceMin);
  return claim.sequence;
}

async function makeHarness(): Promise<StateStoreHarness> {
  const path = await mkdtemp(join(tmpdir(), 'voltstream-state-'));
  const raw = open<Buffer, Buffer>({ path, noSubdir: false, maxDbs: 4, encoding: 'binary', overlappingSync: false });
  const heads = raw.openDB<Buffer, Buffer>({ name: 'heads', encoding: 'binary', keyEncoding: 'binary', useVersions: true });
  const cells = raw.openDB<Buffer, Buffer>({ name: 'cells', encoding: 'binary', keyEncoding: 'binary' });
  const start = Buffer.from([0]);
  return {
    connect: async () => {
      const store = new LmdbStateStore({ path });
      await store.open();
      return store;
    },
    snapshot: async () => {
      raw.resetReadTxn();
      return [
        ...[...heads.getRange({ start, versions: true })].map((entry) => ({ database: 'heads', ...entry })),
        ...[...cells.getRange({ start })].map((entry) => ({ database: 'cells', version: undefined, ...entry })),
      ];
    },
    restore: async (snapshot) => {
      raw.transactionSync(() => {
        for (const key of Array.from(heads.getKeys({ start }))) heads.removeSync(key);
        for (const key of Array.from(cells.getKeys({ start }))) cells.removeSync(key);
        for (const entry of snapshot as readonly RawEntry[]) {
          if (entry.database === 'heads') heads.putSync(entry.key, entry.value, entry.version ?? 0);
          else cells.putSync(entry.key, entry.value);
        }
      });
    },
    close: async () => {
      await raw.close();
      await rm(path, { recursive: true, force: true });
    },
  };
}
