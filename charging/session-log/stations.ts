import type { Station } from '../../schemas/generated/station.ts';
import type { SessionLogMapping, SessionLogRow } from './mapping.ts';
import { outletOf } from './read-session-log.ts';

/** What is known of a station from rows that were taken before. */
export interface KnownStation {
  /** Of its latest row. */
  readonly site: string | null;
  /** Model by outlet. */
  readonly outlets: Readonly<Record<number, string | null>>;
  /** Time of the last event that was sent of it. */
  readonly heardMs: number;
}

/**
 * Station records as far as a session log's own columns tell: site, outlets, their power by model. Valid from midnight UTC
 * of the log's first day, and once more from each row on which a station's site is another. Sorted by (valid from, station id).
 *
 * Outlets of a station that is `known` are there, too; it gets no new record while site and outlets stay what they were.
 */
export function stationsOf(
  rows: readonly SessionLogRow[],
  mapping: SessionLogMapping,
  known: ReadonlyMap<string, KnownStation> = new Map(),
): readonly Station[] {
  const firstMs = rows.reduce((lowest, row) => Math.min(lowest, row.startMs ?? lowest), Infinity);
  const logStartMs = Math.floor(firstMs / 86_400_000) * 86_400_000;
  const byStation = Map.groupBy(rows, (row) => row.stationId);
  const stations = [...byStation].flatMap(([stationId, own]) => versionsOf(own, logStartMs, mapping, known.get(stationId)));
  return stations.sort((a, b) => a.validFromMs - b.validFromMs || (a.stationId < b.stationId ? -1 : 1));
}

/** The same, with these rows, whose stations are `heard` of until then: what the next ingestion is to know. */
export function knownAfter(
  rows: readonly SessionLogRow[], known: ReadonlyMap<string, KnownStation>, heard: ReadonlyMap<string, number>,
): ReadonlyMap<string, KnownStation> {
  const byStation = Map.groupBy(rows, (row) => row.stationId);
  return new Map([...byStation].map(([stationId, own]) => {
    const before = known.get(stationId);
    const latest = inTimeOrder(own).at(-1);
    const heardMs = Math.max(before?.heardMs ?? 0, heard.get(stationId) ?? 0);
    return [stationId, { site: latest === undefined ? before?.site ?? null : latest.site, outlets: outletsOf(own, before), heardMs }];
  }));
}

function versionsOf(
  rows: readonly SessionLogRow[], logStartMs: number, mapping: SessionLogMapping, before: KnownStation | undefined,
): readonly Station[] {
  const outlets = outletsOf(rows, before);
  const evses = evsesOf(outlets, mapping);
  const versions: Station[] = [];
  const unchanged = before !== undefined && Object.keys(before.outlets).length === Object.keys(outlets).length;
  let site: string | null | undefined = unchanged ? before.site : undefined;
  for (const row of inTimeOrder(rows)) {
    if (row.site === site) continue;
    site = row.site;
    versions.push({
      stationId: row.stationId, siteId: site, name: site, operator: mapping.operator, address: null, city: mapping.city,
      region: null, country: mapping.country, latitude: null, longitude: null, timeZone: mapping.zone, access: 'public',
      openAlways: false, openingHours: null, validFromMs: versions.length === 0 && before === undefined ? logStartMs : row.startMs ?? logStartMs,
      evses, tariffId: null, registerScope: 'session',
    });
  }
  return versions;
}

function inTimeOrder(rows: readonly SessionLogRow[]): readonly SessionLogRow[] {
  return rows.filter((row) => row.startMs !== null).sort((a, b) => (a.startMs ?? 0) - (b.startMs ?? 0));
}

function outletsOf(rows: readonly SessionLogRow[], before: KnownStation | undefined): Readonly<Record<number, string | null>> {
  const outlets: Record<number, string | null> = { ...before?.outlets };
  for (const row of rows) outlets[row.connectorId] = row.model;
  return outlets;
}

function evsesOf(outlets: Readonly<Record<number, string | null>>, mapping: SessionLogMapping): Station['evses'] {
  return Object.entries(outlets).map(([id, model]) => [Number(id), model] as const).sort(([a], [b]) => a - b).map(([connectorId, model]) => {
    const outlet = outletOf(mapping, model);
    const powerMaxW = outlet?.powerMaxW ?? null;
    return { evseId: connectorId, connectors: [{ connectorId, standard: outlet?.standard ?? null, current: outlet?.current ?? null, powerMaxW }] };
  });
}
