import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { costFlags } from './cost-flags.ts';
import { minorUnitDigits } from './currencies.ts';
import { priceSession } from './price-session.ts';
import { readExamples } from './testing/worked-examples.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'tariffs.md'), 'utf8');
const examples = readExamples(page);

function written(minor: number | null, currency: string): string | null {
  return minor === null ? null : (minor / 10 ** (minorUnitDigits(currency) ?? 0)).toFixed(minorUnitDigits(currency) ?? 0);
}

describe('docs/tariffs.md', () => {
  it('has at least forty worked examples, numbered, each with its calculation', () => {
    expect(examples.length).toBeGreaterThanOrEqual(40);
    expect(examples.map(({ number }) => number)).toEqual(examples.map((_example, index) => String(index + 1)));
    expect(examples.filter(({ calculation }) => calculation === '')).toEqual([]);
  });

  it.each(examples)('example $number: $tariff.tariffId, $calculation', ({ tariff, session, amounts, flags }) => {
    const cost = priceSession(session, tariff);
    const found = [cost.startFeeMinor, cost.energyMinor, cost.chargingMinor, cost.idleMinor, cost.totalMinor];
    expect(found.map((minor) => written(minor, tariff.currency))).toEqual(amounts);
    expect(cost.flags).toEqual(flags);
  });

  it('lists every flag with its reason, in order', () => {
    const listed = [...page.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \|$/gm)].map(([, flag, reason]) => [flag, reason]);
    expect(listed).toEqual(Object.entries(costFlags));
    expect(Object.keys(costFlags)).toEqual(Object.keys(costFlags).sort());
  });
});
