import { describe, expect, it } from 'vitest';
import { localTimeReader } from './local-time.ts';

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);

describe('localTimeReader', () => {
  const dundee = localTimeReader('DD/MM/YYYY HH:mm', 'Europe/London');

  it('reads a local time by the rules of its zone', () => {
    expect(iso(dundee('01/09/2017 00:11')?.ms ?? 0)).toBe('2017-08-31T23:11');
    expect(iso(dundee('02/12/2017 00:05')?.ms ?? 0)).toBe('2017-12-02T00:05');
    expect(dundee('01/01/1970 01:00')).toEqual({ ms: 0, laterMs: null, clock: 'exact' });
  });

  it('takes the earlier of two when the clock showed a time twice, and knows the later', () => {
    const read = dundee('29/10/2017 01:20');
    expect(read?.clock).toBe('ambiguous');
    expect(iso(read?.ms ?? 0)).toBe('2017-10-29T00:20');
    expect(iso(read?.laterMs ?? 0)).toBe('2017-10-29T01:20');
    expect(dundee('29/10/2017 00:59')?.clock).toBe('exact');
    expect(iso(dundee('29/10/2017 02:00')?.ms ?? 0)).toBe('2017-10-29T02:00');
  });

  it('moves a time that the clock never showed on by the hour that was lost', () => {
    const read = dundee('25/03/2018 01:30');
    expect(read).toEqual({ ms: Date.UTC(2018, 2, 25, 1, 30), laterMs: null, clock: 'skipped' });
    expect(dundee('25/03/2018 00:59')?.clock).toBe('exact');
    expect(iso(dundee('25/03/2018 02:00')?.ms ?? 0)).toBe('2018-03-25T01:00');
  });

  it('agrees with Temporal on every hour of a year', () => {
    for (let ms = Date.UTC(2018, 0, 1); ms < Date.UTC(2019, 0, 1); ms += 3_600_000) {
      const wall = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO('Europe/London').toPlainDateTime();
      const text = `${String(wall.day).padStart(2, '0')}/${String(wall.month).padStart(2, '0')}/${wall.year} ${String(wall.hour).padStart(2, '0')}:00`;
      expect(dundee(text)?.ms).toBe(wall.toZonedDateTime('Europe/London').epochMilliseconds);
    }
  });

  it('refuses what does not fit or is not in the calendar', () => {
    for (const text of ['', '2018-01-02 10:00', '31/02/2018 10:00', '01/13/2018 10:00', '01/01/2018 24:00', '1/1/2018 10:00', '01/01/2018 10:00 ']) {
      expect(dundee(text), text).toBeNull();
    }
  });

  it('reads the forms of other sources', () => {
    expect(localTimeReader('YYYY-MM-DD HH:mm:ssZ', 'America/Los_Angeles')('2019-05-01 01:18:45-07:00')?.ms).toBe(Date.UTC(2019, 4, 1, 8, 18, 45));
    expect(localTimeReader('YYYY/MM/DD HH:mm:ssZ', 'UTC')('2018/01/12 15:54:00+00')?.ms).toBe(Date.UTC(2018, 0, 12, 15, 54));
    expect(localTimeReader('DD.MM.YYYY HH:mm', 'Europe/Oslo')('21.12.2018 10:20')?.ms).toBe(Date.UTC(2018, 11, 21, 9, 20));
    expect(localTimeReader('YYYY-MM-DD HH:mm:ss', 'UTC', 2000)('0014-11-18 15:40:26')?.ms).toBe(Date.UTC(2014, 10, 18, 15, 40, 26));
    expect(localTimeReader('D/M/YYYY H:mm', 'UTC')('8/11/2022 3:33')?.ms).toBe(Date.UTC(2022, 10, 8, 3, 33));
    expect(localTimeReader('YYYY-MM-DDTHH:mm:ss', 'UTC')('2018-11-18T15:40:26')?.ms).toBe(Date.UTC(2018, 10, 18, 15, 40, 26));
  });

  it('refuses a form that names no date', () => {
    expect(() => localTimeReader('HH:mm', 'UTC')).toThrow(/year, month and day/);
    expect(() => localTimeReader('DD DD/MM/YYYY', 'UTC')).toThrow(/each field once/);
  });
});
