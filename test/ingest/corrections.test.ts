import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogLine } from './log-run.ts';
import { LogRun, LogRunPlace } from './log-run.ts';

const minute = 60_000;
const hour = 60 * minute;
const fromMs = Date.UTC(2024, 4, 1, 8);

const first: readonly LogLine[] = [
  { id: 1, station: 'a', connector: 1, startMs: fromMs, stopMs: fromMs + 2 * hour, energyWh: 9_000 },
  { id: 2, station: 'a', connector: 1, startMs: fromMs + 3 * hour, stopMs: fromMs + 5 * hour, energyWh: 12_345 },
  { id: 3, station: 'a', connector: 1, startMs: fromMs + 6 * hour, stopMs: fromMs + 7 * hour, energyWh: 3_000 },
];

describe('a corrected row of a session log', () => {
  const place = new LogRunPlace();
  let run: LogRun;
  beforeAll(() => place.registry.open());
  beforeEach(async () => { run = await LogRun.open(place); });
  afterAll(() => place.close());

  it.each<[string, Partial<LogLine>]>([
    ['is shorter', { stopMs: fromMs + 4 * hour }], ['is longer', { stopMs: fromMs + 5.5 * hour }], ['has less energy', { energyWh: 4_321 }],
    ['has more energy', { energyWh: 20_000 }], ['has none', { energyWh: 0 }], ['starts later', { startMs: fromMs + 3.5 * hour }],
    ['starts earlier', { startMs: fromMs + 2.25 * hour }], ['was on another outlet', { connector: 2 }],
  ])('that %s replaces its session by one revision, and its load, exactly', async (_what, change) => {
    await run.ingest([first]);
    const corrected = first.map((line) => (line.id === 2 ? { ...line, ...change } : line));
    expect(await run.ingest([corrected])).toMatchObject({ added: 0, corrected: 1, unchanged: 2, late: { corrected: 0 } });
    const wanted = await LogRun.open(place);
    await wanted.ingest([corrected]);
    const [got, alone] = [await run.product(), await wanted.product()];
    await wanted.close();
    const sessions = got.sessions.filter((row) => row.session_id === 'a/2');
    expect(sessions.map((row) => row.revision)).toEqual([0, 1]);
    const { revision: _revision, flags, opened_time: _opened, duplicates: _duplicates, ...row } = sessions[1] as (typeof sessions)[number];
    const last = alone.sessions.findLast((one) => one.session_id === 'a/2') as (typeof sessions)[number];
    expect(last).toMatchObject(row);
    expect(flags).toEqual([...(last.flags as string[]), 'corrected'].sort());
    expect(got.sessions.filter((one) => one.session_id !== 'a/2').every((one) => one.revision === 0)).toBe(true);
    // The hours themselves are those of the corrected file: none of it came late.
    expect(got.late).toEqual([]);
    expect(got.hours).toEqual(alone.hours);
    expect(got.loadMilliWh).toBe(got.sessionMilliWh);
  });

  it('that never stops is closed once time has gone on, with nothing in between', async () => {
    await run.ingest([first]);
    await run.ingest([first.map((line) => (line.id === 2 ? { ...line, stopMs: null, energyWh: null } : line))]);
    const { sessions, loadMilliWh, sessionMilliWh } = await run.product();
    const own = sessions.filter((row) => row.session_id === 'a/2');
    // The connector is still known to have been free when the row first said so.
    expect(own.map((row) => [row.revision, row.closed_by, row.energy_wh])).toEqual([[0, 'TransactionEnded', 12_345], [1, 'StatusAvailable', null]]);
    expect(own[1]?.flags).toEqual(['corrected', 'missing-energy', 'missing-stop']);
    expect(loadMilliWh).toBe(sessionMilliWh);
  });

  it('that moves its session by days takes back late what it said first', async () => {
    await run.ingest([first]);
    await run.ingest([first.map((line) => (line.id === 2 ? { ...line, startMs: fromMs + 51 * hour, stopMs: fromMs + 52 * hour } : line))]);
    const { sessions, loadMilliWh, lateMilliWh, sessionMilliWh } = await run.product();
    expect(sessions.findLast((row) => row.session_id === 'a/2')).toMatchObject({ revision: 1, start_time: fromMs + 51 * hour, energy_wh: 12_345 });
    expect(lateMilliWh).toBe(-12_345_000);
    expect(loadMilliWh + lateMilliWh).toBe(sessionMilliWh);
  });

  it('that comes after its hours are closed is balanced by late energy', async () => {
    const later: LogLine = { id: 4, station: 'a', connector: 1, startMs: fromMs + 100 * hour, stopMs: fromMs + 101 * hour, energyWh: 1_000 };
    await run.ingest([[...first, later]]);
    await run.ingest([[...first.map((line) => (line.id === 2 ? { ...line, energyWh: 345 } : line)), later]]);
    const { loadMilliWh, lateMilliWh, sessionMilliWh } = await run.product();
    expect(sessionMilliWh).toBe(9_000_000 + 345_000 + 3_000_000 + 1_000_000);
    expect(lateMilliWh).toBe(345_000 - 12_345_000);
    expect(loadMilliWh + lateMilliWh).toBe(sessionMilliWh);
  });
});
