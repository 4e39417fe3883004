import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../session-event.ts';
import { sessionCodec } from './session-codec.ts';
import { rowOf, sessionFlags } from './session-row-of.ts';
import { isRepeated, newSession, takeIn } from './session-state.ts';
import type { SessionState } from './session-state.ts';
import { days, ended, minutes, started, ten, updated } from '../testing/events.ts';

/** A finished session of these events. */
function fold(events: readonly SessionEvent[]): SessionState {
  const state = newSession(events[0] as SessionEvent, 't', 't', days(60));
  for (const event of events) {
    if (isRepeated(state, event, event.seqNo)) state.duplicates += 1;
    else takeIn(state, event, event.seqNo);
  }
  state.open = false;
  state.revision = 0;
  return state;
}

const sound = [
  started('t', ten, { idToken: 'token', soc: 20 }),
  updated('t', 1, ten + minutes(5), 600.5, { powerW: 7200 }),
  updated('t', 2, ten + minutes(10), 1200.25, { powerW: 7100 }),
  updated('t', 3, ten + minutes(12), 1400, { powerW: 0, chargingState: 'SuspendedEV' }),
  ended('t', 4, ten + minutes(60), 1400, { stopReason: 'EVDisconnected', soc: 40 }),
];

describe('a session', () => {
  it('has start, stop, energy, charging and idle time, power and state of charge of its events', () => {
    expect(rowOf(fold(sound))).toMatchObject({
      sessionId: 's1/t', transactionId: 't', stationId: 's1', startMs: ten, stopMs: ten + minutes(60), energyWh: 1400,
      chargingMs: minutes(12), idleMs: minutes(48), peakPowerW: 7200, meanPowerW: 7000, socFrom: 20, socTo: 40,
      stopReason: 'EVDisconnected', closedBy: 'TransactionEnded', flags: [], complete: true, eventCount: 5, idToken: 'token',
      siteId: 'Site', city: 'City', operator: 'Operator', duplicates: 0, sequenceGaps: 0,
    });
  });

  it('is the same for any order of its events', () => {
    fc.assert(fc.property(fc.shuffledSubarray(sound, { minLength: sound.length }), (events) => {
      expect(rowOf(fold(events))).toEqual(rowOf(fold(sound)));
    }));
  });

  it('is the same when its state went through the store', () => {
    for (let count = 1; count <= sound.length; count += 1) {
      const state = fold(sound.slice(0, count));
      const kept = sessionCodec.decode(sessionCodec.encode(state));
      expect(kept).toEqual({ ...state, tail: undefined, segments: null });
      expect(rowOf(kept)).toEqual(rowOf(state));
    }
  });

  it('counts a sequence number once, and says so', () => {
    const row = rowOf(fold([...sound, updated('t', 2, ten + minutes(11), 9999)]));
    expect(row).toMatchObject({ energyWh: 1400, eventCount: 5, duplicates: 1, flags: ['duplicate'] });
  });

  it('never has a negative energy', () => {
    const row = rowOf(fold([started('t', ten), ended('t', 1, ten + minutes(5), -3000)]));
    expect(row).toMatchObject({ energyWh: null, chargingMs: null, meanPowerW: null, flags: ['negative-energy'] });
  });

  it('infers a missing start from its first event; a register of the session tells what was drawn before', () => {
    const row = rowOf(fold(sound.slice(1)));
    expect(row).toMatchObject({ startMs: ten + minutes(5), energyWh: 1400, complete: false, flags: ['missing-start'] });
  });

  it('counts the numbers that are missing', () => {
    expect(rowOf(fold([started('t', ten), ended('t', 4, ten + minutes(60), 10)]))).toMatchObject({ sequenceGaps: 3, flags: ['sequence-gap'] });
  });

  it('flags a stop before the start, no length, and an energy beyond what the connector can give', () => {
    expect(rowOf(fold([started('t', ten), ended('t', 1, ten - minutes(31), 9730)])).flags).toEqual(['stop-before-start']);
    expect(rowOf(fold([started('t', ten), ended('t', 1, ten, 300)])).flags).toEqual(['zero-length']);
    // It is known that it drew nothing, so it has a price.
    expect(rowOf(fold([started('t', ten), ended('t', 1, ten, 0)]))).toMatchObject({ energyWh: 0, metering: { samples: [{ milliWh: 0 }, { milliWh: 0 }] } });
    const absurd = rowOf(fold([started('t', ten), ended('t', 1, ten + minutes(60), 1_430_170)]));
    expect(absurd).toMatchObject({ energyWh: null, registerWh: 1_430_170, flags: ['implausible-energy'] });
    expect(rowOf(fold([started('t', ten), ended('t', 1, ten + minutes(60), 22_000)])).flags).toEqual([]);
  });

  it('says when its station is unknown or its clock was replaced', () => {
    const row = rowOf(fold([{ ...started('t', ten), station: null }, { ...ended('t', 1, ten + minutes(5), 10), station: null, clock: 'received' }]));
    expect(row).toMatchObject({ siteId: null, flags: ['clock-replaced', 'unknown-station'] });
  });

  it('names its flags in order', () => {
    expect([...sessionFlags].sort()).toEqual(sessionFlags);
  });
});
