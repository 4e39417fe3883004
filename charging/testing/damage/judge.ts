import { priceSession } from '../../cost/price-session.ts';
import type { LoadChange } from '../../load/load-change.ts';
import type { SessionRow } from '../../stitching/session-row.ts';
import type { Tariff } from '../../../schemas/generated/tariff.ts';
import { arrives, knowableOf } from './knowable.ts';
import type { Knowable } from './knowable.ts';
import type { TrueSession, World } from './truth.ts';

/** What the product made of what arrived. */
export interface Outcome {
  /** All final rows, in their order. */
  readonly rows: readonly SessionRow[];
  readonly load: readonly LoadChange[];
  /** Events set aside, and too late. */
  readonly dead: number;
  readonly late: number;
}

const tariff: Tariff = {
  tariffId: 't', currency: 'EUR', validFromMs: 0, startFeeMicro: 500_000, energyPerKwhMicro: 400_000, chargingPerMinuteMicro: 10_000,
  idlePerMinuteMicro: 20_000, idleFreeMinutes: 5, energyStepWh: 1, timeStepSeconds: 1, rates: [],
};

/** What is wrong with an outcome; nothing: it is right. */
export function judge(world: World, outcome: Outcome): readonly string[] {
  const complaints: string[] = [];
  const last = new Map<string, SessionRow>();
  for (const row of outcome.rows) {
    const before = last.get(row.sessionId);
    if (row.revision !== (before?.revision ?? -1) + 1) complaints.push(`${row.sessionId}: revision ${row.revision} after ${before?.revision ?? 'none'}`);
    last.set(row.sessionId, row);
  }
  const knowable = knowableOf(world);
  for (const session of world.sessions) {
    const known = knowable.get(session.sessionId) as Knowable;
    const row = last.get(session.sessionId);
    if (row === undefined) {
      if (known.named) complaints.push(`${session.sessionId}: lost`);
      continue;
    }
    for (const complaint of againstTruth(session, known, row)) complaints.push(`${session.sessionId}: ${complaint}`);
  }
  complaints.push(...strangers(world, knowable, last));
  for (const row of last.values()) complaints.push(...impossible(row).map((complaint) => `${row.sessionId}: ${complaint}`));
  complaints.push(...againstLoad(world, last, outcome.load));
  const deadWanted = world.deliveries.filter((one) => !arrives(one)).length;
  if (outcome.dead !== deadWanted) complaints.push(`${outcome.dead} dead letters, not ${deadWanted}`);
  if (outcome.late !== 0) complaints.push(`${outcome.late} too late`);
  return complaints;
}

function againstTruth(session: TrueSession, known: Knowable, row: SessionRow): readonly string[] {
  const complaints: string[] = [];
  const say = (what: string, found: unknown, wanted: unknown): void => {
    if (found !== wanted) complaints.push(`${what} ${String(found)}, not ${String(wanted)}`);
  };
  say('station', row.stationId, session.station.station.stationId);
  say('connector', row.connectorId, session.connectorId);
  if (known.startMs !== null) say('start', row.startMs, known.startMs);
  if (known.stopMs !== null) say('stop', row.stopMs, known.stopMs);
  const milliWh = row.energyWh === null ? null : Math.round(row.energyWh * 1000);
  if (known.energyMilliWh !== null) say('energy', milliWh, known.energyMilliWh);
  else if (known.energyFlags !== null && milliWh !== session.energyMilliWh && !row.flags.some((flag) => known.energyFlags?.includes(flag))) say('unflagged energy', milliWh, session.energyMilliWh);
  if (known.toldMilliWh !== undefined) say('told energy', milliWh, known.toldMilliWh);
  if (known.counts !== null) {
    const { events, again } = known.counts;
    say('events', row.eventCount, events);
    if (row.duplicates > again) say('duplicates', row.duplicates, `at most ${again}`);
  }
  if (known.neverMore && milliWh !== null && milliWh > session.energyMilliWh) say('too much energy', milliWh, session.energyMilliWh);
  if (known.firstMs !== null) say('first', row.startMs, known.firstMs);
  if (known.stopsBetween !== null && (row.stopMs === null || row.stopMs < known.stopsBetween[0] || row.stopMs > known.stopsBetween[1])) {
    say('stop', row.stopMs, `between ${known.stopsBetween.join(' and ')}`);
  }
  for (const flags of known.flags) {
    if (!flags.some((flag) => row.flags.includes(flag))) complaints.push(`no flag of ${flags.join(', ')} among ${row.flags.join(', ')}`);
  }
  const odd = row.flags.filter((flag) => flag !== 'unknown-station' && flag !== 'out-of-order' && flag !== 'no-transaction-id');
  if (known.untouched && odd.length > 0) complaints.push(`flags without a reason: ${odd.join(', ')}`);
  if (known.startMs !== null && known.stopMs !== null && row.idToken !== session.idToken) say('token', row.idToken, session.idToken);
  return complaints;
}

/** Rows of sessions that never were: only what names no session, or another one, may stand alone where nothing tells whose it is. */
function strangers(world: World, knowable: ReadonlyMap<string, Knowable>, rows: ReadonlyMap<string, SessionRow>): readonly string[] {
  const complaints: string[] = [];
  const unmatched = new Map<string, number>();
  for (const session of world.sessions) {
    const known = knowable.get(session.sessionId) as Knowable;
    if (!known.stopElsewhere || known.stopMs !== null) continue;
    const stationId = session.station.station.stationId;
    unmatched.set(stationId, (unmatched.get(stationId) ?? 0) + 1);
  }
  for (const row of rows.values()) {
    if (knowable.has(row.sessionId)) continue;
    const left = unmatched.get(row.stationId) ?? 0;
    if (left === 0) complaints.push(`${row.sessionId}: never was`);
    else if (!row.flags.includes('missing-start') && !row.flags.includes('no-transaction-id')) complaints.push(`${row.sessionId}: a stranger without a flag`);
  }
  return complaints;
}

/** What no session can have. */
function impossible(row: SessionRow): readonly string[] {
  const complaints: string[] = [];
  const { energyWh, startMs, stopMs, chargingMs, idleMs, flags } = row;
  if (stopMs !== null && stopMs < startMs && !flags.includes('stop-before-start')) complaints.push('stops before it starts');
  const stayMs = stopMs === null ? null : Math.max(0, stopMs - startMs);
  if (stayMs !== null && chargingMs !== null && idleMs !== null && (chargingMs < 0 || idleMs < 0 || chargingMs + idleMs !== stayMs)) {
    complaints.push(`charging ${chargingMs} and idle ${idleMs} of ${stayMs}`);
  }
  if (energyWh !== null) {
    const isTimeKnown = !flags.includes('missing-start') && !flags.includes('stop-before-start') && stayMs !== null;
    const mostWh = ((row.powerMaxW ?? 1_000_000) * 1.25 * ((isTimeKnown ? stayMs : (stayMs ?? 0) + 43_200_000) + 120_000)) / 3_600_000;
    if (energyWh < 0 || energyWh > mostWh) complaints.push(`energy ${energyWh} of at most ${mostWh}`);
  }
  const { samples, charging } = row.metering;
  const cost = priceSession({ startMs, stopMs, timeZone: 'UTC', samples, charging }, tariff);
  const { energyMinor, chargingMinor, idleMinor, totalMinor } = cost;
  if ([energyMinor, chargingMinor, idleMinor, totalMinor].some((minor) => minor !== null && minor < 0)) complaints.push('a cost below zero');
  if (energyMinor !== null && (energyWh === null || energyMinor > Math.ceil(energyWh * 0.04) + 1)) complaints.push(`energy costs ${energyMinor} for ${energyWh} Wh`);
  if (totalMinor !== null && stayMs !== null && totalMinor > 51 + Math.ceil((energyWh ?? 0) * 0.04) + Math.ceil(stayMs / 20_000)) complaints.push(`costs ${totalMinor}`);
  return complaints;
}

/** The changes of each station's load add up to its sessions. */
function againstLoad(world: World, rows: ReadonlyMap<string, SessionRow>, load: readonly LoadChange[]): readonly string[] {
  const complaints: string[] = [];
  for (const { station } of world.stations) {
    const { stationId } = station;
    const given = { energy: 0, occupiedMs: 0, chargingMs: 0, started: 0, ended: 0 };
    for (const change of load) {
      if (change.stationId !== stationId) continue;
      const lengthMs = change.toMs - change.fromMs;
      given.energy += change.energyMilliWh;
      given.occupiedMs += change.occupied * lengthMs;
      given.chargingMs += change.charging * lengthMs;
      given.started += change.sessionsStarted;
      given.ended += change.sessionsEnded;
    }
    const wanted = { energy: 0, occupiedMs: 0, chargingMs: 0, started: 0, ended: 0 };
    for (const row of rows.values()) {
      if (row.stationId !== stationId) continue;
      wanted.energy += Math.round((row.energyWh ?? 0) * 1000);
      wanted.occupiedMs += row.stopMs === null ? 0 : Math.max(0, row.stopMs - row.startMs);
      wanted.chargingMs += row.chargingMs ?? 0;
      wanted.started += 1;
      wanted.ended += row.stopMs === null ? 0 : 1;
    }
    for (const name of ['energy', 'occupiedMs', 'chargingMs', 'started', 'ended'] as const) {
      if (given[name] !== wanted[name]) complaints.push(`${stationId}: load has ${name} ${given[name]}, its sessions ${wanted[name]}`);
    }
  }
  return complaints;
}
