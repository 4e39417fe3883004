import type { MeterSample, TimeSpan } from '../cost/priced-session.ts';
import { registerFlags } from './read-registers.ts';
import type { RegisterReading, Segment } from './read-registers.ts';
import { numbersMissing } from './sequence-numbers.ts';
import { chargingMsOf, closedByOf, endOf, readingOf } from './session-reading.ts';
import type { SessionMetering, SessionRow } from './session-row.ts';
import { mark, startOf } from './session-state.ts';
import type { SessionPoint, SessionState } from './session-state.ts';
import { nowhere } from './station-facts.ts';

/** Names of a session's flags, in the order in which they stand. See docs/decisions/0024-rules-of-stitching.md. */
export const sessionFlags = [
  'clock-replaced', 'corrected', 'duplicate', 'matched-stop', 'missing-energy', 'missing-start', 'missing-stop', 'no-transaction-id',
  'out-of-order', 'overlap', 'repeated-start', 'repeated-stop', 'sequence-gap', 'station-known-later', 'stop-before-start',
  'unknown-station', 'zero-length', ...registerFlags,
].sort() as readonly string[];

/** The session as it is known now: a live row while it runs, else a final one of the state's revision. */
export function rowOf(state: SessionState): SessionRow {
  const reading = readingOf(state);
  const startMs = startOf(state);
  const stopMs = endOf(state);
  const place = state.facts ?? nowhere;
  const untilMs = stopMs ?? (state.open ? reading.segments.at(-1)?.toMs ?? startMs : null);
  const stayMs = untilMs === null ? null : Math.max(0, untilMs - startMs);
  const chargingMs = stayMs === null || !knowsCharging(state, reading) ? null : chargingMsOf(reading.segments);
  const energyWh = reading.energyMilliWh === null ? null : reading.energyMilliWh / 1000;
  const { first: socFrom, last: socTo } = socOf(state.points);
  return {
    sessionId: `${state.stationId}/${state.key}`,
    revision: state.open ? -1 : state.revision,
    transactionId: state.transactionId,
    stationId: state.stationId,
    evseId: state.evseId,
    connectorId: state.connectorId,
    openedMs: state.openedMs,
    startMs,
    stopMs,
    energyWh,
    registerWh: reading.registerMilliWh === null ? null : reading.registerMilliWh / 1000,
    exportWh: exportOf(state.points),
    chargingMs,
    idleMs: stayMs === null || chargingMs === null ? null : stayMs - chargingMs,
    peakPowerW: peakOf(state, reading),
    meanPowerW: energyWh === null || chargingMs === null || chargingMs === 0 ? null : Math.round((energyWh * 3_600_000) / chargingMs),
    socFrom,
    socTo,
    stopReason: state.stopReason,
    closedBy: closedByOf(state),
    flags: flagsOf(state, reading, startMs, stopMs),
    complete: state.startMs !== null && state.stopMs !== null,
    eventCount: state.events,
    duplicates: state.duplicates,
    sequenceGaps: numbersMissing(state.seen),
    idToken: state.idToken,
    partner: state.partner,
    vehicleModel: state.vehicleModel,
    siteId: place.siteId,
    city: place.city,
    region: place.region,
    country: place.country,
    operator: place.operator,
    timeZone: place.timeZone,
    tariffId: place.tariffId,
    connectorStandard: place.connectorStandard,
    current: place.current,
    powerMaxW: place.powerMaxW,
    metering: meteringOf(reading, startMs, chargingMs !== null),
  };
}

function flagsOf(state: SessionState, reading: RegisterReading, startMs: number, stopMs: number | null): readonly string[] {
  const flags: string[] = [...reading.flags];
  const { facts, marks } = state;
  const say = (flag: string, holds: boolean): void => {
    if (holds) flags.push(flag);
  };
  say('clock-replaced', (marks & mark.clockReplaced) !== 0);
  say('corrected', state.edition > 0);
  say('duplicate', state.duplicates > 0);
  say('matched-stop', state.stopMs !== null && state.stopRank === -2);
  say('missing-energy', reading.energyMilliWh === null && !reading.flags.includes('negative-energy') && !reading.flags.includes('implausible-energy'));
  say('missing-start', state.startMs === null);
  say('missing-stop', state.stopMs === null && !state.open);
  say('no-transaction-id', state.transactionId === null);
  say('out-of-order', (marks & mark.outOfOrder) !== 0);
  say('overlap', (marks & mark.overlap) !== 0);
  say('repeated-start', (marks & mark.startRepeated) !== 0);
  say('repeated-stop', (marks & mark.stopRepeated) !== 0);
  say('sequence-gap', state.seen.length > 2);
  say('station-known-later', facts !== null && facts.validFromMs > startMs);
  say('stop-before-start', stopMs !== null && stopMs < startMs);
  say('unknown-station', facts === null);
  say('zero-length', stopMs !== null && stopMs === startMs);
  return flags.sort();
}

/** Whether it is known when energy flowed: by registers, or by what else was told. */
function knowsCharging(state: SessionState, reading: RegisterReading): boolean {
  if (reading.energyMilliWh !== null) return true;
  return state.points.some((point) => point.chargingState !== null || point.powerW !== null);
}

function socOf(points: readonly SessionPoint[]): { readonly first: number | null; readonly last: number | null } {
  let first: number | null = null;
  let last: number | null = null;
  for (const { soc } of points) {
    if (soc === null) continue;
    first ??= soc;
    last = soc;
  }
  return { first, last };
}

/** What was given back, in Wh: the sum of what its register rose by. Null without two of them. */
function exportOf(points: readonly SessionPoint[]): number | null {
  let before: number | null = null;
  let sum: number | null = null;
  for (const { exportMilliWh } of points) {
    if (exportMilliWh === null) continue;
    if (before !== null) sum = (sum ?? 0) + Math.max(0, exportMilliWh - before);
    before = exportMilliWh;
  }
  return sum === null ? null : sum / 1000;
}

/** Meters read a little high: a connector may give this much more than its rating. */
const powerTolerance = 1.25;
/** The mean power of what lasts shorter says nothing: clocks show seconds, or minutes. */
const meanPowerFromMs = 60_000;

/** The highest power that was reported, when the connector can give it; else the highest mean power of a segment. */
function peakOf(state: SessionState, reading: RegisterReading): number | null {
  const powerMaxW = state.facts?.powerMaxW ?? null;
  const mostW = powerMaxW === null ? Infinity : powerMaxW * powerTolerance;
  const { peakPowerW } = state;
  if (peakPowerW !== null && peakPowerW >= 0 && peakPowerW <= mostW) return peakPowerW;
  if (reading.energyMilliWh === null) return null;
  let highestW: number | null = null;
  for (const { fromMs, toMs, energyMilliWh } of reading.segments) {
    if (toMs - fromMs < meanPowerFromMs) continue;
    const powerW = Math.round((energyMilliWh * 3_600) / (toMs - fromMs));
    if (highestW === null || powerW > highestW) highestW = powerW;
  }
  return highestW;
}

/** The cumulative energy at the borders of the segments, without samples that lie on a line with their neighbours. */
function meteringOf(reading: RegisterReading, startMs: number, chargingKnown: boolean): SessionMetering {
  const { segments } = reading;
  const charging = chargingKnown ? chargingSpans(segments) : null;
  if (reading.energyMilliWh === null) return { samples: [], charging };
  const samples: MeterSample[] = [{ timeMs: startMs, milliWh: 0 }];
  // A session without length: that it drew nothing is known.
  if (segments.length === 0) samples.push({ timeMs: startMs, milliWh: 0 });
  let sum = 0;
  let before: Segment | null = null;
  for (const segment of segments) {
    sum += segment.energyMilliWh;
    if (before !== null && isSteady(before, segment)) samples.pop();
    samples.push({ timeMs: segment.toMs, milliWh: sum });
    before = segment;
  }
  return { samples, charging };
}

/** The same power in both, so that the sample between them says nothing: without it a register there would be less than 1 mWh off. */
function isSteady(one: Segment, next: Segment): boolean {
  const oneMs = one.toMs - one.fromMs;
  const nextMs = next.toMs - next.fromMs;
  if (oneMs === 0 || nextMs === 0) return false;
  return one.energyMilliWh * nextMs === next.energyMilliWh * oneMs;
}

function chargingSpans(segments: readonly Segment[]): readonly TimeSpan[] {
  const spans: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs, charging } of segments) {
    if (!charging || fromMs === toMs) continue;
    const last = spans.at(-1);
    if (last !== undefined && last.toMs === fromMs) last.toMs = toMs;
    else spans.push({ fromMs, toMs });
  }
  return spans;
}

/** Whether two rows say the same. Being sent twice is counted, but no reason for a new revision. */
export function sameRow(a: SessionRow, b: SessionRow): boolean {
  const said = (row: SessionRow): string =>
    JSON.stringify({ ...row, revision: 0, duplicates: 0, flags: row.flags.filter((flag) => flag !== 'duplicate') });
  return said(a) === said(b);
}
