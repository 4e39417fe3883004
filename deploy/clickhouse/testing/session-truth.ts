import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Station } from '../../../schemas/generated/station.ts';
import type { Tariff } from '../../../schemas/generated/tariff.ts';
import type { SourceRow } from './source-rows.ts';

/** Files of the shipped data, and weeks around the changes of the clock. */
const weeks = [['cpdata_2017-09_2017-12.csv.gz', '2017-10-22', '2017-11-05'], ['cp-data-mar-may-2018.csv.gz', '2018-03-19', '2018-05-03']] as const;

/** Rows of the shipped files that begin within these weeks, as files of their own in `folder`. */
export function dundeeWeeks(shipped: string, folder: string): readonly string[] {
  return weeks.map(([name, from, to]) => {
    const [names, ...lines] = gunzipSync(readFileSync(join(shipped, name))).toString('utf8').split('\n');
    const file = join(folder, name.replace('.gz', ''));
    const within = lines.filter((line) => {
      const [, day = '', month = '', year = ''] = /^\d+,[^,]*,\d+,(\d\d)\/(\d\d)\/(\d{4})/.exec(line) ?? [];
      return `${year}-${month}-${day}` >= from && `${year}-${month}-${day}` <= to;
    });
    writeFileSync(file, [names, ...within, ''].join('\n'));
    return file;
  });
}

const tariff = (tariffId: string, currency: string, startFeeMicro: number, energyPerKwhMicro: number): Tariff => ({
  tariffId, currency, startFeeMicro, energyPerKwhMicro, validFromMs: 0, chargingPerMinuteMicro: 0, idlePerMinuteMicro: 0, idleFreeMinutes: 0, energyStepWh: 1,
  timeStepSeconds: 1, rates: [],
});
export const tariffs = [tariff('rapid', 'GBP', 380_000, 200_000), tariff('standard', 'GBP', 0, 150_000), tariff('campus', 'USD', 500_000, 120_000)];
/** The same once more, in cents, for this test's own arithmetic. */
const prices = { rapid: { currency: 'GBP', start: 38, perKwh: 20 }, standard: { currency: 'GBP', start: 0, perKwh: 15 }, campus: { currency: 'USD', start: 50, perKwh: 12 } } as const;

/** Session logs name no tariffs: these are made up. */
export function tariffOf({ country, stationId, evses }: Station): string | null {
  if (country !== 'GB') return country === 'US' ? 'campus' : null;
  if (evses.some(({ connectors }) => connectors[0]?.current === 'DC')) return 'rapid';
  return stationId.endsWith('1') ? null : 'standard';
}

/** A source's row as the tables should have it: where stitching has flagged a session, with the energy and stop that it believes. */
export interface Session extends SourceRow {
  readonly flags: readonly string[];
  readonly stayMs: number | null;
  readonly tariff: keyof typeof prices | null;
  readonly currency: string;
  readonly costMinor: number | null;
}

/** What stitching says of a session. */
export interface Stitched {
  readonly transaction_id: string;
  readonly start_ms: string;
  readonly stop_ms: string | null;
  readonly energy_wh: number | null;
  readonly flags: readonly string[];
}

/** Stations with an outlet for rapid charging. */
export function rapidStations(rows: readonly SourceRow[]): ReadonlySet<string> {
  return new Set(rows.filter(({ model }) => /Rapid|Raption/.test(model)).map(({ station }) => station));
}

/** A row with its price; what stitching has flagged, as it believes it. */
export function believed(row: SourceRow, stitched: Stitched | undefined, rapid: ReadonlySet<string>): Session {
  const { flags = [], stop_ms: stopMs = null, energy_wh: energy = null } = stitched ?? {};
  const flagged = flags.length > 0;
  const stop = !flagged ? row.stop : stopMs === null ? null : Temporal.Instant.fromEpochMilliseconds(Number(stopMs)).toZonedDateTimeISO(row.start.timeZoneId);
  const energyWh = flagged ? energy : row.energyWh;
  const stayMs = stop === null || stop.epochMilliseconds < row.start.epochMilliseconds ? null : stop.epochMilliseconds - row.start.epochMilliseconds;
  const inDundee = rapid.has(row.station) ? 'rapid' : row.station.endsWith('1') ? null : 'standard';
  const name = row.city === 'Dundee' ? inDundee : row.city === 'Pasadena' ? 'campus' : null;
  const price = name === null ? null : prices[name];
  const priced = price !== null && stayMs !== null && energyWh !== null;
  return {
    ...row, stop, energyWh, flags, stayMs, tariff: name, currency: price?.currency ?? '',
    costMinor: priced ? price.start + Math.floor((2 * energyWh * price.perKwh + 1000) / 2000) : null,
  };
}
