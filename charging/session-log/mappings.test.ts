import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readForVerification } from '../verify-session-log.ts';
import { concernsOf } from '../ingest/row-counts.ts';
import { mappingOf } from './mapping-form.ts';
import { columnsNeeded, shippedMappings } from './mappings.ts';
import type { QuarantinedRow, SessionLogMapping, SessionLogRow } from './mapping.ts';
import { readSessionLogs } from './read-session-log.ts';

const sampleOf = (name: string): string => join(import.meta.dirname, 'samples', `${name}.csv`);
const named = (name: string): SessionLogMapping => shippedMappings.find((mapping) => mapping.name === name) as SessionLogMapping;

async function rowsOf(name: string): Promise<readonly (SessionLogRow | QuarantinedRow)[]> {
  return Array.fromAsync(readSessionLogs([sampleOf(name)], named(name)));
}

function said(row: SessionLogRow | QuarantinedRow | undefined) {
  if (row?.kind !== 'row') return row?.reason;
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().slice(0, 19));
  return [row.rowId, row.stationId, row.connectorId, iso(row.startMs), iso(row.stopMs), row.energyWh, concernsOf(row).join(' ')];
}

describe('the mappings', () => {
  it.each(shippedMappings.map((mapping) => mapping.name))('%s passes the check that people’s own mappings must pass', (name) => {
    const mapping = named(name);
    expect(mappingOf(JSON.parse(JSON.stringify(mapping)), 'shipped')).toMatchObject(mapping);
  });

  it.each(shippedMappings.map((mapping) => mapping.name).filter((name) => existsSync(sampleOf(name))))(
    '%s gives every row of its sample what a reading by other code gives', async (name) => {
      const own = await rowsOf(name);
      const other = new Map((await readForVerification([sampleOf(name)], named(name))).map((row) => [row.id, row]));
      const readable = own.filter((row) => row.kind === 'row');
      expect(readable.length).toBeGreaterThan(2);
      for (const { rowId, stationId, connectorId, startMs, stopMs, energyWh } of readable) {
        expect(other.get(rowId)).toMatchObject({ stationId, connectorId, startMs, stopMs, energyWh });
      }
      expect(other.size).toBe(own.length);
    },
  );

  it.each(shippedMappings.map((mapping) => mapping.name).filter((name) => existsSync(sampleOf(name))))('%s names columns of its sample', (name) => {
    const [header = ''] = readFileSync(sampleOf(name), 'utf8').replace(/^\uFEFF/, '').split(/\r?\n/);
    expect(header.split(named(name).delimiter)).toEqual(expect.arrayContaining([...columnsNeeded(named(name))]));
  });
});

describe('what is odd in a source', () => {
  it('perth: two rows of one connector and minute are two sessions', async () => {
    const rows = (await rowsOf('perth')).map(said);
    expect(rows.at(-2)).toEqual(['50279-2-1548772020000', '50279', 2, '2019-01-29T14:27:00', '2019-01-29T15:11:00', 4850, '']);
    expect(rows.at(-1)).toEqual(['50279-2-1548772020000-2', '50279', 2, '2019-01-29T14:27:00', '2019-01-29T14:27:00', 0, '']);
    expect(rows[0]).toEqual(['51516-2-1567290360000', '51516', 2, '2019-08-31T22:26:00', '2019-08-31T22:54:00', 12_780, '']);
    expect(rows[8]?.at(-1)).toBe('missing-stop missing-energy');
  });

  it('boulder: times are UTC, whatever the label says, also across the change of clocks', async () => {
    const rows = (await rowsOf('boulder')).map(said);
    expect(rows.at(-1)?.slice(3)).toEqual(['2018-03-09T20:58:00', '2018-03-12T17:28:00', 2077, '']);
  });

  it('boulder, older form: times are local though they say +00, a dash is no minute, thousands have a comma', async () => {
    const rows = (await rowsOf('boulder-older')).map(said);
    // Its twin in the later form starts at 18:51 UTC.
    expect(rows[5]?.slice(1)).toEqual(['older/BOULDER / BASELINE ST1', 1, '2018-01-31T18:51:00', '2018-01-31T19:33:00', 4600, '']);
    expect(rows[3]?.slice(3)).toEqual(['2018-01-31T21:47:00', '2018-01-31T21:47:00', null, 'missing-energy']);
    expect(rows.at(-1)?.slice(3)).toEqual(['2018-06-09T22:33:00', '2018-06-11T14:51:00', 33_520, '']);
  });

  it('acn: an offset beside the time, and an energy that a product would round down', async () => {
    expect(said((await rowsOf('acn')).at(-1))).toEqual([
      '1_1_191_805_2019-10-10 14:24:29.491032', 'AG-4F39', 1, '2019-10-10T14:24:29', '2019-10-10T23:15:57', 16_439.858, '',
    ]);
  });

  it('norway: decimal commas; the duration agrees across the end of summer time, and is the clocks’ difference across its beginning', async () => {
    const rows = (await rowsOf('norway')).map(said);
    expect(rows[1]).toEqual(['2', 'AdO3-4', 1, '2018-12-21T09:24:00', '2018-12-21T09:32:00', 870, '']);
    expect(rows[6]).toEqual(['3145', 'Bl2-6', 1, '2019-10-24T18:51:00', '2019-10-28T14:13:00', 13_310, '']);
    expect(rows[9]?.slice(3)).toEqual(['2019-12-16T14:18:00', null, 22_730, 'missing-stop']);
    expect(rows[11]?.slice(0, 2)).toEqual(['26', 'Shared-7']);
    expect(rows.at(-1)?.slice(3)).toEqual(['2019-03-30T13:51:00', '2019-03-31T14:51:00', 23_090, 'duration-disagrees']);
  });

  it('workplace: the year 0014 is 2014', async () => {
    expect(said((await rowsOf('workplace'))[0])).toEqual(['1366563', '582873', 1, '2014-11-18T20:40:26', '2014-11-18T22:11:04', 7780, '']);
  });

  it('kaggle-patterns: every contradiction is named', async () => {
    expect((await rowsOf('kaggle-patterns')).map((row) => said(row)?.at(-1))).toEqual([
      '', 'duration-disagrees weekday-disagrees time-of-day-disagrees soc-falls energy-above-battery', 'missing-energy soc-above-100 incomplete',
    ]);
  });
});
