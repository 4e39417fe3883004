import type { Station } from '../../schemas/generated/station.ts';
import type { SessionPlace } from './session-row.ts';
import { prepareFacts } from './station-facts-form.ts';

/** What a session must know of its station, by one version of it. */
export interface StationFacts extends SessionPlace {
  /** When this version begins. */
  readonly validFromMs: number;
  /** What the energy registers count. */
  readonly scope: 'lifetime' | 'session';
}

interface SharedFacts {
  readonly evseId: number;
  readonly connectorId: number;
  readonly facts: StationFacts;
}

/** By the very object that a version of a station is. */
const sharedByStation = new WeakMap<Station, SharedFacts[]>();
/** More connectors of one station than this have facts made for each session. */
const sharedFactsMax = 64;

/** The facts of a connector, mostly shared by its sessions; one that the station does not name has none of its own. */
export function factsOf(station: Station, evseId: number, connectorId: number): StationFacts {
  let shared = sharedByStation.get(station);
  if (shared === undefined) {
    shared = [];
    sharedByStation.set(station, shared);
  }
  for (const one of shared) if (one.connectorId === connectorId && one.evseId === evseId) return one.facts;
  const facts = madeFacts(station, evseId, connectorId);
  if (shared.length < sharedFactsMax) shared.push({ evseId, connectorId, facts: prepareFacts(facts) });
  return facts;
}

function madeFacts(station: Station, evseId: number, connectorId: number): StationFacts {
  const connectors = station.evses.find((evse) => evse.evseId === evseId)?.connectors;
  const connector = connectors?.find((one) => one.connectorId === connectorId);
  return {
    siteId: station.siteId, city: station.city, region: station.region, country: station.country, operator: station.operator,
    timeZone: station.timeZone, tariffId: station.tariffId, connectorStandard: connector?.standard ?? null,
    current: connector?.current ?? null, powerMaxW: connector?.powerMaxW ?? null, validFromMs: station.validFromMs,
    scope: station.registerScope,
  };
}

/** The place of a session whose station is unknown. */
export const nowhere: SessionPlace = {
  siteId: null, city: null, region: null, country: null, operator: null, timeZone: null, tariffId: null, connectorStandard: null,
  current: null, powerMaxW: null,
};

/**
 * Whether a version of a station tells more of a time than another: the one that was in force then; where none was, the one that
 * came into force first. The same version told again replaces itself.
 */
export function tellsMore(versionMs: number, thanMs: number, timeMs: number): boolean {
  if (versionMs <= timeMs) return thanMs > timeMs || versionMs >= thanMs;
  return thanMs > timeMs && versionMs <= thanMs;
}
