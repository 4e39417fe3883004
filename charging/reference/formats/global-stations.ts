import { evseOf, plainPlugs, unknownPlug, wattsOf } from '../connector-standards.ts';
import { csvTable, hasCsvHeader, readCsv } from '../csv-rows.ts';
import type { CsvRow } from '../csv-rows.ts';
import { VoltstreamError } from '../../../errors.ts';
import type { ReferenceRow, StationFacts, StationFormat } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';
import { timeZoneOf } from '../time-zone.ts';

/** Names of the columns in the original table, and in the renamed one. */
const headers = [
  {
    id: 'Station ID', latitude: 'Latitude', longitude: 'Longitude', address: 'Address', type: 'Charger Type', hours: 'Availability',
    operator: 'Station Operator', capacity: 'Charging Capacity (kW)', plugs: 'Connector Types', year: 'Installation Year',
  },
  {
    id: 'station_id', latitude: 'latitude', longitude: 'longitude', address: 'address', type: 'charger_type', hours: 'operating_hours',
    operator: 'operator', capacity: 'charging_capacity_kw', plugs: 'connector_types', year: 'installation_year',
  },
] as const;
type Header = (typeof headers)[number];

/** Countries of the cities that the table names: it has no column for them. */
const countryOfCity: Readonly<Record<string, string>> = {
  'San Francisco': 'US', 'Los Angeles': 'US', 'New York': 'US', Chicago: 'US', 'Mexico City': 'MX', Beijing: 'CN', Mumbai: 'IN', Bangkok: 'TH',
  'Cape Town': 'ZA', Seoul: 'KR', Dubai: 'AE', Sydney: 'AU', Berlin: 'DE', Paris: 'FR', London: 'GB', Tokyo: 'JP', Toronto: 'CA', Moscow: 'RU',
  'São Paulo': 'BR', 'Sao Paulo': 'BR', Singapore: 'SG',
};
const stateOfCity: Readonly<Record<string, string>> = { 'San Francisco': 'CA', 'Los Angeles': 'CA', 'New York': 'NY', Chicago: 'IL' };

/** A table of stations all over the world with one charger each, in either of its two headers. */
export const globalStations: StationFormat = {
  kind: 'stations',
  name: 'global-stations',
  title: 'Global EV charging stations (generated data)',
  attribution: 'vivekattri, licence not stated',
  recognises: (file) => headers.some((header) => hasCsvHeader(file, Object.values(header))),
  read: (files) => files.flatMap((file) => {
    for (const header of headers) {
      const table = csvTable(file, Object.values(header));
      if (table !== null) return readCsv(table, (row) => stationRow(row, header, file.name));
    }
    throw new VoltstreamError('CONFIGURATION_INVALID', 'the file is not of the form global-stations', {
      where: file.name, wanted: Object.values(headers[0]).join(', '), cure: 'Choose the form that belongs to the file with --format.',
    });
  }),
};

function stationRow(row: CsvRow, header: Header, file: string): ReferenceRow<StationFacts> {
  const id = `global-stations-${row.needed(header.id)}`;
  const address = row.text(header.address);
  const city = address?.split(',')[1]?.trim() ?? null;
  const country = city === null ? null : countryOfCity[city] ?? null;
  const region = city === null ? null : stateOfCity[city] ?? null;
  const latitude = row.number(header.latitude, -90, 90);
  const longitude = row.number(header.longitude, -180, 180);
  const hours = row.text(header.hours);
  const year = row.number(header.year, 1990, 2100);
  const plugs = (row.text(header.plugs) ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '').sort();
  const current = currentOf(row, header);
  return {
    kind: 'facts', file, line: row.line, id, sourceMs: null, sinceMs: year === null ? null : Date.UTC(year, 0, 1),
    facts: {
      stationId: id, siteId: id, name: null, operator: row.text(header.operator), address: address?.split(',')[0]?.trim() ?? null, city, region, country,
      latitude, longitude, timeZone: timeZoneOf({ country, region, latitude, longitude }).zone, access: 'public',
      openAlways: hours === '24/7' || hours === '00:00-23:59', openingHours: hours,
      // The charger's kind decides on the current of a plug that may have either.
      evses: [evseOf(1, plugs.map((name) => plainPlugs[name] ?? unknownPlug).map((plug) => ({ ...plug, current: plug.current ?? current })),
        wattsOf(row.number(header.capacity, 0, 5_000)))],
    },
  };
}

function currentOf(row: CsvRow, header: Header): 'AC' | 'DC' {
  const type = row.needed(header.type);
  if (type.startsWith('DC ')) return 'DC';
  if (type.startsWith('AC ')) return 'AC';
  throw new UnusableRow(header.type, `neither AC nor DC: "${type}"`);
}
