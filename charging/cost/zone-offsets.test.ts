import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { offsetSpan } from './zone-offsets.ts';

const offsetOf = (zone: string, timeMs: number): number =>
  Temporal.Instant.fromEpochMilliseconds(timeMs).toZonedDateTimeISO(zone).offsetNanoseconds / 1e6;

it('is the calendar\'s offset, whatever was asked before', () => {
  const zone = fc.constantFrom('Europe/Berlin', 'Europe/Dublin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kathmandu', 'UTC');
  const around = fc.constantFrom(Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1), Date.UTC(2026, 2, 8, 7), Date.UTC(2026, 9, 3, 15, 30), Date.UTC(1985, 11, 31, 18, 30));
  const near = fc.tuple(around, fc.oneof(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -40_000_000_000, max: 40_000_000_000 }))).map(([at, off]) => at + off);
  fc.assert(fc.property(zone, near, (name, timeMs) => {
    const span = offsetSpan(name, timeMs);
    expect(span?.offsetMs).toBe(offsetOf(name, timeMs));
    expect((span?.fromMs ?? 0) <= timeMs && timeMs < (span?.toMs ?? 0)).toBe(true);
  }), propertyRuns(2000));
});

it.each([['Australia/Sydney', Date.UTC(2026, 9, 3, 16)], ['America/Chicago', Date.UTC(2026, 2, 8, 8)], ['Europe/Rome', Date.UTC(2026, 9, 25, 1)]])(
  'begins at the very change of the clock in %s', (zone, changeMs) => {
    expect(offsetSpan(zone, changeMs)).toMatchObject({ fromMs: changeMs, offsetMs: offsetOf(zone, changeMs) });
    expect(offsetSpan(zone, changeMs - 1)).toMatchObject({ toMs: changeMs, offsetMs: offsetOf(zone, changeMs - 1) });
  },
);

it('is null for a zone that there is not', () => {
  expect([offsetSpan('Mars/Base', 0), offsetSpan('', 0), offsetSpan('Mars/Base', 1)]).toEqual([null, null, null]);
});
