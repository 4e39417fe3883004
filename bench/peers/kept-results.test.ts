import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Budget, expectedSeconds, KeptResults, minutesText } from './kept-results.ts';

const folder = mkdtempSync(join(tmpdir(), 'voltstream-kept-'));
const file = join(folder, 'deep', 'results.json');
afterEach(() => rmSync(join(folder, 'deep'), { recursive: true, force: true }));

function refuse(why: string): never {
  throw new Error(why);
}

describe('results that are kept', () => {
  it('are in the file as soon as they are added, and come back', () => {
    KeptResults.begin<number, string>(file, 7).add('one');
    const again = KeptResults.resume<number, string>(file, (kept) => kept + 1, refuse);
    again.add('two');
    expect([again.settings, again.results]).toEqual([8, ['one', 'two']]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ settings: 8, results: ['one', 'two'] });
  });

  it('are put aside by a new beginning, and untouched when settings are refused', () => {
    KeptResults.begin<number, string>(file, 7).add('one');
    expect(() => KeptResults.resume<number, string>(file, () => {
      throw new Error('other input');
    }, refuse)).toThrow('other input');
    KeptResults.begin<number, string>(file, 8);
    expect(JSON.parse(readFileSync(`${file}.previous`, 'utf8'))).toEqual({ settings: 7, results: ['one'] });
    expect(KeptResults.resume<number, string>(file, (kept) => kept, refuse).results).toEqual([]);
  });

  it('cannot be gone on with when there are none, or something else', () => {
    expect(() => KeptResults.resume(file, (kept) => kept, refuse)).toThrow(/nothing to go on with/);
    KeptResults.begin<number, string>(file, 7);
    writeFileSync(file, 'not JSON');
    expect(() => KeptResults.resume(file, (kept) => kept, refuse)).toThrow(/does not hold what was measured before/);
  });
});

describe('the time that is left', () => {
  it('allows what ends in time', () => {
    let nowMs = 0;
    const budget = new Budget(1, () => nowMs);
    expect([budget.allows(60), budget.allows(61)]).toEqual([true, false]);
    nowMs = 30_000;
    expect([budget.allows(30), budget.allows(31)]).toEqual([true, false]);
    expect(new Budget(null, () => nowMs).allows(1e9)).toBe(true);
  });

  it('goes by runs alike, else by all', () => {
    const runs = [{ side: 'a', seconds: 10 }, { side: 'a', seconds: 20 }, { side: 'b', seconds: 90 }];
    expect(expectedSeconds(runs, ({ side }) => side === 'a')).toBe(15);
    expect(expectedSeconds(runs, ({ side }) => side === 'c')).toBe(40);
    expect(expectedSeconds([], () => true)).toBe(0);
    expect([minutesText(89), minutesText(150)]).toEqual(['89 s', '2.5 min']);
  });
});
