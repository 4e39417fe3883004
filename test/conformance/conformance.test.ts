import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Case } from './case.ts';
import { familyOf } from './families/index.ts';
import { judge, type Disturbance } from './judge.ts';
import { randomFrom } from '../seeded-random.ts';

const folder = join(import.meta.dirname, 'vectors');
const seed = Number(process.env['FC_SEED'] ?? 20_251_121);

function randomDisturbance(start: number): Disturbance {
  const random = randomFrom(start);
  return () => {
    const drawn = random();
    if (drawn < 0.15) return 'restart';
    return drawn < 0.35 ? 'commit' : 'none';
  };
}

for (const file of readdirSync(folder)) {
  const cases = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Case[];
  describe(`Kafka Streams' ${basename(file, '.json')}`, () => {
    it.each(cases)('$id as it is', (one) => {
      expect(judge(one)).toEqual({ kind: 'passed' });
    });

    it.each(cases.map((one, index) => ({ one, id: one.id, index })))('$id with commits and restarts in the middle', ({ one, index }) => {
      expect(judge(one, randomDisturbance(seed + index)), `FC_SEED=${seed}`).toEqual({ kind: 'passed' });
    });

    it.each(cases)('$id with a restart after every record', (one) => {
      expect(judge(one, () => 'restart')).toEqual({ kind: 'passed' });
    });
  });
}

describe('the judge', () => {
  const cases = JSON.parse(readFileSync(join(folder, 'window.json'), 'utf8')) as readonly Case[];
  const one = cases.find((candidate) => candidate.outputs.length > 2) as Case;

  it('fails a case with a missing, an extra, a changed or a displaced output', () => {
    const [first, second, ...others] = one.outputs;
    if (first === undefined || second === undefined) throw new Error('the case has outputs');
    for (const outputs of [
      one.outputs.slice(1), [...one.outputs, first], [{ ...first, value: 'x' }, second, ...others], [second, first, ...others],
      [{ ...first, after: first.after + 1 }, second, ...others],
    ]) {
      expect(judge({ ...one, outputs }).kind).toBe('failed');
    }
  });

  it('fails a case with another number of dropped records', () => {
    expect(judge({ ...one, dropped: one.dropped + 1 }).kind).toBe('failed');
  });

  it('knows a family that is not built yet', () => {
    expect(familyOf('not-yet')).toBeUndefined();
    expect(judge({ ...one, op: 'not-yet' })).toEqual({ kind: 'not-built' });
  });
});
