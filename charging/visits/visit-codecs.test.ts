import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { attemptChangeCodec, endedCodec, placesCodec, visitsCodec } from './visit-codecs.ts';
import type { VisitAttempt } from './visit-attempt.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const optional = fc.option(text);
const time = fc.integer({ min: -(2 ** 46), max: 2 ** 46 });
const attempt: fc.Arbitrary<VisitAttempt> = fc.record({
  sessionId: text, stationId: text, openedMs: time, startMs: time, stopMs: fc.option(time), energyWh: fc.option(fc.oneof(fc.integer(), fc.double({ noNaN: true }))), city: optional,
  operator: optional, timeZone: optional,
});

it('gives back what was written', () => {
  const change = fc.record({ idToken: text, sessionId: text, attempt: fc.option(attempt) });
  const places = fc.array(fc.record({ sessionId: text, siteId: optional, idToken: optional }), { maxLength: 3 });
  fc.assert(fc.property(change, fc.array(fc.array(attempt, { maxLength: 3 }), { maxLength: 3 }), fc.array(fc.tuple(text, text), { maxLength: 3 }), places, (one, visits, ended, all) => {
    expect(attemptChangeCodec.decode(attemptChangeCodec.encode(one))).toEqual(one);
    expect(visitsCodec.decode(visitsCodec.encode(visits))).toEqual(visits);
    expect(endedCodec.decode(endedCodec.encode(ended))).toEqual(ended);
    expect(placesCodec.decode(placesCodec.encode(all))).toEqual(all);
  }), propertyRuns());
}, 120_000);

it('refuses bytes that end too early', () => {
  const bytes = endedCodec.encode([['group', 'session']]);
  expect(() => endedCodec.decode(bytes.subarray(0, bytes.length - 1))).toThrow(/DESERIALISATION_FAILED/);
});
