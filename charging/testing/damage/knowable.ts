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
  /** What the registers say that arrive, where none of them is false: what was drawn between the first and the last. Undefined: not knowable. */
  readonly toldMilliWh: number | null | undefined;
  /** Events that count, and how often one was told again at most: its row does not come again for that. Null: not knowable. */
  readonly counts: { readonly events: number; readonly again: number } | null;
  /** What is false in it can make its energy less, but not more than it was. */
  readonly neverMore: boolean;
  /** Between these its stop must be taken to be when none arrives. */
  readonly stopsBetween: readonly [number, number] | null;
  /** When the first of it happened that arrives; null: not knowable. */
  readonly firstMs: number | null;
  /** What may be said of an energy that is not the true one; null: nothing tells. */
  readonly energyFlags: readonly string[] | null;
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
const energyFlags: readonly string[] = [
  'partial-energy', 'register-reset', 'register-rolled-over', 'register-mixed', 'register-outlier', 'register-frozen', 'negative-energy',
  'implausible-energy', 'missing-energy', 'missing-start', 'missing-stop', 'matched-stop', 'clock-replaced',
  'stop-before-start',
];

export function arrives({ event }: Delivery): boolean {
  return eventTimeOf(event).kind !== 'unknown';
}

/** What arrives of each session. */
export function knowableOf(world: World): ReadonlyMap<string, Knowable> {
  const told = new Map<string, Delivery[]>(world.sessions.map((one) => [one.sessionId, []]));
  for (const one of world.deliveries) if (one.sessionId !== null && arrives(one)) told.get(one.sessionId)?.push(one);
  const connectors = new Map<string, Neighbours>();
  for (const session of world.sessions) {
    const all = told.get(session.sessionId) ?? [];
    const at = connectors.get(connectorOf(session)) ?? { loneStops: false, unended: false, falseTimes: false, tokens: session.station.tokenAtStop };
    const stops = all.filter(isStop).length;
    connectors.set(connectorOf(session), {
      loneStops: at.loneStops || (stops > 0 && stops === all.length), unended: at.unended || (all.length > 0 && stops === 0),
      tokens: at.tokens && (all.length === 0 || stops === all.length || all.some(isStart)),
      falseTimes: at.falseTimes || all.some((one) => one.lies.includes('time')),
    });
  }
  for (const [connector, at] of connectors) if (at.tokens) connectors.set(connector, { ...at, loneStops: false, unended: false });
  return new Map(world.sessions.map((one, at) => {
    const next = world.sessions[at + 1];
    const hasNext = next !== undefined && connectorOf(next) === connectorOf(one) && told.get(next.sessionId)?.some((event) => isStart(event) && event.lies.length === 0) === true;
    const neighbours = { ...connectors.get(connectorOf(one)) as Neighbours, nextStartMs: hasNext ? next.startMs : null };
    const arriving = told.get(one.sessionId) ?? [];
    return [one.sessionId, one.station.ids || isWhole(one, arriving, neighbours) ? knowable(one, arriving, neighbours) : nothing];
  }));
}

/** Of a session without an id there is nothing else to know it by than its place and its times. */
const nothing: Knowable = {
  named: false, startMs: null, stopMs: null, energyMilliWh: null, toldMilliWh: undefined, counts: null, neverMore: false, stopsBetween: null, firstMs: null, energyFlags: null, flags: [],
  stopElsewhere: true, untouched: false,
};

function isWhole(session: TrueSession, told: readonly Delivery[], neighbours: Neighbours): boolean {
  const inTime = told.filter((one) => one.arrivesMs - one.happenedMs < 500_000);
  return new Set(inTime.map((one) => one.sample)).size === session.samples.length && told.every((one) => one.lies.length === 0) && !neighbours.falseTimes;
}

/** What there is on a connector: a stop of which nothing else arrives may be that of a session whose stop does not. */
interface Neighbours {
  /** When the next session begins; null: that does not arrive. */
  readonly nextStartMs?: number | null;
  readonly loneStops: boolean;
  readonly unended: boolean;
  /** Tokens tell whose stop it is: those that lack one have a start with theirs. */
  readonly tokens: boolean;
  /** Then sessions may seem to overlap. */
  readonly falseTimes: boolean;
}

function isStart({ event }: Delivery): boolean {
  return event.type === 'TransactionStarted';
}

function isStop({ event }: Delivery): boolean {
  return event.type === 'TransactionEnded';
}

function connectorOf(session: TrueSession): string {
  return `${session.station.station.stationId}/${session.connectorId}`;
}

function knowable(session: TrueSession, told: readonly Delivery[], neighbours: Neighbours): Knowable {
  const liars = told.filter((one) => one.lies.length > 0);
  const named = told.filter((one) => !one.lies.includes('transactionId'));
  const starts = named.filter(isStart);
  const stops = told.filter(isStop);
  const lied = (lie: Lie) => liars.some((one) => one.lies.includes(lie));
  const isTrueTime = (one: Delivery) => !one.lies.includes('time') && eventTimeOf(one.event).kind === 'device';
  // A false time that may be true is believed, and nothing tells.
  const isReplaced = (one: Delivery) => eventTimeOf(one.event).kind === 'received';
  const stopElsewhere = stops.some((one) => one.lies.includes('transactionId'));
  // A stop without a name of its own is known by its connector and time, where these are true, and no other stop may be meant.
  const isMatched = named.some(isStop) || (stops.length === 1 && named.length > 0 && named.every(isTrueTime) && !neighbours.loneStops);
  const startKnown = starts.length > 0 && starts.every(isTrueTime);
  const stopKnown = stops.length > 0 && stops.every(isTrueTime) && isMatched;
  const energyKnown = stopKnown && isEnergyKnown(session, told, starts, stops, lied);
  const isSound = !isDisputed(told) && liars.every((one) => one.lies.every((lie) => lie === 'noRegister' || (lie === 'transactionId' && isMatched)));
  // Of nothing but a start, however often it is told, the stop is not known.
  const isEndless = stops.length === 0 && isSound && new Set(told.map((one) => one.sample)).size > 1 && !neighbours.loneStops;
  const flags: (readonly string[])[] = [];
  if (starts.length === 0) flags.push(['missing-start']);
  else if (starts.every(isReplaced)) flags.push(startFlags);
  if (stops.length === 0) flags.push(neighbours.loneStops ? ['missing-stop', 'matched-stop'] : ['missing-stop']);
  else if (stops.every(isReplaced) || !isMatched) flags.push(stopFlags);
  if (!session.station.ids) flags.push(['no-transaction-id']);
  if (session.station.known === 'never') flags.push(['unknown-station']);
  return {
    named: named.length > 0 && (named.some((one) => !isStop(one)) || !neighbours.unended), startMs: startKnown ? session.startMs : null, stopMs: stopKnown ? session.stopMs : null,
    energyMilliWh: energyKnown ? session.energyMilliWh : null, flags, stopElsewhere,
    toldMilliWh: isSound && (stops.length > 0 || !neighbours.loneStops) ? toldMilliWh(session, told, starts) : undefined,
    counts: liars.length === 0 && (stops.length > 0 || !neighbours.loneStops) ? countsOf(told) : null,
    neverMore: isMatched && !isDisputed(told) && !lied('time') && liars.every((one) => one.lies.length === 1) && new Set(liars.flatMap((one) => one.lies)).size < 2
      && !neighbours.loneStops && !(lied('placeholder') && session.station.known === 'never'),
    stopsBetween: isEndless && (neighbours.nextStartMs ?? null) !== null ? [Math.max(...told.map((one) => one.event.timestampMs)), neighbours.nextStartMs as number] : null,
    firstMs: isSound && starts.length === 0 && named.length > 0 ? Math.min(...named.map((one) => one.event.timestampMs)) : null,
    // Of an unknown connector up to 1 MW is believed. Zero may be what a register shows that has just begun again.
    energyFlags: lied('placeholder') && lied('rolledOver') ? null : session.station.known === 'never' ? [...energyFlags, 'unknown-station'] : energyFlags,
    untouched: told.length === session.samples.length && liars.length === 0 && !neighbours.falseTimes && isInPlace(told),
  };
}

function isInPlace(told: readonly Delivery[]): boolean {
  return new Set(told.map((one) => one.sample)).size === told.length && told.every((one) => one.arrivesMs - one.happenedMs < 600_000);
}

function countsOf(told: readonly Delivery[]): Knowable['counts'] {
  const events = new Set(told.map((one) => one.sample)).size;
  return { events, again: told.length - events };
}

function toldMilliWh({ station, baseMilliWh }: TrueSession, told: readonly Delivery[], starts: readonly Delivery[]): number | null {
  const registers = new Map(told.filter((one) => one.event.meterWh !== null).map((one) => [one.sample, Math.round((one.event.meterWh as number) * 1000)]));
  if (!starts.some((one) => one.event.meterWh !== null) && station.scope === 'session' && station.known !== 'never') registers.set(0, baseMilliWh);
  const samples = [...registers.keys()].sort((a, b) => a - b);
  return samples.length < 2 ? null : (registers.get(samples.at(-1) as number) as number) - (registers.get(samples[0] as number) as number);
}

/** Register at start and stop are true, and what is false between can be told from what is true. */
function isEnergyKnown(
  session: TrueSession, told: readonly Delivery[], starts: readonly Delivery[], stops: readonly Delivery[], lied: (lie: Lie) => boolean,
): boolean {
  const { station, samples } = session;
  if (isDisputed(told)) return false;
  const kinds = (['outlier', 'reset', 'rolledOver', 'relative', 'stale', 'placeholder'] as const).filter(lied);
  if (kinds.length > 1 || lied('placeholder') || told.some(({ lies }) => new Set(lies).size < lies.length)) return false;
  const hasRegister = (one: Delivery) => one.event.meterWh !== null;
  const readings = told.filter(hasRegister);
  if (!stops.every(hasRegister)) return false;
  const startTold = starts.length > 0 && starts.every(hasRegister);
  if (!startTold && (station.scope !== 'session' || station.known === 'never')) return false;
  if (lied('time')) {
    // The number says where it belongs. At the very end its time decides whether the stop can be.
    const odd = told.filter((one) => one.lies.includes('time'));
    if (!station.sequenced || kinds.length > 0 || odd.length > 1 || starts.length === 0) return false;
    const lastSample = Math.max(...readings.map((one) => one.sample).filter((at) => at < samples.length - 1));
    return odd.every((one) => one.event.type === 'TransactionUpdated' && one.sample < lastSample);
  }
  const at = new Set(readings.map((one) => one.sample));
  if (lied('outlier')) return !station.states || at.size === samples.length;
  if (lied('stale')) return station.known !== 'never' && startTold;
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
