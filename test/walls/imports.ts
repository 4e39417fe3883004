import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..', '..');

const notOurs = /^(node_modules|dist|coverage|\..*)$/;

/** Paths of all TypeScript files below a folder, from the root of the repository. */
export function sourceFiles(folder = root): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.test(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith('.ts') ? [relative(root, path)] : [];
  });
}

export function folders(folder = root): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !notOurs.test(entry.name))
    .flatMap((entry) => [entry.name, ...folders(join(folder, entry.name))]);
}

const importing = /^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|new URL\('(\.[^']+\.ts)', import\.meta\.url\)/gm;

/** What a file imports when it runs, types left out: specifiers as written. */
export function importsOf(file: string): readonly string[] {
  const source = readFileSync(join(root, file), 'utf8');
  return [...source.matchAll(importing)]
    .filter((match) => !/^(import|export)\s+type\b/.test(match[0]))
    .map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? '');
}

/** Packages that are reached from files when they run, each with the file that imports it. */
export function packagesReached(entries: readonly string[]): ReadonlyMap<string, string> {
  const packages = new Map<string, string>();
  const seen = new Set<string>();
  const open = [...entries];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file) || !existsSync(join(root, file))) continue;   // a file that is not there: the compiler says so
    seen.add(file);
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) open.push(relative(root, resolve(root, dirname(file), specifier)));
      else if (!specifier.startsWith('node:')) packages.set(packageName(specifier), file);
    }
  }
  return packages;
}

function packageName(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
