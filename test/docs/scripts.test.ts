import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages, root } from './pages.ts';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };

/** Where pages call scripts of `bench/` and `test/` with options: each file, with the words behind it. */
function calls(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const call = /(?:((?:bench|test)\/[\w/-]+\.ts)|\bnpm run ([\w:-]+) --)( [^`\n#|]*--[^`\n#|]*)/g;
  for (const { text } of pages()) {
    for (const [, named, script = '', words = ''] of text.matchAll(call)) {
      const file = named ?? /(?:bench|test)\/[\w/-]+\.ts$/.exec(scripts[script] ?? '')?.[0];
      if (file !== undefined) found.set(file, [...found.get(file) ?? [], ...words.trim().split(/\s+/)]);
    }
  }
  return found;
}

/** Options with their values, so that they are read before the help is shown; a bare option is not, as it may be named without its value. N stands for a number. */
function valued(words: readonly string[]): readonly string[] {
  return words.flatMap((word, at) => {
    const value = words[at + 1];
    if (!word.startsWith('--') || value === undefined || value.startsWith('--')) return [];
    return [word, value === 'N' ? '1' : value.replaceAll('"', '')];
  });
}

describe('scripts that pages name', () => {
  const called = calls();

  it('are those of benchmarks, fault runs and conformance', () => {
    expect([...called.keys()]).toEqual(expect.arrayContaining(['bench/embedded.ts', 'bench/peer.ts', 'test/faults/servers-crash.ts', 'test/conformance/run-oracle.ts']));
  });

  it.each([...called])('%s takes the options and values that they are given there', (file, words) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, file), ...valued(words), '--help'], { encoding: 'utf8', timeout: 60_000 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const explained = new Set([...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z][a-z-]*)/gm)].map(([, option]) => option));
    expect(words.flatMap((word) => word.match(/^--[a-z][a-z-]*/) ?? []).filter((option) => !explained.has(option))).toEqual([]);
  }, 60_000);
});
