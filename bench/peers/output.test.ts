import { describe, expect, it } from 'vitest';
import { difference, digestOf } from './output.ts';
import type { Output } from './output.ts';

const output = (last: Readonly<Record<string, string>>, repeated = 0): Output => ({ records: Object.keys(last).length + repeated, last: new Map(Object.entries(last)), repeated });

describe('the judge of two outputs', () => {
  it('lets the number of records differ, but no last value', () => {
    expect(difference('a', output({ k: '1' }), output({ k: '1' }, 3))).toBeNull();
    expect(difference('a', output({ k: '1', l: '2' }), output({ k: '1', l: '3' }))).toMatch(/1 of the first with another last value, as 6c: 32 and 33/);
  });

  it('sees a key too many and a key too few', () => {
    expect(difference('c', output({ k: '1' }), output({ k: '1', l: '2' }))).toMatch(/^1 and 2 keys/);
    expect(difference('c', output({ k: '1', l: '2' }), output({ k: '1' }))).toMatch(/^2 and 1 keys/);
  });

  it('takes no output for a failure', () => {
    expect(difference('a', output({}), output({}))).toMatch(/no output/);
  });

  it('is told by a digest, too, which knows no order and no difference in how often a key came', () => {
    expect(digestOf(output({ k: '1', l: '2' }))).toBe(digestOf(output({ l: '2', k: '1' }, 3)));
    const digests = [output({ k: '1' }), output({ k: '2' }), output({ k: '1', l: '' }), output({ k1: '' }), output({ k: '\u00ff' })].map(digestOf);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('wants each final result once', () => {
    expect(difference('b', output({ k: '1' }), output({ k: '1' }, 1))).toMatch(/more than once: 0 and 1/);
  });
});
