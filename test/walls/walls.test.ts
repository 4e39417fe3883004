import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folders, packagesReached, root, sourceFiles } from './imports.ts';
import { plantedFiles } from './planted.ts';

interface Diagnostic {
  readonly code?: string;
  readonly filename: string;
}

let folder: string;
let reports: Map<string, string[]>;

/** Plants every file into an empty folder with the linter's configuration of the repository, and lints it once. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'walls-'));
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  for (const { path, source } of plantedFiles) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), source);
  }
  const linter = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const run = spawnSync(process.execPath, [linter, '--format', 'json', '.'], { cwd: folder, encoding: 'utf8', maxBuffer: 64_000_000 });
  const { diagnostics } = JSON.parse(run.stdout) as { readonly diagnostics: readonly Diagnostic[] };
  reports = new Map();
  for (const { code, filename } of diagnostics) {
    const path = filename.replace(/^\.\//, '');
    reports.set(path, [...reports.get(path) ?? [], code ?? 'syntax']);
  }
});

afterAll(() => { rmSync(folder, { recursive: true }); });

describe('the walls', () => {
  it.each(plantedFiles.filter((file) => file.rule !== null))('report $path by $rule, and by nothing else', ({ path, rule }) => {
    expect(reports.get(path)).toEqual([rule]);
  });

  it.each(plantedFiles.filter((file) => file.rule === null))('let $path stand', ({ path }) => {
    expect(reports.get(path)).toBe(undefined);
  });

  it('plant each file once', () => {
    const paths = plantedFiles.map((file) => file.path);
    expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
  });
});

/** What the linter's rules cannot say. */
describe('the tree', () => {
  it('has no folder whose name says nothing', () => {
    expect(folders().filter((name) => /^(src|lib|utils?|common|core|helpers?|misc|shared)$/.test(name))).toEqual([]);
  });

  it('has no folder at the top that the walls do not know', () => {
    const top = new Set(sourceFiles().filter((file) => file.includes('/')).map((file) => file.split('/')[0] ?? ''));
    const walled = readFileSync(join(root, '.oxlintrc.json'), 'utf8');
    for (const name of top) expect(walled, name).toMatch(new RegExp(`"${name}/\\*\\*"`));
  });

  it('needs no development dependency to run', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> };
    const reached = packagesReached(['index.ts', 'cli/voltstream.ts', 'runtime/testing/index.ts', 'console/http-server.ts', 'runtime/metrics.ts']);
    expect([...reached].filter(([name]) => !(name in dependencies))).toEqual([]);
    expect([...reached.keys()]).toContain('fastify');
  });
});
