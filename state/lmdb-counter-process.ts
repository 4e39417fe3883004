import { VoltstreamError } from '../errors.ts';
import { LmdbStateStore } from './lmdb-state-store.ts';
import { cell, following } from './state-store-harness.ts';
import type { Cell, Claim, Commit, StateStore } from './state-store.ts';

/** A test program: counts in a task of an LMDB folder, to be fought with, killed, and let run against a full disk. */
export const COUNTER_TASK = 'counter_0';

/** Cells that all say the same number: a mix of two commits would show. */
function cellsOf(number: number, bytes = 8): Cell[] {
  return Array.from({ length: 200 }, (_, index) => cell(`s${index % 2}`, `key ${index}`, String(number).padEnd(bytes)));
}

/** Commits so many times, claiming again whenever another has claimed; gives the number of commits done. */
export async function count(store: StateStore, commits: number, report: () => void = () => {}): Promise<number> {
  let last: Claim | Commit = await store.claim(COUNTER_TASK);
  let done = 0;
  while (done < commits) {
    const next: Commit = following(last, cellsOf(last.sequence + 1));
    const { kind } = await store.commit(next);
    if (kind === 'committed') {
      done += 1;
      last = next;
      report();
      // Every now and then both sides come to their turn.
      if (done % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    } else {
      last = await store.claim(COUNTER_TASK);
    }
  }
  return done;
}

/** Commits larger and larger values until the disk is full; says what the errors were and whether the state was left alone. */
async function fill(store: StateStore): Promise<{ readonly codes: readonly string[]; readonly unchanged: boolean }> {
  let last: Claim | Commit = await store.claim(COUNTER_TASK);
  for (let bytes = 1_000; ; bytes += 1_000) {
    const next: Commit = following(last, cellsOf(last.sequence + 1, bytes));
    const first = await codeOf(store.commit(next));
    if (first === undefined) {
      last = next;
      continue;
    }
    const second = await codeOf(store.commit(next));
    const [read] = await store.read(COUNTER_TASK, 's0');
    return { codes: [first, second ?? 'none'], unchanged: Buffer.from(read?.value ?? []).toString().trim() === String(last.sequence) };
  }
}

async function codeOf(commit: Promise<unknown>): Promise<string | undefined> {
  try {
    await commit;
    return undefined;
  } catch (error) {
    return error instanceof VoltstreamError ? error.code : String(error);
  }
}

if (import.meta.main) {
  const [path = '', mode = ''] = process.argv.slice(2);
  const store = new LmdbStateStore({ path });
  await store.open();
  if (mode === 'fill') process.stdout.write(JSON.stringify(await fill(store)));
  else if (mode === 'endless') await count(store, Infinity, () => process.stdout.write('.'));
  else process.stdout.write(String(await count(store, Number(mode))));
  await store.close();
}
