import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completed, missingPackages, platformOf } from '../../.ci/complete-lock-file.ts';
import type { LockFile } from '../../.ci/complete-lock-file.ts';

const text = readFileSync(join(import.meta.dirname, '..', '..', 'package-lock.json'), 'utf8');

describe('the lock file', () => {
  it('holds the optional packages of every platform, else npm ci refuses it (cure: node .ci/complete-lock-file.ts)', () => {
    expect(missingPackages(JSON.parse(text) as LockFile)).toEqual([]);
  });

  it('names no registry', () => {
    expect(text).not.toContain('"resolved"');
  });
});

describe('completing a lock file', () => {
  const lock: LockFile = {
    packages: {
      '': {}, 'node_modules/tool': { dev: true, optionalDependencies: { '@tool/linux-x64-gnu': '1.0.0', '@tool/darwin-arm64': '1.0.0' } },
      'node_modules/tool/node_modules/@tool/linux-x64-gnu': { version: '1.0.0' },
    },
  };

  it('adds what is missing with its platform, and nothing twice', () => {
    const whole = completed(lock);
    expect(Object.keys(whole.packages)).toEqual(['', 'node_modules/@tool/darwin-arm64', 'node_modules/tool', 'node_modules/tool/node_modules/@tool/linux-x64-gnu']);
    expect(whole.packages['node_modules/@tool/darwin-arm64']).toEqual({ version: '1.0.0', os: ['darwin'], cpu: ['arm64'], dev: true, optional: true });
    expect(completed(whole)).toEqual(whole);
  });

  it('reads the platform from the name', () => {
    expect(platformOf('@oxlint/binding-linux-arm-musleabihf')).toEqual({ os: ['linux'], cpu: ['arm'], libc: ['musl'] });
    expect(platformOf('@chdb/lib-linux-arm64-gnu')).toEqual({ os: ['linux'], cpu: ['arm64'], libc: ['glibc'] });
    expect(() => platformOf('@tool/wasm')).toThrow('does not name its platform');
  });
});
