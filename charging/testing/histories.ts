import fc from 'fast-check';
import type { SessionEvent } from '../session-event.ts';
import { charging, days, known, minutes, ten } from './events.ts';

/** One stay on a connector, as it was and as it is told. */
export interface Stay {
  readonly connectorId: 1 | 2;
  readonly hasId: boolean;
  /** Since the end of the one before on the connector; below zero both are there at once. */
  readonly gapMinutes: number;
  readonly lastsMinutes: number;
  readonly powerW: number;
  readonly tellsStart: boolean;
  readonly tellsStop: boolean;
  readonly tellsAvailable: boolean;
  /** Which of its meter values are told, as bits. */
  readonly values: number;
  readonly tellsNumbers: boolean;
  /** Between two of its meter values. */
  readonly everySeconds: number;
}

/** `gapFromMinutes` below zero: two vehicles may be at one connector at once, as far as one is told. */
export const stayFrom = (gapFromMinutes: number): fc.Arbitrary<Stay> => fc.record({
  connectorId: fc.constantFrom(1, 2),
  hasId: fc.boolean(),
  gapMinutes: fc.integer({ min: gapFromMinutes, max: 90 }),
  lastsMinutes: fc.integer({ min: 1, max: 100 }),
  powerW: fc.integer({ min: 0, max: 22_000 }),
  tellsStart: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  tellsStop: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  tellsAvailable: fc.boolean(),
  values: fc.nat(2 ** 20 - 1),
  tellsNumbers: fc.boolean(),
  everySeconds: fc.oneof({ weight: 9, arbitrary: fc.constant(420) }, { weight: 1, arbitrary: fc.constant(45) }),
});

/** The events of a station's stays, in order of time. */
export function eventsOf(stays: readonly Stay[]): readonly SessionEvent[] {
  const events: SessionEvent[] = [];
  const freeMs: Record<number, number> = { 1: ten, 2: ten };
  for (const [index, one] of stays.entries()) {
    const startMs = (freeMs[one.connectorId] as number) + minutes(one.gapMinutes);
    const stopMs = startMs + minutes(one.lastsMinutes);
    freeMs[one.connectorId] = stopMs;
    let number = 0;
    const tell = (type: SessionEvent['type'], atMs: number, fields: Partial<SessionEvent>): void => {
      const seqNo = one.tellsNumbers ? number : null;
      number += 1;
      events.push(known(charging({
        type, timestampMs: atMs, connectorId: one.connectorId, transactionId: one.hasId ? `t${index}` : null, seqNo,
        eventId: `${index}/${number}`, meterWh: Math.round((one.powerW * (atMs - startMs)) / 3_600_000), ...fields,
      })));
    };
    if (one.tellsStart) tell('TransactionStarted', startMs, { idToken: `token ${index}` });
    for (let at = 1; startMs + at * one.everySeconds * 1000 < stopMs; at += 1) {
      if ((one.values & (1 << (at % 20))) !== 0) tell('TransactionUpdated', startMs + at * one.everySeconds * 1000, { powerW: one.powerW });
    }
    if (one.tellsStop) tell('TransactionEnded', stopMs, { stopReason: 'EVDisconnected' });
    if (one.tellsAvailable) {
      events.push(known(charging({ type: 'StatusChanged', status: 'Available', connectorId: one.connectorId, timestampMs: stopMs, eventId: `${index}/free` })));
    }
  }
  return events.sort((a, b) => a.timestampMs - b.timestampMs);
}

/** So late that everything is closed, and nothing dropped that was told of lately. */
export const longAfter: SessionEvent = known(charging({ type: 'Heartbeat', timestampMs: ten + days(65) }));

/** Something that was told wrongly, of the event at a place. */
export interface Untruth {
  readonly at: number;
  readonly what: 'again' | 'again-later' | 'other-time' | 'other-meter' | 'other-number' | 'no-id' | 'unknown-id' | 'other-token' | 'edition' | 'start-again' | 'stop-again'
    | 'unknown-station' | 'received' | 'long-delayed' | 'export';
  readonly by: number;
}

export const untruth: fc.Arbitrary<Untruth> = fc.record({
  at: fc.nat(200),
  what: fc.constantFrom(
    'again', 'again-later', 'other-time', 'other-meter', 'other-number', 'no-id', 'unknown-id', 'other-token', 'edition', 'start-again', 'stop-again',
    'unknown-station', 'received', 'long-delayed', 'export',
  ),
  by: fc.integer({ min: -100, max: 100 }),
});

/** The events with what is told wrongly, in order of arrival. */
export function toldWrongly(events: readonly SessionEvent[], untruths: readonly Untruth[]): readonly SessionEvent[] {
  const told = [...events];
  for (const { at, what, by } of untruths) {
    if (told.length === 0) break;
    const place = at % told.length;
    const event = told[place] as SessionEvent;
    const timestampMs = event.timestampMs + minutes(by);
    const eventId = `${event.eventId}/${what}/${by}`;
    const wrong = {
      again: event,
      'again-later': { ...event, eventId },
      'other-time': { ...event, timestampMs },
      'other-meter': { ...event, meterWh: (event.meterWh ?? 0) + by * 1000 },
      'other-number': { ...event, seqNo: event.seqNo === null ? 3 : Math.max(0, event.seqNo + by) },
      'no-id': { ...event, transactionId: '-1' },
      'unknown-id': { ...event, transactionId: 'nobody knows' },
      'other-token': { ...event, idToken: `token ${by % 3}` },
      edition: { ...event, edition: 1 + (Math.abs(by) % 2), eventId },
      'start-again': { ...event, type: 'TransactionStarted', eventId, seqNo: null, timestampMs },
      'stop-again': { ...event, type: 'TransactionEnded', eventId, seqNo: null, timestampMs },
      'unknown-station': { ...event, station: null },
      received: { ...event, receivedMs: event.timestampMs, clock: by > 50 ? 'received' : 'device' },
      'long-delayed': event,
      export: { ...event, meterExportWh: by * 10 },
    }[what] as SessionEvent;
    if (what === 'again' || what === 'again-later' || what === 'edition' || what === 'start-again' || what === 'stop-again') {
      told.splice(Math.min(told.length, place + 1 + Math.abs(by)), 0, wrong);
    } else if (what === 'long-delayed') {
      told.splice(place, 1);
      told.push(wrong);
    } else {
      told[place] = wrong;
    }
  }
  return told;
}
