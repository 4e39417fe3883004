import { eventTimeOf } from '../../session-event.ts';
import type { Delivery, Lie, TrueSession, World } from './truth.ts';

/** What can be known of a session from what arrives: the rest must be flagged. */
export interface Knowable {
  /** Something arrives under its own name. */
  readonly named: boolean;
  /** Its true start, stop and energy; null: not knowable. */
  readonly startMs: number | null;
  readonly stopMs: number | null;
  readonly energyMilliWh: number | null;
  /** Of each of these at least one must be among its flags. */
  readonly flags: readonly (readonly string[])[];
  /** Its stop arrives under a name that is not its own. */
  readonly stopElsewhere: boolean;
  /** Nothing that arrives is false, told twice, or in another place than it was. */
  readonly untouched: boolean;
}

const startFlags: readonly string[] = ['missing-start', 'clock-replaced'];
const stopFlags: readonly string[] = ['missing-stop', 'clock-replaced', 'matched-stop'];
/** What may be said of an energy that is not the true one. */
export const energyFlags: readonly string[] = [
  'partial-energy', 'register-reset', 'register-rolled-over', 'register-mixed', 'register-outlier', 'register-frozen', 'negative-energy',
  'implausible-energy', 'missing-energy', 'missing-start', 'missing-stop', 'clock-replaced', 'stop-before-start',
];

export function arrives({ event }: Delivery): boolean {
  return eventTimeOf(event).kind !== 'unknown';
}

/** What arrives of each session. */
export function knowableOf(world: World): ReadonlyMap<string, Knowable> {
  const told = new Map<string, Delivery[]>(world.sessions.map((one) => [one.sessionId, []]));
  for (const one of world.deliveries) if (one.sessionId !== null && arrives(one)) told.get(one.sessionId)?.push(one);
  const homeless = new Set<string>();
  for (const session of world.sessions) {
    const all = told.get(session.sessionId) ?? [];
    if (all.length > 0 && all.every((one) => one.lies.includes('transactionId'))) homeless.add(connectorOf(session));
  }
  return new Map(world.sessions.map((one) => [one.sessionId, knowable(one, told.get(one.sessionId) ?? [], homeless.has(connectorOf(one)))]));
}

function connectorOf(session: TrueSession): string {
  return `${session.station.station.stationId}/${session.connectorId}`;
}

function knowable(session: TrueSession, told: readonly Delivery[], hasHomelessStops: boolean): Knowable {
  const liars = told.filter((one) => one.lies.length > 0);
  const named = told.filter((one) => !one.lies.includes('transactionId'));
  const starts = named.filter((one) => one.event.type === 'TransactionStarted');
  const stops = told.filter((one) => one.event.type === 'TransactionEnded');
  const lied = (lie: Lie) => liars.some((one) => one.lies.includes(lie));
  const isTrueTime = (one: Delivery) => !one.lies.includes('time') && eventTimeOf(one.event).kind === 'device';
  const stopElsewhere = stops.some((one) => one.lies.includes('transactionId'));
  // A stop without a name of its own is known by its connector and time, where these are true, and no other stop may be meant.
  const isMatched = !stopElsewhere || (stops.length === 1 && named.length > 0 && named.every(isTrueTime) && !hasHomelessStops);
  const startKnown = starts.length > 0 && starts.every(isTrueTime);
  const stopKnown = stops.length > 0 && stops.every(isTrueTime) && isMatched;
  const energyKnown = stopKnown && isEnergyKnown(session, told, starts, stops, lied);
  const flags: (readonly string[])[] = [];
  if (starts.length === 0) flags.push(['missing-start']);
  else if (!startKnown) flags.push(startFlags);
  if (stops.length === 0) flags.push(['missing-stop']);
  else if (!stopKnown) flags.push(stopFlags);
  if (!session.station.known) flags.push(['unknown-station']);
  return {
    named: named.length > 0, startMs: startKnown ? session.startMs : null, stopMs: stopKnown ? session.stopMs : null,
    energyMilliWh: energyKnown ? session.energyMilliWh : null, flags, stopElsewhere,
    untouched: told.length === session.samples.length && liars.length === 0 && isInPlace(told),
  };
}

function isInPlace(told: readonly Delivery[]): boolean {
  return new Set(told.map((one) => one.sample)).size === told.length && told.every((one) => one.arrivesMs - one.event.timestampMs < 600_000);
}

/** Register at start and stop are true, and what is false between can be told from what is true. */
function isEnergyKnown(
  session: TrueSession, told: readonly Delivery[], starts: readonly Delivery[], stops: readonly Delivery[], lied: (lie: Lie) => boolean,
): boolean {
  const { station, samples } = session;
  if (isDisputed(told)) return false;
  const kinds = (['outlier', 'reset', 'rolledOver', 'relative', 'stale', 'placeholder'] as const).filter(lied);
  if (kinds.length > 1 || lied('placeholder')) return false;
  const hasRegister = (one: Delivery) => one.event.meterWh !== null;
  const readings = told.filter(hasRegister);
  if (!stops.every(hasRegister)) return false;
  const startTold = starts.length > 0 && starts.every(hasRegister);
  if (!startTold && (station.scope !== 'session' || !station.known)) return false;
  if (lied('time')) {
    // The number says where it belongs. At the very end its time decides whether the stop can be.
    const odd = told.filter((one) => one.lies.includes('time'));
    if (!station.sequenced || kinds.length > 0 || odd.length > 1 || starts.length === 0) return false;
    const lastSample = Math.max(...readings.map((one) => one.sample).filter((at) => at < samples.length - 1));
    return odd.every((one) => one.event.type === 'TransactionUpdated' && one.sample < lastSample);
  }
  const at = new Set(readings.map((one) => one.sample));
  if (lied('outlier')) return !station.states || at.size === samples.length;
  if (lied('stale')) return station.known && startTold;
  if (lied('relative')) return startTold && starts.length > 0;
  if (lied('rolledOver')) return startTold;
  if (!lied('reset')) return true;
  // What was counted last before the reset, and two readings after it.
  const after = readings.filter((one) => one.lies.includes('reset')).map((one) => one.sample);
  return startTold && at.has(Math.min(...after) - 1) && isReset(session, Math.min(...after)) && new Set(after).size >= 2;
}

/** The reading before the first that counts anew is the one at which it began. */
function isReset({ samples }: TrueSession, first: number): boolean {
  return samples[first - 1] !== undefined;
}

/** One event is told in two ways. */
function isDisputed(told: readonly Delivery[]): boolean {
  const said = new Map<number, string>();
  for (const { sample, event } of told) {
    const now = `${event.meterWh} ${event.timestampMs} ${event.transactionId} ${event.seqNo}`;
    if ((said.get(sample) ?? now) !== now) return true;
    said.set(sample, now);
  }
  return false;
}
