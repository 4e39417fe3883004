import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { MemoryStateStore } from '../state/memory-state-store.ts';
import { cell, following } from '../state/state-store-harness.ts';
import type { Cell } from '../state/state-store.ts';
import { clickhouse } from '../topology/sink.ts';
import { Topology } from '../topology/topology.ts';
import { checkStoredTasks } from './stored-tasks.ts';

const words = { key: utf8, value: json() };
const position = cell('$task', 'position/in', '1');

async function storeWith(tasks: Readonly<Record<string, readonly Cell[]>>): Promise<MemoryStateStore> {
  const store = new MemoryStateStore();
  for (const [task, cells] of Object.entries(tasks)) {
    const claim = await store.claim(task);
    if (cells.length > 0) await store.commit(following(claim, cells));
  }
  return store;
}

function topologyOf(...dropped: readonly string[]): Topology {
  const topology = new Topology('stored').dropState(...dropped);
  topology.stream('in', words);
  topology.archive('raw', 'in', words, clickhouse({ database: 'd', table: 't', columns: { a: 'String' }, partitionOf: () => '' }, () => ({ a: '' })));
  return topology;
}

async function check(store: MemoryStateStore, dropped: readonly string[] = [], partitions = 1): Promise<readonly string[]> {
  const running = ['in', 'raw'].flatMap((name) => Array.from({ length: partitions }, (_unused, partition) => `${name}_${partition}`));
  await checkStoredTasks(topologyOf(...dropped).build(), new Set(running), store);
  return (await Promise.all((await store.tasks()).map(async ({ task }) => ((await store.sizes(task)).length > 0 ? [task] : [])))).flat();
}

describe('tasks that the store has state of', () => {
  it('may be those that will run, and ones that have never committed', async () => {
    const store = await storeWith({ in_0: [position], raw_0: [position], old_0: [] });
    expect(await check(store)).toEqual(['in_0', 'raw_0']);
  });

  it('of sources that are gone are named with their stores, and forgotten when they were let go of', async () => {
    const store = await storeWith({ in_0: [position], 'old_0': [position, cell('counts', 'k', 'v')], 'old_1': [position], 'my_old_0': [position] });
    await expect(check(store)).rejects.toThrow(
      /STATE_ORPHANED(.|\n)*tasks my_old_0, old_0, old_1, with the stores counts\n\s+wanted: .* named my_old, old\n\s+got: in, raw\n(.*)dropState\("my_old", "old"\)/,
    );
    await expect(check(store, ['old'])).rejects.toThrow(/tasks my_old_0\n/);
    expect((await store.sizes('old_0')).length).toBe(2);   // nothing goes while something is refused
    expect(await check(store, ['old', 'my_old', 'never'])).toEqual(['in_0']);
    expect(await check(store, ['old', 'my_old'])).toEqual(['in_0']);
  });

  it('are not forgotten while rows wait in them', async () => {
    const store = await storeWith({ old_0: [position, cell('$outbox.out', 'k', 'v')] });
    await expect(check(store, ['old'])).rejects.toThrow(/STATE_ORPHANED: rows wait(.|\n)*task old_0, out\n\s+cure: Run the earlier version/);
    expect((await store.sizes('old_0')).length).toBe(2);
  });

  it('may not be of partitions that the topics do not have', async () => {
    const store = await storeWith({ in_0: [position], in_1: [position], raw_2: [position] });
    await expect(check(store)).rejects.toThrow(/PARTITIONS_CHANGED(.|\n)*tasks in_1, raw_2/);
    await expect(check(store, [], 3)).resolves.toBeDefined();
  });

  it('may not hold half a savepoint', async () => {
    const store = await storeWith({ in_0: [position, cell('$import', 'savepoint', 'x')] });
    await expect(check(store)).rejects.toThrow(/STATE_INCOMPLETE(.|\n)*task in_0/);
  });
});
