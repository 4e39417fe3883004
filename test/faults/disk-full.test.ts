import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lmdbSpareBytes } from '../../state/lmdb-room.ts';
import { faultInput } from './embedded-input.ts';
import type { FaultInput } from './embedded-input.ts';
import { problemsOf } from './embedded-judge.ts';
import type { Observation } from './embedded-observation.ts';
import { runOnce } from './embedded-process.ts';
import type { EmbeddedRun } from './embedded-run.ts';

const program = join(import.meta.dirname, 'embedded-run.ts');

/** A small disk of its own. Needs root; null where that is refused. */
function smallDisk(folder: string, megabytes: number): (() => void) | null {
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'voltstream-test', folder], { stdio: 'ignore' });
  } catch {
    return null;
  }
  return () => void execFileSync('umount', ['-l', folder]);
}

const folder = mkdtempSync(join(tmpdir(), 'voltstream-disk-full-'));
const disk = join(folder, 'disk');
const unmount = smallDisk(disk, 400);

function observed(path: string): Observation {
  return JSON.parse(readFileSync(path, 'utf8')) as Observation;
}

/** Leaves so many bytes on the small disk. */
function fillUpTo(spareBytes: number, name: string): string {
  const filler = join(disk, name);
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - spareBytes)));
  return filler;
}

/** Takes what is left to the last byte, as another program might, but not faster than writes that are under way can end. */
async function takeTheRest(): Promise<readonly string[]> {
  const lessThanSpared = fillUpTo(lmdbSpareBytes / 2, 'less-than-spared');
  await sleep(3_000);
  const rest = join(disk, 'rest');
  spawnSync('dd', ['if=/dev/zero', `of=${rest}`, 'bs=64k'], { stdio: 'ignore' });
  return [lessThanSpared, rest];
}

describe.skipIf(unmount === null)('a full disk (needs to mount a tmpfs: skipped without root)', () => {
  let input: FaultInput;
  let reference: Observation;

  beforeAll(async () => {
    input = faultInput(folder, { rows: 6_000, sessions: 500 });
    const observeInto = join(folder, 'reference.json');
    const ended = await runOnce({ ...input, data: join(folder, 'reference'), observeInto });
    expect(ended.how, ended.errors).toBe('done');
    reference = observed(observeInto);
  }, 90_000);
  afterAll(() => {
    unmount?.();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([1, 8])('is told once, waited for, and gone on from without loss: %i MB to use, then none at all', async (megabytes) => {
    const data = join(disk, `data-${megabytes}`);
    // Made with room, so that what runs full is the work and not the start.
    const empty: EmbeddedRun = { data, sessionLogs: [], jsonLines: [] };
    expect(await runOnce(empty)).toMatchObject({ how: 'done' });
    const filler = fillUpTo(lmdbSpareBytes + megabytes * 1_000_000, 'filler');
    const observeInto = join(folder, `full-${megabytes}.json`);
    const child = spawn(process.execPath, [program, JSON.stringify({ ...input, data, observeInto } satisfies EmbeddedRun)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    await until(() => errors.includes('DISK_FULL') || child.exitCode !== null);
    const fillers = [filler, ...(await takeTheRest())];
    await sleep(3_000);
    expect({ code: child.exitCode, drained: output.includes('drained') }, errors).toEqual({ code: null, drained: false });
    const told = errors.split('\n').filter((line) => line.includes('DISK_FULL'));
    expect(told.length, errors).toBeLessThanOrEqual(2);
    expect(told[0]).toContain('Make room; processing goes on by itself.');
    // LMDB must not meet the end of the disk: see `assertRoom`.
    expect(errors).not.toMatch(/No space left on device position|Input\/output error|mdb_/);
    for (const name of fillers) rmSync(name);
    expect(await closed, errors).toBe(0);
    expect(problemsOf(observed(observeInto), reference)).toEqual([]);
    rmSync(data, { recursive: true });
  }, 300_000);
});

async function until(condition: () => boolean): Promise<void> {
  for (const endMs = performance.now() + 60_000; !condition() && performance.now() < endMs;) await sleep(50);
}
