import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VoltstreamError } from '../../errors.ts';

interface Owner {
  readonly pid: number;
  /** When its process began, in seconds: a number of a process comes again, above all in containers. */
  readonly startedS: number;
}

/** Sources that this process itself, in any of its threads, may hold are told apart by the file alone. */
const ownStartedS = Math.round(Date.now() / 1000 - process.uptime());
/** Clocks are set; two measurements of one start differ by this much at most. */
const startToleranceS = 5;

/**
 * Keeps other ingestions of a source away from a data folder until the function that it gives is called: two at a time would
 * plan from the same past, and send the same rows twice. The lock is a file with its owner's process id; one that a killed process
 * has left behind is taken over.
 *
 * Throws SOURCE_BUSY with the owner.
 */
export async function lockSource(dataFolder: string, source: string): Promise<() => Promise<void>> {
  const folder = join(dataFolder, 'ingest');
  const path = join(folder, `${source}.lock`);
  const own: Owner = { pid: process.pid, startedS: ownStartedS };
  await mkdir(folder, { recursive: true });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (await created(path, JSON.stringify(own))) return () => rm(path, { force: true });
    const text = await textOf(path);
    if (text === null) continue;
    const owner = ownerOf(text);
    if (owner === null || isAlive(owner)) throw busy(path, source, owner);
    await takeAway(path, text);
  }
  throw busy(path, source, null);
}

async function created(path: string, text: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    await handle.writeFile(text);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Null: it is being written, or nobody knows what it is. */
function ownerOf(text: string): Owner | null {
  try {
    const { pid, startedS } = JSON.parse(text) as Partial<Owner>;
    return Number.isSafeInteger(pid) && typeof startedS === 'number' ? { pid: pid as number, startedS } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isAlive({ pid, startedS }: Owner): boolean {
  if (pid === process.pid) return Math.abs(startedS - ownStartedS) <= startToleranceS;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Removes a lock that was left behind, but not one that somebody else has put in its place meanwhile. */
async function takeAway(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}.${Math.trunc(performance.now() * 1000)}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (await textOf(aside) === text) await rm(aside, { force: true });
  else await rename(aside, path);
}

function busy(path: string, source: string, owner: Owner | null): VoltstreamError {
  return new VoltstreamError('SOURCE_BUSY', 'another ingestion of the same source is under way', {
    where: path, got: owner === null ? 'a lock that is being written, or cannot be read' : `process ${owner.pid}`,
    cure: `Wait until it has ended. If ${owner === null ? 'no ingestion' : `process ${owner.pid} is none and no other ingestion`} of ${source} runs, remove the file.`,
  });
}
