import type { ChargingSession } from '../../schemas/generated/charging-session.ts';
import type { SessionEvent } from '../session-event.ts';

/** A value with its place among the events of its transaction. */
export interface Placed {
  readonly seqNo: number | null;
  readonly timeMs: number;
  readonly value: number;
}

/**
 * All that is known of one transaction. A fold over its events whose result does not depend on the order in which they come:
 * every field is a lowest, a highest, a first or last by place, a sum or a set.
 */
export interface SessionState {
  readonly transactionId: string;
  readonly stationId: string;
  readonly evseId: number;
  readonly connectorId: number;
  /** As reported by TransactionStarted and TransactionEnded. */
  readonly startMs: number | null;
  readonly stopMs: number | null;
  /** Of any event of the transaction. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly firstWh: Placed | null;
  readonly lastWh: Placed | null;
  /** Highest register and when it was reached first: energy flowed until then. */
  readonly highestWh: Placed | null;
  readonly firstExportWh: Placed | null;
  readonly lastExportWh: Placed | null;
  readonly firstSoc: Placed | null;
  readonly lastSoc: Placed | null;
  readonly peakPowerW: number | null;
  readonly stopReason: string | null;
  readonly idToken: string | null;
  readonly partner: string | null;
  readonly vehicleModel: string | null;
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly powerMaxW: number | null;
  readonly stationKnown: boolean;
  /** Sequence numbers seen, as ascending pairs from-to (inclusive). */
  readonly seen: readonly (readonly [number, number])[];
  readonly events: number;
  readonly duplicates: number;
  /** The earliest start of another transaction on the connector after this one's. */
  readonly nextStartMs: number | null;
  readonly overlap: boolean;
  readonly clockReplaced: boolean;
  /** An event came when its station was already further on than the settle time. */
  readonly outOfOrder: boolean;
  /** Of the last row that was emitted; -1: none yet. */
  readonly revision: number;
  /** How it was closed when its first row was emitted; a real stop replaces it. */
  readonly closedBy: ChargingSession['closedBy'];
}

/** A row of `charging_sessions`: the session with the facts of its station as of its start. */
export interface SessionRow extends ChargingSession {
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly duplicates: number;
  readonly sequenceGaps: number;
}

/** Takes in one event. Gives the same object when the event says nothing new but that it was sent twice (`duplicates`). */
export function foldEvent(before: SessionState | undefined, event: SessionEvent, outOfOrder: boolean): SessionState {
  const state = before ?? emptyState(event);
  if (event.seqNo !== null && isSeen(state.seen, event.seqNo)) return { ...state, duplicates: state.duplicates + 1 };
  const started = event.type === 'TransactionStarted';
  const ended = event.type === 'TransactionEnded';
  const wh = placed(event, event.meterWh);
  const exportWh = placed(event, event.meterExportWh);
  const soc = placed(event, event.soc);
  const { timestampMs, seqNo } = event;
  const facts = event.station !== null && (started || !state.stationKnown) ? stationFacts(event) : state;
  // Field by field: a spread of so many fields costs several times as much, and this is done for each event.
  return {
    transactionId: state.transactionId,
    stationId: state.stationId,
    evseId: state.evseId,
    connectorId: state.connectorId,
    startMs: started ? lowest(state.startMs, timestampMs) : state.startMs,
    stopMs: ended ? highest(state.stopMs, timestampMs) : state.stopMs,
    firstMs: Math.min(state.firstMs, timestampMs),
    lastMs: Math.max(state.lastMs, timestampMs),
    firstWh: earlier(state.firstWh, wh),
    lastWh: later(state.lastWh, wh),
    highestWh: higher(state.highestWh, wh),
    firstExportWh: earlier(state.firstExportWh, exportWh),
    lastExportWh: later(state.lastExportWh, exportWh),
    firstSoc: earlier(state.firstSoc, soc),
    lastSoc: later(state.lastSoc, soc),
    peakPowerW: event.powerW === null ? state.peakPowerW : highest(state.peakPowerW, event.powerW),
    stopReason: ended ? event.stopReason ?? state.stopReason : state.stopReason,
    idToken: started ? event.idToken ?? state.idToken : state.idToken ?? event.idToken,
    partner: started ? event.partner ?? state.partner : state.partner ?? event.partner,
    vehicleModel: started ? event.vehicleModel ?? state.vehicleModel : state.vehicleModel ?? event.vehicleModel,
    siteId: facts.siteId,
    city: facts.city,
    operator: facts.operator,
    powerMaxW: facts.powerMaxW,
    stationKnown: facts.stationKnown,
    seen: seqNo === null ? state.seen : withNumber(state.seen, seqNo),
    events: state.events + 1,
    duplicates: state.duplicates,
    nextStartMs: state.nextStartMs,
    overlap: state.overlap,
    clockReplaced: state.clockReplaced || event.clock === 'received',
    outOfOrder: state.outOfOrder || outOfOrder,
    revision: state.revision,
    closedBy: state.closedBy,
  };
}

/** The session as known now. `revision` and `closedBy` are as the state says. */
export function rowOf(state: SessionState): SessionRow {
  const startMs = state.startMs ?? state.firstMs;
  const stopMs = state.stopMs ?? inferredStopMs(state);
  const movedWh = difference(state.firstWh, state.lastWh);
  const energyWh = movedWh === null || movedWh < 0 ? null : movedWh;
  const stayMs = stopMs === null ? null : Math.max(0, stopMs - startMs);
  const chargingMs = chargingMsOf(state, energyWh, startMs, stayMs);
  return {
    sessionId: `${state.stationId}/${state.transactionId}`,
    revision: state.revision,
    transactionId: state.transactionId,
    stationId: state.stationId,
    evseId: state.evseId,
    connectorId: state.connectorId,
    startMs,
    stopMs,
    energyWh,
    exportWh: difference(state.firstExportWh, state.lastExportWh),
    chargingMs,
    idleMs: chargingMs === null || stayMs === null ? null : stayMs - chargingMs,
    peakPowerW: state.peakPowerW,
    meanPowerW: energyWh === null || chargingMs === null || chargingMs === 0 ? null : Math.round((energyWh * 3_600_000) / chargingMs),
    socFrom: state.firstSoc?.value ?? null,
    socTo: state.lastSoc?.value ?? null,
    stopReason: state.stopReason,
    closedBy: state.stopMs === null ? state.closedBy : 'TransactionEnded',
    flags: flagsOf(state, startMs, movedWh),
    complete: state.startMs !== null && state.stopMs !== null,
    eventCount: state.events,
    idToken: state.idToken,
    partner: state.partner,
    vehicleModel: state.vehicleModel,
    siteId: state.siteId,
    city: state.city,
    operator: state.operator,
    duplicates: state.duplicates,
    sequenceGaps: sequenceGaps(state.seen),
  };
}

/** Names of `flags`, in the order in which they stand. */
export const sessionFlags = [
  'clock-replaced', 'duplicate', 'implausible-energy', 'missing-energy', 'missing-start', 'missing-stop', 'negative-energy',
  'out-of-order', 'overlap', 'sequence-gap', 'stop-before-start', 'unknown-station',
  'zero-length',
] as const;
export type SessionFlag = (typeof sessionFlags)[number];

function flagsOf(state: SessionState, startMs: number, movedWh: number | null): readonly SessionFlag[] {
  const { stopMs } = state;
  const holds: Readonly<Record<SessionFlag, boolean>> = {
    'clock-replaced': state.clockReplaced,
    duplicate: state.duplicates > 0,
    'implausible-energy': isImplausible(state, startMs, movedWh),
    'missing-energy': movedWh === null,
    'missing-start': state.startMs === null,
    'missing-stop': stopMs === null,
    'negative-energy': movedWh !== null && movedWh < 0,
    'out-of-order': state.outOfOrder,
    overlap: state.overlap,
    'sequence-gap': sequenceGaps(state.seen) > 0,
    'stop-before-start': stopMs !== null && stopMs < startMs,
    'unknown-station': !state.stationKnown,
    'zero-length': stopMs !== null && stopMs === startMs,
  };
  return sessionFlags.filter((flag) => holds[flag]);
}

/** Clocks of session logs show minutes, and meters read a little high: a connector may give this much more than its rating. */
const powerTolerance = 1.25;
const clockToleranceMs = 120_000;

function isImplausible(state: SessionState, startMs: number, movedWh: number | null): boolean {
  const stopMs = state.stopMs ?? state.lastMs;
  if (movedWh === null || state.powerMaxW === null || stopMs < startMs) return false;
  return movedWh > (state.powerMaxW * powerTolerance * (stopMs - startMs + clockToleranceMs)) / 3_600_000;
}

/**
 * Without a stop, a session that was closed is known to have lasted until its last event, and not beyond the next start. With
 * nothing but its start, when it ended is unknown.
 */
function inferredStopMs(state: SessionState): number | null {
  if (state.closedBy === 'None' || state.events < 2) return null;
  const startMs = state.startMs ?? state.firstMs;
  return Math.max(startMs, Math.min(state.lastMs, state.nextStartMs ?? state.lastMs));
}

function chargingMsOf(state: SessionState, energyWh: number | null, startMs: number, stayMs: number | null): number | null {
  if (energyWh === null || stayMs === null || state.highestWh === null) return null;
  if (energyWh === 0) return 0;
  return Math.min(stayMs, Math.max(0, state.highestWh.timeMs - startMs));
}

function emptyState(event: SessionEvent): SessionState {
  return {
    transactionId: event.transactionId ?? '', stationId: event.stationId, evseId: event.evseId, connectorId: event.connectorId,
    startMs: null, stopMs: null, firstMs: event.timestampMs, lastMs: event.timestampMs, firstWh: null, lastWh: null,
    highestWh: null, firstExportWh: null, lastExportWh: null, firstSoc: null, lastSoc: null, peakPowerW: null,
    stopReason: null, idToken: null, partner: null, vehicleModel: null, siteId: null, city: null, operator: null,
    powerMaxW: null, stationKnown: false, seen: [], events: 0, duplicates: 0, nextStartMs: null, overlap: false, clockReplaced: false,
    outOfOrder: false, revision: -1, closedBy: 'None',
  };
}

function stationFacts(event: SessionEvent): Pick<SessionState, 'siteId' | 'city' | 'operator' | 'powerMaxW' | 'stationKnown'> {
  const { station } = event;
  const connectors = station?.evses.find((evse) => evse.evseId === event.evseId)?.connectors ?? [];
  const connector = connectors.find((one) => one.connectorId === event.connectorId);
  return {
    siteId: station?.siteId ?? null, city: station?.city ?? null, operator: station?.operator ?? null,
    powerMaxW: connector?.powerMaxW ?? null, stationKnown: station !== null,
  };
}

function placed(event: SessionEvent, value: number | null): Placed | null {
  return value === null ? null : { seqNo: event.seqNo, timeMs: event.timestampMs, value };
}

/** By sequence number where both have one (clocks lie, counters do not), else by time, at last by value. */
function order(a: Placed, b: Placed): number {
  const bySeqNo = a.seqNo === null || b.seqNo === null ? 0 : a.seqNo - b.seqNo;
  return bySeqNo || a.timeMs - b.timeMs || a.value - b.value;
}

function earlier(a: Placed | null, b: Placed | null): Placed | null {
  if (a === null || b === null) return a ?? b;
  return order(b, a) < 0 ? b : a;
}

function later(a: Placed | null, b: Placed | null): Placed | null {
  if (a === null || b === null) return a ?? b;
  return order(b, a) < 0 ? a : b;
}

function higher(a: Placed | null, b: Placed | null): Placed | null {
  if (a === null || b === null) return a ?? b;
  if (a.value !== b.value) return a.value > b.value ? a : b;
  return a.timeMs <= b.timeMs ? a : b;
}

function lowest(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}

function highest(a: number | null, b: number): number {
  return a === null ? b : Math.max(a, b);
}

/** Null when there are not two samples. In thousandths, so that registers with decimals leave no dust. */
function difference(first: Placed | null, last: Placed | null): number | null {
  if (first === null || last === null || order(first, last) === 0) return null;
  return Math.round((last.value - first.value) * 1000) / 1000;
}

function isSeen(seen: SessionState['seen'], seqNo: number): boolean {
  for (let at = seen.length - 1; at >= 0; at -= 1) {
    const range = seen[at] as readonly [number, number];
    if (range[0] <= seqNo && seqNo <= range[1]) return true;
  }
  return false;
}

function withNumber(seen: SessionState['seen'], seqNo: number): SessionState['seen'] {
  const last = seen.at(-1);
  if (last !== undefined && last[1] + 1 === seqNo) {
    const grown = [last[0], seqNo] as const;
    return seen.length === 1 ? [grown] : seen.with(-1, grown);
  }
  const all = [...seen, [seqNo, seqNo] as const].sort((a, b) => a[0] - b[0]);
  const joined: (readonly [number, number])[] = [];
  for (const range of all) {
    const before = joined.at(-1);
    if (before !== undefined && before[1] + 1 === range[0]) joined[joined.length - 1] = [before[0], range[1]];
    else joined.push(range);
  }
  return joined;
}

/** Numbers that are missing between those seen. */
function sequenceGaps(seen: SessionState['seen']): number {
  let gaps = 0;
  for (let index = 1; index < seen.length; index += 1) gaps += (seen[index]?.[0] ?? 0) - (seen[index - 1]?.[1] ?? 0) - 1;
  return gaps;
}
