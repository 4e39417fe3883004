import { describe, expect, it } from 'vitest';
import type { LoadChange } from '../../load/load-change.ts';
import type { SessionRow } from '../../stitching/session-row.ts';
import { hours } from '../events.ts';
import { damaged, damages, loss } from './damages.ts';
import { Dice } from './dice.ts';
import { judge } from './judge.ts';
import type { Outcome } from './judge.ts';
import { makeWorld } from './truth.ts';
import type { TrueSession, World } from './truth.ts';

const dice = new Dice(5);
const world = makeWorld(dice, 2, 2);

/** A right outcome, made from the truth and not by the product. */
function rightOutcome({ sessions }: World): Outcome {
  return { rows: sessions.map(rowOf), load: sessions.map(loadOf), dead: 0, late: 0 };
}

function rowOf(session: TrueSession): SessionRow {
  const { sessionId, station, connectorId, transactionId, startMs, stopMs, energyMilliWh, samples, idToken } = session;
  const stayMs = stopMs - startMs;
  return {
    sessionId, revision: 0, transactionId, stationId: station.station.stationId, evseId: 1, connectorId, openedMs: startMs, startMs, stopMs,
    energyWh: energyMilliWh / 1000, registerWh: energyMilliWh / 1000, exportWh: null, chargingMs: stayMs, idleMs: 0, peakPowerW: null, meanPowerW: null,
    socFrom: null, socTo: null, stopReason: 'Local', closedBy: 'TransactionEnded', 
    flags: [...(station.known === 'never' ? ['unknown-station'] : []), ...(station.ids ? [] : ['no-transaction-id'])], complete: true,
    eventCount: samples.length, duplicates: 0, sequenceGaps: 0, idToken, partner: null, vehicleModel: null, siteId: null, city: null, region: null,
    country: null, operator: null, timeZone: null, tariffId: null, connectorStandard: null, current: null, powerMaxW: station.powerMaxW,
    metering: { samples, charging: [{ fromMs: startMs, toMs: stopMs }] },
  };
}

function loadOf({ sessionId, station, startMs, stopMs, energyMilliWh }: TrueSession): LoadChange {
  return {
    stationId: station.station.stationId, eventId: sessionId, part: 0, fromMs: startMs, toMs: stopMs, energyMilliWh, occupied: 1, charging: 1, samples: 0,
    powerW: null, sessionsStarted: 1, sessionsEnded: 1, errors: 0, siteId: null, city: null, operator: null, stationValidFromMs: -1,
  };
}

const right = rightOutcome(world);
const [first] = right.rows as readonly [SessionRow];
const withRow = (fields: Partial<SessionRow>): Outcome => ({ ...right, rows: right.rows.with(0, { ...first, ...fields }) });
const withLoad = (fields: Partial<LoadChange>): Outcome => ({ ...right, load: right.load.with(0, { ...right.load[0] as LoadChange, ...fields }) });
const energyWh = first.energyWh as number;

describe('judge', () => {
  it('finds nothing wrong with what is right', () => {
    expect(judge(world, right)).toEqual([]);
  });

  const wrong: Readonly<Record<string, readonly [Outcome, RegExp]>> = {
    'a lost session': [{ ...right, rows: right.rows.slice(1) }, /lost/],
    'a session told twice': [{ ...right, rows: [...right.rows, { ...first, sessionId: `${first.sessionId} again` }] }, /never was/],
    'a revision told twice': [{ ...right, rows: [...right.rows, first] }, /revision 0 after 0/],
    'a revision that is missing': [{ ...right, rows: [...right.rows, { ...first, revision: 2 }] }, /revision 2 after 0/],
    'another start': [withRow({ startMs: first.startMs + 1 }), /start/],
    'another stop': [withRow({ stopMs: (first.stopMs as number) - 1 }), /stop/],
    'no stop': [withRow({ stopMs: null }), /stop/],
    'a thousandth of a Wh too much': [withRow({ energyWh: energyWh + 0.001 }), /energy/],
    'no energy': [withRow({ energyWh: null, metering: { samples: [], charging: null } }), /energy/],
    'an energy below zero': [withRow({ energyWh: -1 }), /of at most/],
    'more than the connector can give': [withRow({ energyWh: energyWh * 1000 }), /of at most/],
    'another station': [withRow({ stationId: 's9' }), /station/],
    'another connector': [withRow({ connectorId: 3 }), /connector/],
    'an event that was not counted': [withRow({ eventCount: first.eventCount - 1 }), /events/],
    'an event that was counted as told again': [withRow({ duplicates: 1 }), /duplicates/],
    'another token': [withRow({ idToken: 'another' }), /token/],
    'a flag without a reason': [withRow({ flags: ['register-reset'] }), /without a reason/],
    'charging for longer than it stayed': [withRow({ chargingMs: (first.chargingMs as number) + 1 }), /charging/],
    'idle time below zero': [withRow({ chargingMs: (first.chargingMs as number) + 1, idleMs: -1 }), /charging/],
    'a price of energy that was not drawn': [
      withRow({ metering: { samples: [{ timeMs: first.startMs, milliWh: 0 }, { timeMs: first.stopMs as number, milliWh: energyWh * 2000 + 100_000 }], charging: null } }), /costs/,
    ],
    'load without a session': [withLoad({ energyMilliWh: energyWh * 1000 + 1 }), /load has energy/],
    'time in the load that no session has': [withLoad({ toMs: (first.stopMs as number) + 1 }), /load has occupiedMs/],
    'no charging in the load': [withLoad({ charging: 0 }), /load has chargingMs/],
    'a start counted twice': [withLoad({ sessionsStarted: 2 }), /load has started/],
    'a stop not counted': [withLoad({ sessionsEnded: 0 }), /load has ended/],
    'an event set aside without a reason': [{ ...right, dead: 1 }, /dead letters/],
    'an event too late': [{ ...right, late: 1 }, /too late/],
  };

  it.each(Object.entries(wrong))('sees %s', (_name, [outcome, complaint]) => {
    expect(judge(world, outcome).join('\n')).toMatch(complaint);
  });

  it('wants a flag where the truth is not knowable, and no guess', () => {
    const lostStops = damaged(world, loss.filter((one) => one.name === 'a stop is lost'), new Dice(1));
    const ended = new Set(lostStops.deliveries.filter((one) => one.event.type === 'TransactionEnded').map((one) => one.sessionId));
    const unended = world.sessions.filter((one) => one.station.ids && !ended.has(one.sessionId)).map((one) => one.sessionId);
    expect(unended.length).toBeGreaterThan(0);
    const complaints = judge(lostStops, right).join('\n');
    for (const sessionId of unended) expect(complaints).toContain(`${sessionId}: no flag of missing-stop`);
  });
});

describe('damages', () => {
  it.each(damages.map((one) => [one.name, one] as const))('change something: %s', (_name, damage) => {
    const changed = [1, 2, 3, 4, 5, 6].some((seed) => {
      const undamaged = makeWorld(new Dice(seed), 2, 3);
      return JSON.stringify(damage.apply(undamaged, new Dice(seed)).deliveries) !== JSON.stringify(undamaged.deliveries);
    });
    expect(changed).toBe(true);
  });

  it('are the same for the same seed, and never touch the world they are given', () => {
    for (const damage of damages) {
      const undamaged = makeWorld(new Dice(9), 2, 2);
      const before = JSON.stringify(undamaged);
      expect(damage.apply(undamaged, new Dice(2))).toEqual(damage.apply(undamaged, new Dice(2)));
      expect(JSON.stringify(undamaged)).toBe(before);
    }
  });
});

describe('makeWorld', () => {
  it('makes sessions that can have been: one after the other on a connector, within its power, told in full', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const { sessions, deliveries } = makeWorld(new Dice(seed), 2, 3);
      for (const [at, session] of sessions.entries()) {
        const { station, startMs, stopMs, energyMilliWh, samples } = session;
        expect(energyMilliWh / 1000).toBeLessThan((station.powerMaxW * (stopMs - startMs)) / hours(1));
        expect(samples.at(-1)).toEqual({ timeMs: stopMs, milliWh: energyMilliWh });
        const told = deliveries.filter((one) => one.sessionId === session.sessionId);
        expect(told.map((one) => Math.round((one.event.meterWh as number) * 1000) - session.baseMilliWh)).toEqual(samples.map((one) => one.milliWh));
        const next = sessions[at + 1];
        if (next === undefined || next.station !== station || next.connectorId !== session.connectorId) continue;
        expect(next.startMs).toBeGreaterThan(stopMs + 5_000);
      }
    }
  });
});
