import { describe, expect, it } from 'vitest';
import { LocalTime } from './local-time.ts';

const HOUR_MS = 3_600_000;
const at = (iso: string): number => Date.parse(iso);

describe('local time', () => {
  it('leaves out an hour when summer time begins, and has one twice when it ends', () => {
    const berlin = new LocalTime('Europe/Berlin');
    const hours = (from: string, count: number): readonly number[] => Array.from({ length: count }, (_, hour) => berlin.hour(at(from) + hour * HOUR_MS));
    expect(hours('2025-03-29T23:00:00Z', 5)).toEqual([0, 1, 3, 4, 5]);
    expect(hours('2025-10-25T22:00:00Z', 5)).toEqual([0, 1, 2, 2, 3]);
    expect(berlin.offsetMs(at('2025-03-30T00:59:59.999Z'))).toBe(HOUR_MS);
    expect(berlin.offsetMs(at('2025-03-30T01:00:00Z'))).toBe(2 * HOUR_MS);
  });

  it('knows quarters of an hour, other hemispheres and zones without summer time', () => {
    expect(new LocalTime('Asia/Kathmandu').offsetMs(at('2025-01-01T00:00:00Z'))).toBe(5.75 * HOUR_MS);
    expect(new LocalTime('Australia/Lord_Howe').offsetMs(at('2025-01-01T00:00:00Z'))).toBe(11 * HOUR_MS);
    expect(new LocalTime('Australia/Lord_Howe').offsetMs(at('2025-06-01T00:00:00Z'))).toBe(10.5 * HOUR_MS);
    expect(new LocalTime('UTC').offsetMs(at('2025-06-01T00:00:00Z'))).toBe(0);
    expect(() => new LocalTime('Nowhere/Land')).toThrow(RangeError);
  });

  it('has weekdays by the clock on the wall, Monday first', () => {
    const auckland = new LocalTime('Pacific/Auckland');
    expect(auckland.weekday(at('2025-03-23T12:00:00Z'))).toBe(0);
    expect(new LocalTime('UTC').weekday(at('2025-03-23T12:00:00Z'))).toBe(6);
    expect(new LocalTime('America/New_York').weekday(at('2025-03-24T03:59:59Z'))).toBe(6);
    expect(new LocalTime('UTC').weekday(-1)).toBe(2);
    for (let atMs = at('2025-03-28T00:10:00Z'); atMs < at('2025-04-05T00:00:00Z'); atMs += HOUR_MS) {
      expect(auckland.hourOfWeek(atMs)).toBe(auckland.weekday(atMs) * 24 + auckland.hour(atMs));
    }
  });
});
