import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbStateStore } from '../state/lmdb-state-store.ts';
import { MemoryStateStore } from '../state/memory-state-store.ts';
import { RedisStateStore } from '../state/redis-state-store.ts';
import type { Cell, Claim, Commit, StateStore } from '../state/state-store.ts';

/**
 * What claim, commit and load cost in each state store. Redis only with VOLTSTREAM_TEST_REDIS=redis://HOST:PORT.
 *
 * "held" is the longest time that the event loop could not turn, which is what a record under way would have waited.
 */
interface Measure {
  readonly store: string;
  readonly what: string;
  readonly milliseconds: readonly number[];
  readonly heldMs: readonly number[];
}

const KEYS = 100_000;
const VALUE_BYTES = 100;

const measures: Measure[] = [];
await bench('memory', new MemoryStateStore());
const folder = await mkdtemp(join(tmpdir(), 'voltstream-bench-'));
await bench('LMDB', new LmdbStateStore({ path: folder }));
await rm(folder, { recursive: true, force: true });
const url = process.env['VOLTSTREAM_TEST_REDIS'];
if (url === undefined) console.log('Redis left out: set VOLTSTREAM_TEST_REDIS=redis://HOST:PORT to include it.');
else await bench('Redis', new RedisStateStore({ connection: url, application: `bench-${randomUUID()}` }));
print();

async function bench(name: string, store: StateStore): Promise<void> {
  await store.open();
  const task = 'bench_0';
  await measure(name, 'claim', 50, () => store.claim(task));
  let last: Claim | Commit = await store.claim(task);
  const commit = async (cells: readonly Cell[]): Promise<void> => {
    last = {
      task,
      owner: last.owner,
      previousSequence: last.sequence,
      sequence: last.sequence + 1,
      commitId: randomUUID(),
      cells,
    };
    const { kind } = await store.commit(last);
    if (kind !== 'committed') throw new Error(`commit was ${kind}`);
  };
  for (let start = 0; start < KEYS; start += 10_000) await commit(cellsOf(10_000, start));
  for (const [count, rounds] of [[1, 200], [1_000, 50], [20_000, 15], [100_000, 5]] as const) {
    let cells: readonly Cell[] = [];
    const prepare = (round: number): void => void (cells = cellsOf(count, round * 7_919));
    await measure(name, `commit ${count.toLocaleString('en')} cells`, rounds, () => commit(cells), prepare);
  }
  await measure(name, `load ${KEYS.toLocaleString('en')} cells`, 7, async () => {
    let cells = 0;
    for await (const page of store.load({ ...last, epoch: 0 })) cells += page.length;
    if (cells !== KEYS) throw new Error(`loaded ${cells} cells`);
  });
  const key = keyOf(5);
  const one = { from: key, to: Buffer.concat([key, Buffer.alloc(1)]) };
  await measure(name, 'read one key', 200, () => store.read(task, 's', one));
  await store.clear(task);
  await store.close();
}

async function measure(
  store: string,
  what: string,
  rounds: number,
  run: () => Promise<unknown>,
  prepare: (round: number) => void = () => {},
): Promise<void> {
  const milliseconds: number[] = [];
  const heldMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    prepare(round);
    await new Promise((resolve) => setTimeout(resolve, 2));
    let turning = true;
    let held = 0;
    let turned = performance.now();
    const turn = (): void => {
      const now = performance.now();
      held = Math.max(held, now - turned);
      turned = now;
      if (turning) setImmediate(turn);
    };
    setImmediate(turn);
    const start = performance.now();
    await run();
    const end = performance.now();
    turning = false;
    heldMs.push(Math.max(held, end - turned));
    milliseconds.push(end - start);
  }
  measures.push({ store, what, milliseconds, heldMs });
}

/** Values lie side by side in one buffer, as those of an encoder do. */
function cellsOf(count: number, start: number): Cell[] {
  const values = Buffer.alloc(count * VALUE_BYTES, start);
  return Array.from({ length: count }, (_, index) => ({
    store: 's',
    key: keyOf((start + index * 7) % KEYS),
    value: values.subarray(index * VALUE_BYTES, (index + 1) * VALUE_BYTES),
  }));
}

function keyOf(index: number): Buffer {
  return Buffer.from(`station-${String(index).padStart(10, '0')}`);
}

function print(): void {
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; values of ${VALUE_BYTES} bytes; times in ms`);
  console.table(
    measures.map(({ store, what, milliseconds, heldMs }) => {
      const sorted = [...milliseconds].sort((left, right) => left - right);
      const held = [...heldMs].sort((left, right) => left - right);
      return {
        store,
        what,
        minimum: round(sorted[0]),
        median: round(sorted[sorted.length >> 1]),
        maximum: round(sorted.at(-1)),
        'held, minimum': round(held[0]),
        'held, median': round(held[held.length >> 1]),
      };
    }),
  );
}

function round(value: number | undefined): number {
  return Number((value ?? NaN).toFixed(2));
}
