import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultKinds } from '../profile.ts';
import type { FaultKind } from '../profile.ts';
import { propertyRuns } from '../testing/property-runs.ts';
import { LedgerEncoder } from './ledger-encoder.ts';
import { packedReading, SESSION_MS_MAX } from './ledger.ts';
import type { LedgerSession } from './ledger.ts';

const whole = fc.nat(2 ** 31 - 1);
const time = fc.oneof(fc.nat(2e12), fc.constantFrom(0, 9, 10, 99_999_999, 100_000_000, 100_000_001, 2 ** 31, 1_742_774_400_000, 2 ** 53 - 1));
const kind = fc.constantFrom(...(Object.keys(faultKinds) as FaultKind[]));
const sessions: fc.Arbitrary<LedgerSession> = fc.record({
  sessionId: fc.string(), transactionId: fc.string(), stationId: fc.string({ unit: 'grapheme' }), siteId: fc.string(), evseId: whole, connectorId: whole, idToken: fc.string(),
  vehicle: whole, model: fc.string(), fromSoc: fc.double({ min: 0, max: 100, noNaN: true }), toSoc: fc.constantFrom(0, 100, 33.333333), startMs: fc.nat(2e12), stopMs: time, energyWh: whole, stopReason: fc.string(), readings: fc.array(fc.tuple(fc.nat(SESSION_MS_MAX), fc.nat(2 ** 20 - 1)), { maxLength: 200 }),
  faults: fc.array(kind), touched: fc.array(fc.tuple(whole, kind)), messages: whole, received: whole,
}).map((session) => ({ ...session, readings: session.readings.map(([sinceMs, wh]) => [session.startMs + sinceMs, wh] as const) }));

describe('the ledger on paper', () => {
  it('has a session as JSON has it, readings in pairs', () => {
    const encoder = new LedgerEncoder();
    fc.assert(fc.property(fc.array(sessions, { maxLength: 4 }), (all) => {
      for (const session of all) encoder.session({ ...session, readings: session.readings.map(([timeMs, wh]) => packedReading(timeMs - session.startMs, wh)) });
      const text = Buffer.from(encoder.take().sessions).toString();
      expect(text).toBe(all.map((session) => `${JSON.stringify(session)}\n`).join(''));
    }), propertyRuns(300));
  });
});
