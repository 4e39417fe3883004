import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { temporaryIn, writeSynced } from './temporary-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'temporary-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('writes a file of its own, and never over another one', async () => {
  const [one, other] = [temporaryIn(folder), temporaryIn(folder)];
  expect(one).not.toBe(other);
  await writeSynced(one, 'first');
  await expect(writeSynced(one, 'second')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(one, 'utf8')).toBe('first');
});
