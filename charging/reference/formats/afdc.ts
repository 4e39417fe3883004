import type { Evse } from '../../../schemas/generated/station.ts';
import { hasCsvHeader, neededCsvTable, readCsv } from '../csv-rows.ts';
import type { CsvRow } from '../csv-rows.ts';
import { evseOf } from '../connector-standards.ts';
import type { Plug } from '../connector-standards.ts';
import { dateIn } from '../dates.ts';
import type { ReferenceRow, StationFacts, StationFormat } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';
import { timeZoneOf } from '../time-zone.ts';

type Level = 'level1' | 'level2' | 'fast';

/** Plugs by the names of the source, and which kinds of port have them. */
const plugs: Readonly<Record<string, { readonly standard: string; readonly levels: readonly Level[] }>> = {
  NEMA515: { standard: 'DOMESTIC_B', levels: ['level1'] },
  NEMA520: { standard: 'NEMA_5_20', levels: ['level1'] },
  NEMA1450: { standard: 'NEMA_14_50', levels: ['level2', 'level1'] },
  J1772: { standard: 'IEC_62196_T1', levels: ['level2', 'level1'] },
  J1772COMBO: { standard: 'IEC_62196_T1_COMBO', levels: ['fast'] },
  CHADEMO: { standard: 'CHADEMO', levels: ['fast'] },
  TESLA: { standard: 'TESLA_S', levels: ['level2', 'fast', 'level1'] },
};

const columns = ['Fuel Type Code', 'Station Name', 'EV Level2 EVSE Num', 'EV Connector Types', 'Open Date'];

/** Alternative fuel stations of the United States (and Canada), as the Alternative Fuels Data Center lists them. */
export const afdc: StationFormat = {
  kind: 'stations',
  name: 'afdc',
  title: 'Alternative Fuels Data Center, stations of the United States and Canada',
  attribution: 'National Renewable Energy Laboratory, public domain',
  recognises: (file) => hasCsvHeader(file, columns),
  read: (files) => files.flatMap((file) =>
    readCsv(neededCsvTable(file, 'afdc', columns), (row) => stationRow(row, file.name))),
};

function stationRow(row: CsvRow, file: string): ReferenceRow<StationFacts> {
  const { line } = row;
  if (row.needed('Fuel Type Code') !== 'ELEC') return { kind: 'other', file, line };
  const id = `afdc-${row.needed('ID')}`;
  const sourceMs = dateIn(row, 'Updated At', 'UTC');
  // P is planned; T, not available for a time, is still a station.
  if (row.text('Status Code') === 'P') return { kind: 'closed', file, line, id, sourceMs };
  const country = row.text('Country') ?? 'US';
  const region = row.text('State');
  const latitude = row.number('Latitude', -90, 90);
  const longitude = row.number('Longitude', -180, 180);
  const timeZone = timeZoneOf({ country, region, latitude, longitude }).zone;
  const hours = row.text('Access Days Time');
  const network = row.text('EV Network');
  return {
    kind: 'facts', file, line, id, sourceMs, sinceMs: dateIn(row, 'Open Date', timeZone),
    facts: {
      stationId: id, siteId: id, name: row.text('Station Name'),
      operator: network === null || network === 'Unknown' || network === 'Non-Networked' ? null : network,
      address: row.text('Street Address'), city: row.text('City'), region, country, latitude, longitude, timeZone,
      access: accessOf(row), openAlways: /^24 hours daily\b/i.test(hours ?? ''), openingHours: hours, evses: evsesOf(row),
    },
  };
}

function accessOf(row: CsvRow): StationFacts['access'] {
  const code = row.text('Access Code');
  if (code !== null && code !== 'public' && code !== 'private') throw new UnusableRow('Access Code', `neither public nor private: "${code}"`);
  if (code === 'private') return 'private';
  return row.text('Restricted Access') === 'true' ? 'restricted' : 'public';
}

/**
 * The source counts ports by level and lists the plugs of the whole station. Each port gets all plugs that fit its level; power is
 * not told. A station without any count has one place of which nothing is known.
 */
function evsesOf(row: CsvRow): readonly Evse[] {
  const counts: Readonly<Record<Level, number>> = {
    level1: portsOf(row, 'EV Level1 EVSE Num'), level2: portsOf(row, 'EV Level2 EVSE Num'), fast: portsOf(row, 'EV DC Fast Count'),
  };
  const names = (row.text('EV Connector Types') ?? '').split(' ').filter((name) => name !== '');
  const groups: Record<Level, Plug[]> = { level1: [], level2: [], fast: [] };
  const present = (['level2', 'fast', 'level1'] as const).filter((level) => counts[level] > 0);
  for (const name of names) {
    const { standard = null, levels = present } = plugs[name] ?? {};
    const level = levels.find((each) => counts[each] > 0) ?? present[0];
    if (level !== undefined) groups[level].push({ standard, current: level === 'fast' ? 'DC' : 'AC' });
  }
  const places = (['level1', 'level2', 'fast'] as const).flatMap((level) => Array.from({ length: counts[level] }, () =>
    (groups[level].length > 0 ? groups[level] : [{ standard: null, current: level === 'fast' ? 'DC' : 'AC' } as const])));
  return places.length === 0 ? [{ evseId: 1, connectors: [] }] : places.map((each, index) => evseOf(index + 1, each, null));
}

function portsOf(row: CsvRow, column: string): number {
  const count = row.number(column, 0, 10_000) ?? 0;
  if (!Number.isInteger(count)) throw new UnusableRow(column, `not a whole number: ${count}`);
  return count;
}
