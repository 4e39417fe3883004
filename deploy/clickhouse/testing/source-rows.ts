import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/**
 * Session logs as the sources have them, for tests that compute answers a second time: read with csv-parse and Temporal, and with nothing of
 * what reads, expands and stitches them in the product.
 */
export interface SourceRow {
  readonly id: string;
  readonly station: string;
  readonly connector: number;
  readonly site: string;
  readonly city: string;
  readonly operator: string;
  readonly model: string;
  readonly start: Temporal.ZonedDateTime;
  readonly stop: Temporal.ZonedDateTime | null;
  readonly energyWh: number | null;
}

type Raw = Readonly<Record<string, string>>;

function rawRows(file: string, delimiter: string): readonly Raw[] {
  const content = readFileSync(file);
  const text = file.endsWith('.gz') ? gunzipSync(content) : content;
  return parse(text, { bom: true, delimiter, columns: (names: string[]) => names.map((name, index) => name || `unnamed ${index}`) }) as Raw[];
}

/** kWh as text in Wh, to the mWh, by moving the decimal point: no arithmetic on fractions. */
function wattHours(text: string): number | null {
  if (text === '' || text === 'NA') return null;
  const [whole = '', fraction = ''] = text.split('.');
  const tenths = Number(`${whole}${fraction.padEnd(7, '0').slice(0, 7)}`);
  return Math.floor((tenths + 5) / 10) / 1000;
}

/** Of the two readings of an hour that the clock shows twice, the one that is not before the start. */
function stopAfter(start: Temporal.ZonedDateTime, stop: Temporal.PlainDateTime): Temporal.ZonedDateTime {
  const first = stop.toZonedDateTime(start.timeZoneId);
  return Temporal.ZonedDateTime.compare(first, start) >= 0 ? first : stop.toZonedDateTime(start.timeZoneId, { disambiguation: 'later' });
}

function dayFirst(date: string, time: string, separator: string): Temporal.PlainDateTime {
  const [day = '', month = '', year = ''] = date.split(separator);
  return Temporal.PlainDateTime.from(`${year}-${month}-${day}T${time}`);
}

/** Rows without a charge point are no sessions. */
export function dundeeRows(files: readonly string[]): readonly SourceRow[] {
  return files.flatMap((file) => rawRows(file, ',')).filter((raw) => raw['CP ID'] !== '').map((raw) => {
    const start = dayFirst(raw['Start Date'] ?? '', raw['Start Time'] ?? '', '/').toZonedDateTime('Europe/London');
    const stop = raw['End Date'] ? stopAfter(start, dayFirst(raw['End Date'], raw['End Time'] ?? '', '/')) : null;
    return {
      id: raw['Charging event'] ?? '', station: raw['CP ID'] ?? '', connector: Number(raw['Connector']), site: raw['Site'] ?? '', city: 'Dundee',
      operator: 'Dundee City Council', model: raw['Model'] ?? '', start, stop, energyWh: wattHours(raw['Total kWh'] ?? ''),
    };
  });
}

export function pasadenaRows(file: string): readonly SourceRow[] {
  const time = (text: string): Temporal.ZonedDateTime => Temporal.Instant.from(text.replace(' ', 'T')).toZonedDateTimeISO('America/Los_Angeles');
  return rawRows(file, ',').map((raw) => ({
    id: raw['session_id'] ?? '', station: raw['station_id'] ?? '', connector: 1, site: '', city: 'Pasadena', operator: 'Caltech ACN', model: '',
    start: time(raw['arrival'] ?? ''), stop: time(raw['departure'] ?? ''), energyWh: wattHours(raw['delivered_energy (kWh)'] ?? ''),
  }));
}

export function trondheimRows(file: string): readonly SourceRow[] {
  return rawRows(file, ';').map((raw) => {
    const time = (column: string): Temporal.PlainDateTime => dayFirst(raw[column]?.slice(0, 10) ?? '', raw[column]?.slice(11) ?? '', '.');
    const start = time('Start_plugin').toZonedDateTime('Europe/Oslo');
    const station = raw['Shared_ID'] === 'NA' ? raw['User_ID'] : raw['Shared_ID'];
    return {
      id: raw['session_ID'] ?? '', station: station ?? '', connector: 1, site: raw['Garage_ID'] ?? '', city: 'Trondheim', operator: 'Risvollan borettslag',
      model: '', start, stop: raw['End_plugout'] === 'NA' ? null : stopAfter(start, time('End_plugout')), energyWh: wattHours(raw['El_kWh']?.replace(',', '.') ?? ''),
    };
  });
}
