import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReferenceFile } from '../reference-file.ts';
import { formatOf } from './formats.ts';
import { outageExclusions } from './outage-exclusions.ts';

const header = 'exclusion_id,station_id,evse_id,site_id,operator,from,to,reason,note,time_zone';

function file(text: string, name = 'exclusions.csv'): ReferenceFile {
  return { name, text, contentHash: text, encoding: 'utf-8' };
}

const rowsOf = (...lines: readonly string[]) => outageExclusions.read([file([header, ...lines].join('\n'))]);

describe('outage exclusions', () => {
  it('are read from a table', () => {
    const one = file(`${header}\nE-1,s1,2,,,2026-03-01T10:00:00Z,2026-03-01 12:30,utility interruption,"case 77, line down",\n`);
    expect(formatOf(one).name).toBe('outage-exclusions');
    expect(outageExclusions.read([one])).toEqual([{
      kind: 'facts', file: 'exclusions.csv', line: 2, id: 'E-1', sinceMs: null, sourceMs: null,
      facts: {
        exclusionId: 'E-1', stationId: 's1', evseId: 2, siteId: null, operator: null, fromMs: Date.UTC(2026, 2, 1, 10), toMs: Date.UTC(2026, 2, 1, 12, 30),
        reason: 'UtilityInterruption', note: 'case 77, line down',
      },
    }]);
  });

  it('are read from JSON with the same names', () => {
    const one = file(JSON.stringify([{ exclusion_id: 'E-2', site_id: 'north', from: '2026-03-01', reason: 'NaturalDisaster' }]), 'exclusions.json');
    expect(formatOf(one).name).toBe('outage-exclusions');
    expect(outageExclusions.read([one])).toMatchObject([{ kind: 'facts', id: 'E-2', facts: { siteId: 'north', stationId: null, fromMs: Date.UTC(2026, 2, 1), toMs: null } }]);
  });

  it('have times by the clock of their zone, across a change of clocks', () => {
    const [row] = rowsOf('E-3,s1,,,,2026-03-28 22:00,2026-03-29 06:00,scheduled-maintenance,,Europe/Berlin');
    expect(row).toMatchObject({ facts: { fromMs: Date.UTC(2026, 2, 28, 21), toMs: Date.UTC(2026, 2, 29, 4) } });
  });

  it.each([
    ['E,,,,,2026-03-01,,Vandalism,,', 'station_id'], ['E,,1,,Op,2026-03-01,,Vandalism,,', 'evse_id'], ['E,s,1.5,,,2026-03-01,,Vandalism,,', 'evse_id'],
    ['E,s,,,,,,Vandalism,,', 'from'], ['E,s,,,,yesterday,,Vandalism,,', 'from'], ['E,s,,,,2026-03-02,2026-03-02,Vandalism,,', 'to'],
    ['E,s,,,,2026-03-02,,Rain,,', 'reason'], [',s,,,,2026-03-02,,Vandalism,,', 'exclusion_id'], ['E,s,,,,2026-03-02 10:00,,Vandalism,,Mars/Base', 'time_zone'],
  ])('that cannot be used are set aside: %s', (line, column) => {
    expect(rowsOf(line)).toMatchObject([{ kind: 'bad', line: 2, column }]);
  });
});

describe('the example of docs/connector-status.md', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'connector-status.md'), 'utf8');

  it('is a file of this form', () => {
    const example = file(/```csv\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
    expect(formatOf(example).name).toBe('outage-exclusions');
    expect(outageExclusions.read([example]).map((row) => (row.kind === 'facts' ? [row.id, row.facts.reason, row.facts.fromMs] : row))).toEqual([
      ['2024-017', 'UtilityInterruption', Date.UTC(2024, 0, 31, 23)], ['2024-018', 'Vandalism', Date.UTC(2024, 1, 1)], ['2024-019', 'NaturalDisaster', Date.UTC(2024, 2, 31, 1)],
    ]);
  });
});
