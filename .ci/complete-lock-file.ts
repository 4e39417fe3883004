import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `node .ci/complete-lock-file.ts`: adds to `package-lock.json` the optional packages for other platforms that npm leaves out when
 * it could not fetch their descriptions. Without them `npm ci` refuses the lock file on every platform ("Missing: ... from lock
 * file"). Needed after each `npm install`; a test fails when it was forgotten.
 *
 * Name and exact version come from the package that wants them, the platform from the name. They carry no integrity hash, since
 * their content was not seen.
 */
interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface LockFile {
  readonly packages: Record<string, LockedPackage>;
}

export interface MissingPackage {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

/** Optional packages that have no entry where Node would look for them. */
export function missingPackages({ packages }: LockFile): readonly MissingPackage[] {
  const missing = new Map<string, MissingPackage>();
  for (const [path, { optionalDependencies = {}, dev = false }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (placesOf(path, name).some((place) => place in packages)) continue;
      missing.set(name, { name, version, dev: dev && (missing.get(name)?.dev ?? true) });
    }
  }
  return [...missing.values()];
}

function placesOf(path: string, name: string): readonly string[] {
  const parts = path.split('/node_modules/');
  const nested = parts.map((_, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/node_modules/${name}`);
  return [...nested, `node_modules/${name}`];
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/** What the last part of a platform package's name says, e.g. `binding-linux-x64-musl`. */
export function platformOf(name: string): { readonly os: readonly string[]; readonly cpu: readonly string[]; readonly libc?: readonly string[] } {
  const words = name.split(/[/-]/);
  const [os, cpu] = [systems.find((system) => words.includes(system)), processors.find((processor) => words.includes(processor))];
  if (os === undefined || cpu === undefined) throw new Error(`${name} does not name its platform: add it to package-lock.json by hand`);
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.some((word) => word.startsWith('gnu')) ? 'glibc' : undefined;
  return libc === undefined ? { os: [os], cpu: [cpu] } : { os: [os], cpu: [cpu], libc: [libc] };
}

export function completed(lock: LockFile): LockFile {
  const added = missingPackages(lock).map(({ name, version, dev }) =>
    [`node_modules/${name}`, { version, ...platformOf(name), ...(dev ? { dev } : {}), optional: true }] as const);
  const packages = [...Object.entries(lock.packages), ...added].sort(([one], [other]) => one.localeCompare(other, 'en'));
  return { ...lock, packages: Object.fromEntries(packages) };
}

if (import.meta.main) {
  const file = join(import.meta.dirname, '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8')) as LockFile;
  writeFileSync(file, `${JSON.stringify(completed(lock), null, 2)}\n`);
  process.stdout.write(`added ${missingPackages(lock).length}\n`);
}
