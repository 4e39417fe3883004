import type { Station } from '../../schemas/generated/station.ts';
import type { SessionLogMapping, SessionLogRow } from './mapping.ts';
import { outletOf } from './read-session-log.ts';

/**
 * Station records as far as a session log's own columns tell: site, outlets, their power by model. Valid from midnight UTC
 * of the log's first day, and once more from each row on which a station's site is another. Sorted by (valid from, station id).
 */
export function stationsOf(rows: readonly SessionLogRow[], mapping: SessionLogMapping): readonly Station[] {
  const firstMs = rows.reduce((lowest, row) => Math.min(lowest, row.startMs ?? lowest), Infinity);
  const logStartMs = Math.floor(firstMs / 86_400_000) * 86_400_000;
  const byStation = Map.groupBy(rows, (row) => row.stationId);
  const stations = [...byStation.values()].flatMap((own) => versionsOf(own, logStartMs, mapping));
  return stations.sort((a, b) => a.validFromMs - b.validFromMs || (a.stationId < b.stationId ? -1 : 1));
}

function versionsOf(rows: readonly SessionLogRow[], logStartMs: number, mapping: SessionLogMapping): readonly Station[] {
  const evses = evsesOf(rows, mapping);
  const versions: Station[] = [];
  const inTime = rows.filter((row) => row.startMs !== null).sort((a, b) => (a.startMs ?? 0) - (b.startMs ?? 0));
  let site: string | null | undefined;
  for (const row of inTime) {
    if (row.site === site) continue;
    site = row.site;
    versions.push({
      stationId: row.stationId, siteId: site, name: site, operator: mapping.operator, address: null, city: mapping.city,
      region: null, country: mapping.country, latitude: null, longitude: null, timeZone: mapping.zone, access: 'public',
      openAlways: false, openingHours: null, validFromMs: versions.length === 0 ? logStartMs : row.startMs ?? logStartMs,
      evses, tariffId: null, registerScope: 'session',
    });
  }
  return versions;
}

function evsesOf(rows: readonly SessionLogRow[], mapping: SessionLogMapping): Station['evses'] {
  const models = new Map<number, string | null>();
  for (const row of rows) models.set(row.connectorId, row.model);
  return [...models].sort(([a], [b]) => a - b).map(([connectorId, model]) => {
    const outlet = outletOf(mapping, model);
    const powerMaxW = outlet?.powerMaxW ?? null;
    return { evseId: connectorId, connectors: [{ connectorId, standard: outlet?.standard ?? null, current: outlet?.current ?? null, powerMaxW }] };
  });
}
