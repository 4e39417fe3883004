import type { Station } from '../../schemas/generated/station.ts';
import type { SessionLogMapping, SessionLogRow } from './mapping.ts';
import { outletOf } from './read-session-log.ts';

/** What is known of a station from rows that were taken before. */
export interface KnownStation {
  /** Its sites, each with the time from which on it is there. */
  readonly versions: readonly SiteFrom[];
  /** The strongest model that was named, by outlet. */
  readonly outlets: Readonly<Record<number, string | null>>;
  /** Time of the last event that was sent of it. */
  readonly heardMs: number;
}

type SiteFrom = readonly [fromMs: number, site: string | null];

/**
 * Station records as far as a session log's own columns tell: site, outlets, their power by model. Valid from midnight UTC
 * of the log's first day, and once more from each row on which a station's site is another. Sorted by (valid from, station id).
 *
 * An outlet is what the strongest model says that any of its rows names (of equal ones the last by name), in whatever order they come: a log whose
 * rows name one outlet differently then makes no energy unbelievable that any of them allows.
 *
 * Outlets of a station that is `known` are there, too; it gets no new record while sites and outlets stay what they were. All its records
 * are sent again when there is another outlet: it was there before its first session. Rows from before its first record move that one back.
 */
export function stationsOf(
  rows: readonly SessionLogRow[],
  mapping: SessionLogMapping,
  known: ReadonlyMap<string, KnownStation> = new Map(),
): readonly Station[] {
  const logStartMs = logStartOf(rows);
  const byStation = Map.groupBy(rows, (row) => row.stationId);
  const stations = [...byStation].flatMap(([stationId, own]) => versionsOf(own, logStartMs, mapping, known.get(stationId)));
  return stations.sort((a, b) => a.validFromMs - b.validFromMs || (a.stationId < b.stationId ? -1 : 1));
}

/** The same, with these rows, whose stations are `heard` of until then: what the next ingestion is to know. */
export function knownAfter(
  rows: readonly SessionLogRow[], mapping: SessionLogMapping, known: ReadonlyMap<string, KnownStation>, heard: ReadonlyMap<string, number>,
): ReadonlyMap<string, KnownStation> {
  const logStartMs = logStartOf(rows);
  const byStation = Map.groupBy(rows, (row) => row.stationId);
  return new Map([...byStation].map(([stationId, own]) => {
    const before = known.get(stationId);
    const heardMs = Math.max(before?.heardMs ?? 0, heard.get(stationId) ?? 0);
    return [stationId, { versions: sitesOf(own, logStartMs, before), outlets: outletsOf(own, mapping, before), heardMs }];
  }));
}

/** Midnight UTC of the first day. */
function logStartOf(rows: readonly SessionLogRow[]): number {
  const firstMs = rows.reduce((lowest, row) => Math.min(lowest, row.startMs ?? lowest), Infinity);
  return Math.floor(firstMs / 86_400_000) * 86_400_000;
}

function versionsOf(
  rows: readonly SessionLogRow[], logStartMs: number, mapping: SessionLogMapping, before: KnownStation | undefined,
): readonly Station[] {
  const outlets = outletsOf(rows, mapping, before);
  const evses = evsesOf(outlets, mapping, rows[0]?.stationId ?? '');
  const known = before?.versions ?? [];
  const grown = Object.entries(outlets).some(([id, model]) => before?.outlets[Number(id)] !== model);
  return sitesOf(rows, logStartMs, before)
    .filter(([fromMs, site]) => grown || !known.some(([knownFromMs, knownSite]) => knownFromMs === fromMs && knownSite === site))
    .map(([fromMs, site]) => ({
      stationId: (rows[0] as SessionLogRow).stationId, siteId: site, name: site, operator: mapping.operator, address: null, city: mapping.city,
      region: null, country: mapping.country, latitude: null, longitude: null, timeZone: mapping.zone, access: 'public',
      openAlways: false, openingHours: null, validFromMs: fromMs, evses, tariffId: null, registerScope: 'session',
    }));
}

/** A station's sites with the times from which on they are those. */
function sitesOf(rows: readonly SessionLogRow[], logStartMs: number, before: KnownStation | undefined): readonly SiteFrom[] {
  const known = before?.versions ?? [];
  const told = inTimeOrder(rows).map((row): SiteFrom => [row.startMs ?? 0, row.site]);
  const isEarlier = told.length > 0 && (told[0] as SiteFrom)[0] < (known[0]?.[0] ?? Infinity);
  const sites: SiteFrom[] = [];
  for (const [fromMs, site] of [...known, ...told].sort(([a], [b]) => a - b)) {
    // A record that was sent stays, and must not hide what the one before it tells.
    if (sites.length > 0 && sites.at(-1)?.[1] === site && !known.some(([knownFromMs]) => knownFromMs === fromMs)) continue;
    if (sites.at(-1)?.[0] === fromMs) sites.pop();
    sites.push([sites.length === 0 && isEarlier ? Math.min(logStartMs, fromMs) : fromMs, site]);
  }
  return sites;
}

function inTimeOrder(rows: readonly SessionLogRow[]): readonly SessionLogRow[] {
  return rows.filter((row) => row.startMs !== null).sort((a, b) => (a.startMs ?? 0) - (b.startMs ?? 0));
}

function outletsOf(
  rows: readonly SessionLogRow[], mapping: SessionLogMapping, before: KnownStation | undefined,
): Readonly<Record<number, string | null>> {
  const outlets: Record<number, string | null> = { ...before?.outlets };
  for (const { connectorId, model } of rows) {
    const known = outlets[connectorId];
    if (known === undefined || isStronger(model, known, mapping)) outlets[connectorId] = model;
  }
  return outlets;
}

function isStronger(model: string | null, known: string | null, mapping: SessionLogMapping): boolean {
  const differenceW = (outletOf(mapping, model)?.powerMaxW ?? 0) - (outletOf(mapping, known)?.powerMaxW ?? 0);
  return differenceW > 0 || (differenceW === 0 && (model ?? '') > (known ?? ''));
}

function evsesOf(outlets: Readonly<Record<number, string | null>>, mapping: SessionLogMapping, stationId: string): Station['evses'] {
  return Object.entries(outlets).map(([id, model]) => [Number(id), model] as const).sort(([a], [b]) => a - b).map(([connectorId, model]) => {
    const outlet = mapping.stations?.[stationId] ?? outletOf(mapping, model);
    const powerMaxW = outlet?.powerMaxW ?? null;
    return { evseId: connectorId, connectors: [{ connectorId, standard: outlet?.standard ?? null, current: outlet?.current ?? null, powerMaxW }] };
  });
}
