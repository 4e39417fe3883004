import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { LmdbStateStore } from './lmdb-state-store.ts';
import { describeStateStore } from './state-store-contract.ts';
import type { StateStoreHarness } from './state-store-harness.ts';

interface RawEntry {
  readonly database: 'heads' | 'cells';
  readonly key: Buffer;
  readonly value: Buffer;
  readonly version: number | undefined;
}

describeStateStore('LMDB', makeHarness);

async function makeHarness(): Promise<StateStoreHarness> {
  const path = await mkdtemp(join(tmpdir(), 'voltstream-state-'));
  const raw = open<Buffer, Buffer>({ path, noSubdir: false, maxDbs: 4, encoding: 'binary', overlappingSync: false });
  const heads = raw.openDB<Buffer, Buffer>({ name: 'heads', encoding: 'binary', keyEncoding: 'binary', useVersions: true });
  const cells = raw.openDB<Buffer, Buffer>({ name: 'cells', encoding: 'binary', keyEncoding: 'binary' });
  return {
    connect: async () => {
      const store = new LmdbStateStore({ path });
      await store.open();
      return store;
    },
    snapshot: async () => {
      raw.resetReadTxn();
      const start = Buffer.from([0]);
      return [
        ...[...heads.getRange({ start, versions: true })].map((entry) => ({ database: 'heads', ...entry })),
        ...[...cells.getRange({ start })].map((entry) => ({ database: 'cells', version: undefined, ...entry })),
      ];
    },
    restore: async (snapshot) => {
      raw.transactionSync(() => {
        for (const key of [...heads.getKeys({ start: Buffer.from([0]) })]) heads.removeSync(key);
        for (const key of [...cells.getKeys({ start: Buffer.from([0]) })]) cells.removeSync(key);
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
