import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { Station } from '../../schemas/generated/station.ts';
import { readingSinceMs, readingWh } from '../ledger/ledger.ts';
import type { LedgerFault, LedgerSession, LedgerStatus } from '../ledger/ledger.ts';
import { chargingEventOf } from '../messages/message-sink.ts';
import { DistrictRun } from '../network/district-run.ts';
import type { DistrictFigures } from '../network/district-run.ts';
import { connectorCount } from '../network/network.ts';
import type { FaultKind, Profile } from '../profile.ts';

/** All that a district has told and written down. */
export interface ObservedRun {
  readonly events: readonly ChargingEvent[];
  readonly malformed: readonly { readonly stationId: string; readonly text: string; readonly receivedMs: number }[];
  readonly stations: readonly { readonly station: Station; readonly sentMs: number }[];
  readonly sessions: readonly LedgerSession[];
  readonly statuses: readonly LedgerStatus[];
  readonly faults: readonly LedgerFault[];
  readonly figures: DistrictFigures;
  readonly startMs: number;
  readonly endMs: number;
}

/** Runs one district from the profile's start on, and keeps everything. */
export function observe(profile: Profile, days: number, seed = 'observed', number = 0): ObservedRun {
  const events: ChargingEvent[] = [];
  const malformed: ObservedRun['malformed'][number][] = [];
  const stations: ObservedRun['stations'][number][] = [];
  const sessions: LedgerSession[] = [];
  const statuses: LedgerStatus[] = [];
  const faults: LedgerFault[] = [];
  const startMs = Date.parse(profile.startsAt);
  const run = new DistrictRun(profile, seed, number, startMs, {
    event: (event) => events.push(chargingEventOf(event)),
    malformed: (stationId, bytes, receivedMs) => malformed.push({ stationId, text: Buffer.from(bytes).toString(), receivedMs }),
    station: (station, sentMs) => stations.push({ station, sentMs }),
  }, {
    session: (session) => sessions.push({ ...session, readings: session.readings.map((packed) => [session.startMs + readingSinceMs(packed), readingWh(packed)] as const) }),
    status: (interval) => statuses.push({ ...interval }),
    fault: (fault) => faults.push({ ...fault }),
  });
  const endMs = startMs + days * 86_400_000;
  for (let timeMs = startMs + 60_000; timeMs <= endMs; timeMs += 60_000) run.run(timeMs);
  run.finish(endMs);
  return { events, malformed, stations, sessions, statuses, faults, figures: run.figures, startMs, endMs };
}

/** The profile without faults, or with these only. */
export function withFaults(profile: Profile, faults: Partial<Record<FaultKind, number>> = {}): Profile {
  const none = Object.fromEntries(Object.keys(profile.faults).map((kind) => [kind, 0])) as Record<FaultKind, number>;
  return { ...profile, faults: { ...none, ...faults } };
}

/** A smaller network of the same kind: at most so many sites of each, and vehicles in proportion. */
export function smaller(profile: Profile, sitesMax: number): Profile {
  const sites = profile.sites.map((site) => ({ ...site, count: Math.min(site.count, sitesMax) }));
  return { ...profile, sites, vehicles: { ...profile.vehicles, count: Math.max(50, Math.ceil((profile.vehicles.count * connectorCount(sites)) / connectorCount(profile.sites))) } };
}
