import type { OutageExclusion } from '../../../schemas/generated/outage-exclusion.ts';
import { hasCsvHeader, neededCsvTable, readCsv } from '../csv-rows.ts';
import type { CsvRow } from '../csv-rows.ts';
import { dateOf } from '../dates.ts';
import { jsonElements, readElements } from '../json-elements.ts';
import type { ReferenceFile } from '../reference-file.ts';
import type { OutageExclusionFacts, OutageExclusionFormat, ReferenceRow } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';

const columns = ['exclusion_id', 'from', 'to', 'reason'] as const;

const reasons: ReadonlyMap<string, OutageExclusion['reason']> = new Map(
  (['UtilityInterruption', 'VehicleFault', 'ScheduledMaintenance', 'Vandalism', 'NaturalDisaster', 'OutsideOpeningHours'] as const)
    .map((reason) => [reason.toLowerCase(), reason]),
);

/**
 * Outages that do not count for uptime, as an operator writes them down: a table or a JSON array with `exclusion_id`, `station_id`, `evse_id`,
 * `site_id`, `operator`, `from`, `to`, `reason`, `note` and `time_zone` (of times without offset; UTC unless told).
 */
export const outageExclusions: OutageExclusionFormat = {
  kind: 'outage-exclusions',
  name: 'outage-exclusions',
  title: 'Outages that do not count for uptime (23 CFR 680.116)',
  attribution: 'your own',
  recognises: (file) => isJson(file) ? file.text.slice(0, 100_000).includes('"exclusion_id"') : hasCsvHeader(file, columns),
  read: (files) => files.flatMap((file) => (isJson(file)
    ? readElements(jsonElements(file, 'outage-exclusions'), (element) => exclusionRow(element, element.line, file.name))
    : readCsv(neededCsvTable(file, 'outage-exclusions', columns), (row) => exclusionRow(row, row.line, file.name)))),
};

function isJson(file: ReferenceFile): boolean {
  return /^\s*\[/.test(file.text);
}

function exclusionRow(row: Pick<CsvRow, 'text' | 'needed' | 'number'>, line: number, file: string): ReferenceRow<OutageExclusionFacts> {
  const id = row.needed('exclusion_id');
  const [stationId, evseId, siteId, operator] = [row.text('station_id'), row.number('evse_id', 1, 1_000_000), row.text('site_id'), row.text('operator')];
  if (stationId === null && siteId === null && operator === null) throw new UnusableRow('station_id', 'neither station, site nor operator is named');
  if (evseId !== null && stationId === null) throw new UnusableRow('evse_id', 'an EVSE without its station');
  if (evseId !== null && !Number.isInteger(evseId)) throw new UnusableRow('evse_id', `not a whole number: ${evseId}`);
  const zone = row.text('time_zone') ?? 'UTC';
  const fromMs = timeIn('from', row.needed('from'), zone);
  const to = row.text('to');
  const toMs = to === null ? null : timeIn('to', to, zone);
  if (toMs !== null && toMs <= fromMs) throw new UnusableRow('to', 'it is not after the start');
  const told = row.needed('reason');
  const reason = reasons.get(told.toLowerCase().replace(/[^a-z]/g, ''));
  if (reason === undefined) throw new UnusableRow('reason', `not one of ${[...reasons.values()].join(', ')}: "${told}"`);
  return {
    kind: 'facts', file, line, id, sinceMs: null, sourceMs: null,
    facts: { exclusionId: id, stationId, evseId, siteId, operator, fromMs, toMs, reason, note: row.text('note') },
  };
}

/** A time as `dateOf` reads it, or one without seconds; a day is its midnight. */
function timeIn(column: string, text: string, zone: string): number {
  let found: number | null;
  try {
    found = dateOf(text.replace(/^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d)(Z|[+-]\d\d:?\d\d)?$/, '$1:00$2'), zone);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UnusableRow('time_zone', `not a zone: "${zone}"`);
  }
  if (found === null) throw new UnusableRow(column, `not a time: "${text}"`);
  return found;
}
