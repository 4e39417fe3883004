import { BytesOnlyStateStore } from './bytes-only-state-store.ts';
import { MemoryStateStore } from './memory-state-store.ts';
import type { MemorySnapshot } from './memory-state-store.ts';
import { describeStateStore } from './state-store-contract.ts';
import type { StateStoreHarness } from './state-store-harness.ts';
import type { StateStore } from './state-store.ts';

function harnessOf(connect: (memory: MemoryStateStore) => StateStore): () => Promise<StateStoreHarness> {
  return async () => {
    const memory = new MemoryStateStore();
    return {
      connect: async () => connect(memory),
      snapshot: async () => memory.backup(),
      restore: async (snapshot) => memory.restore(snapshot as MemorySnapshot),
      close: async () => {},
    };
  };
}

describeStateStore('memory', harnessOf((memory) => memory));
describeStateStore('memory, bytes only', harnessOf((memory) => new BytesOnlyStateStore(memory)));
