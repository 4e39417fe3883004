import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks, pages, root } from './pages.ts';
import type { Page } from './pages.ts';

const runnable = pages().filter((page) => codeBlocks(page).some((block) => block.file !== null));

/** Inside the repository, so that `voltstream` is found as readers write it; `dist` is nobody's source. */
let folder: string;
const folderOf = (page: Page): string => join(folder, page.path.replaceAll(/\W/g, '-'));

function run(cwd: string, args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 60_000 });
  return { status, output: `${stdout}\n${stderr}` };
}

beforeAll(() => {
  mkdirSync(join(root, 'dist'), { recursive: true });
  folder = mkdtempSync(join(root, 'dist', 'docs-'));
  for (const page of runnable) {
    mkdirSync(folderOf(page));
    for (const { file, code } of codeBlocks(page)) if (file !== null) writeFileSync(join(folderOf(page), file), code);
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['**/*.ts'], exclude: [] }));
});

afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

describe('code in the docs', () => {
  it('is of sound types', () => {
    expect(run(folder, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder])).toMatchObject({ status: 0 });
  }, 180_000);

  it.each(runnable.map((page) => [page.path, page] as const))('runs: %s', (_path, page) => {
    for (const { file } of codeBlocks(page)) {
      if (file === null) continue;
      const args = file.endsWith('.test.ts') ? ['--test', file] : [file, join(folderOf(page), 'data')];
      const { status, output } = run(folderOf(page), args);
      expect(status, `${page.path}, ${file}:\n${output}`).toBe(0);
    }
  }, 300_000);

  it('is in the README and in the guides', () => {
    expect(runnable.map((page) => page.path)).toEqual(expect.arrayContaining(['README.md', 'docs/first-topology.md', 'docs/testing.md']));
  });
});
