import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ChdbWarehouse } from './chdb-warehouse.ts';

const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const pieces = 400;
const rowsPerPiece = 500;

/** Runs the child; kills it so long after it is ready, or lets a named point do that. Resolves with how it ended. */
function run(folder: string, killAfterMs: number | null): Promise<'killed' | 'done' | string> {
  const environment = { ...process.env, VOLTSTREAM_TEST_CRASH_POINTS: join(folder, 'points') };
  const running = spawn(process.execPath, [child, folder, String(pieces), String(rowsPerPiece)], { env: environment });
  let output = '';
  let errors = '';
  let timer: NodeJS.Timeout | undefined;
  running.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (killAfterMs !== null && timer === undefined) timer = setTimeout(() => running.kill('SIGKILL'), killAfterMs);
  });
  running.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve) => {
    running.on('close', (_, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') resolve('killed');
      else resolve(output.endsWith('done\n') ? 'done' : errors);
    });
  });
}

/** The judge looks at the base table: each row once, and equal to what an undisturbed run makes. */
async function judge(folder: string): Promise<void> {
  const warehouse = new ChdbWarehouse({ folder: join(folder, 'engine') });
  await warehouse.open();
  const sql =
    'SELECT count() AS rows, uniqExact(number) AS keys, uniqExact(_batch) AS batches, max(number) AS last, ' +
    "countIf(text != concat('row ', toString(number), '\\n\\n') OR _version != bitShiftLeft(toUInt64(1), 40) + number) AS wrong FROM voltstream.crash";
  const [found] = await warehouse.query(sql);
  await warehouse.close();
  const rows = String(pieces * rowsPerPiece);
  expect(found).toEqual({ rows, keys: rows, batches: String(pieces), last: pieces * rowsPerPiece - 1, wrong: '0' });
}

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-crash-'));
  mkdirSync(join(folder, 'points'));
  writeFileSync(join(folder, 'acknowledged'), '0');
  return folder;
}

describe('a delivering process that is killed', () => {
  it('leaves every row exactly once, wherever it was: 24 kills, half of them at the narrow points', async () => {
    const folder = freshFolder();
    const ends: string[] = [];
    for (let kill = 0; kill < 24; kill++) {
      const point = kill % 4 === 0 ? 'after-spool' : kill % 4 === 1 ? 'after-insert' : null;
      if (point === null) {
        ends.push(await run(folder, 3 + ((kill * 37) % 90)));
      } else {
        writeFileSync(join(folder, 'points', point), '');
        ends.push(await run(folder, null));
      }
    }
    expect(ends).toEqual(ends.map(() => 'killed'));
    expect(Number(readFileSync(join(folder, 'acknowledged'), 'utf8'))).toBeLessThan(pieces);
    expect(await run(folder, null)).toBe('done');
    await judge(folder);
    rmSync(folder, { recursive: true });
  }, 180_000);
});
