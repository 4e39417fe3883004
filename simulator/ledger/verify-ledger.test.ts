import { describe, expect, it } from 'vitest';
import { askFor, at, rightAnswers, smallBook } from './testing/small-network.ts';
import type { Answers } from './testing/small-network.ts';
import { verdictText, verifyLedger } from './verify-ledger.ts';
import type { LedgerVerdict } from './verify-ledger.ts';

function judged(answers: Partial<Answers> = {}): Promise<LedgerVerdict> {
  return verifyLedger(smallBook(), 'd', askFor({ ...rightAnswers, ...answers }));
}

type Table = keyof Answers;
/** The right rows of a table, with the one at a place changed; or left out, or said twice. */
function planted<Name extends Table>(table: Name, place: number, change: (row: Answers[Name][number]) => readonly object[]): Partial<Answers> {
  const rows = rightAnswers[table] as readonly Answers[Name][number][];
  return { [table]: rows.flatMap((row, index) => (index === place ? change(row) : [row])) };
}

/** What was found, table and example, without what follows of it in the books. */
async function found(answers: Partial<Answers>): Promise<readonly string[]> {
  return (await judged(answers)).tables.filter(({ table }) => !table.startsWith('energy of hours')).flatMap(({ table, examples }) => examples.map((example) => `${table}: ${example}`));
}

describe('verification against the ledger', () => {
  it('finds nothing where all is as it should be, and says what faults have left unknowable', async () => {
    const verdict = await judged();
    expect(verdict.tables.flatMap(({ examples }) => examples)).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, sessions: 4, lost: 0, duplicated: 0, wrong: 0 });
    const of = (name: string) => verdict.tables.find(({ table }) => table === name);
    // Of the register that began again nobody knows how much; the hours of it and of the false clock are known in sum only.
    expect(of('charging_sessions')).toMatchObject({ compared: 4, notKnowable: 1 });
    expect(of('station_hours')).toMatchObject({ compared: 3, notKnowable: 2 });
    expect(of('connector_status')).toMatchObject({ compared: 2, notKnowable: 2 });
    expect(of('charging_visits')).toMatchObject({ compared: 2, notKnowable: 2 });
    expect(verdictText(verdict)).toContain('As the ledger says: 4 sessions; 0 lost, 0 duplicated, 0 wrong');
  });

  it.each<readonly [string, Partial<Answers>, string]>([
    ['a lost session', planted('charging_sessions', 0, () => []), 'charging_sessions: lost: s-1/1-1'],
    ['a lost session that a fault has touched', planted('charging_sessions', 1, () => []), 'charging_sessions: lost: s-1/1-2 (lost-stop)'],
    ['a session said twice', planted('charging_sessions', 0, (row) => [row, row]), 'charging_sessions: duplicated: s-1/1-1 has another row'],
    ['a session that never was', planted('charging_sessions', 0, (row) => [row, { ...row, id: 's-1/9-9' }]), 'charging_sessions: duplicated: s-1/9-9 never was'],
    ['a start that is a millisecond off', planted('charging_sessions', 0, (row) => [{ ...row, start: row.start + 1 }]),
      `charging_sessions: wrong: s-1/1-1: start ${at('01:00') + 1}, not ${at('01:00')}`],
    ['a stop that is not when the connector became free', planted('charging_sessions', 1, (row) => [{ ...row, stop: at('03:30') }]),
      `charging_sessions: wrong: s-1/1-2 (lost-stop): stop ${at('03:30')}, not ${at('04:00')}`],
    ['energy that is 1 mWh off', planted('charging_sessions', 0, (row) => [{ ...row, wh: 10_000.001 }]), 'charging_sessions: wrong: s-1/1-1: energy 10000.001, not 10000'],
    ['energy guessed beyond what was told', planted('charging_sessions', 1, (row) => [{ ...row, wh: 12_000 }]), 'charging_sessions: wrong: s-1/1-2 (lost-stop): energy 12000, not 6000'],
    ['more energy than was drawn', planted('charging_sessions', 3, (row) => [{ ...row, wh: 6_001 }]),
      'charging_sessions: wrong: s-1/1-4 (meter-reset): energy 6001, not from 0 to 6000, or unknown'],
    ['another connector', planted('charging_sessions', 0, (row) => [{ ...row, evse: 2 }]), 'charging_sessions: wrong: s-1/1-1: evse 2, not 1'],
    ['another token', planted('charging_sessions', 0, (row) => [{ ...row, token: 'token-2' }]), 'charging_sessions: wrong: s-1/1-1: token "token-2", not "token-1"'],
    ['a missing flag', planted('charging_sessions', 2, (row) => [{ ...row, flags: [] }]), 'charging_sessions: wrong: s-1/1-3 (clock-1970): no flag clock-replaced among []'],
    ['a flag without a reason', planted('charging_sessions', 0, (row) => [{ ...row, flags: ['duplicate', 'partial-energy'] }]),
      'charging_sessions: wrong: s-1/1-1: flag duplicate, partial-energy without a reason'],
    ['an event that was not counted', planted('charging_sessions', 0, (row) => [{ ...row, events: 2 }]), 'charging_sessions: wrong: s-1/1-1: events 2, not 3'],
    ['a lost hour', planted('station_hours', 0, () => []), 'station_hours: lost: s-1 2025-01-01T01:00'],
    ['an hour said twice', planted('station_hours', 0, (row) => [row, row]), 'station_hours: duplicated: s-1 2025-01-01T01:00 has another row'],
    ['an hour with energy of its neighbour', planted('station_hours', 0, (row) => [{ ...row, milliWh: 9_000_000 }]),
      'station_hours: wrong: s-1 2025-01-01T01:00: energy 9000000 mWh, not 10000000'],
    ['an hour occupied too long', planted('station_hours', 0, (row) => [{ ...row, occupied: 3_000_001 }]), 'station_hours: wrong: s-1 2025-01-01T01:00: occupied 3000001 ms, not 3000000'],
    ['a session that two hours count', planted('station_hours', 2, (row) => [{ ...row, started: 1 }]), 'station_hours: wrong: s-1 2025-01-01T04:00: 1 sessions started, not 0'],
    ['a minute with energy of its neighbour', planted('station_hours', 0, (row) => [{ ...row, minutes: row.minutes.map((milliWh, minute) => (minute === 0 ? 0 : minute === 1 ? 400_000 : milliWh)) }]),
      'station_minutes: wrong: s-1 2025-01-01T01:00: energy 0 mWh, not 200000'],
    ['a lost status', planted('connector_status', 0, () => []), 'connector_status: lost: s-1/1.1 Occupied from 2025-01-01T00:59:50.000Z to 2025-01-01T01:50:00.000Z'],
    ['another status', planted('connector_status', 1, (row) => [{ ...row, status: 'Faulted' }]),
      'connector_status: wrong: s-1/1.1 Available from 2025-01-01T01:50:00.000Z to 2025-01-01T02:59:50.000Z is Faulted until 2025-01-01T02:59:50.000Z'],
    ['a status within another', planted('connector_status', 0, (row) => [row, { ...row, from: at('01:10'), to: at('01:11'), status: 'Faulted' }]),
      `connector_status: duplicated: s-1/1.1@${at('01:10')} Faulted until 2025-01-01T01:11:00.000Z beside s-1/1.1 Occupied from 2025-01-01T00:59:50.000Z to 2025-01-01T01:50:00.000Z`],
    ['a session in no visit', planted('charging_visits', 3, () => []), 'charging_visits: lost: s-1/1-4 is in no visit'],
    ['a session in two visits', planted('charging_visits', 0, (row) => [row, { ...row, id: 's-1/1-0' }]), 'charging_visits: duplicated: s-1/1-1 is in the visits s-1/1-1 and s-1/1-0'],
    ['a visit with other energy', planted('charging_visits', 0, (row) => [{ ...row, wh: 9_999 }]), 'charging_visits: wrong: s-1/1-1: energy 9999, not 10000'],
    ['a lost event', planted('charging_events', 0, (row) => [{ ...row, rows: 20, ids: 19 }]), 'charging_events: lost: 1 of 20 events of s-1'],
    ['an event said twice', planted('charging_events', 0, (row) => [{ ...row, rows: 22 }]), 'charging_events: duplicated: 1 events of s-1'],
    ['a missing dead letter', { dead_letters: [] }, `dead_letters: lost: the letter of s-1 ${at('01:20:01')}`],
    ['a dead letter said twice', planted('dead_letters', 0, (row) => [{ ...row, rows: 2 }]), `dead_letters: duplicated: 1 letters of s-1 ${at('01:20:01')} (DESERIALISATION_FAILED)`],
    ['a sound record among the dead letters', planted('dead_letters', 0, (row) => [row, { ...row, time: 1 }]), 'dead_letters: duplicated: 1 letters of s-1 1 (DESERIALISATION_FAILED)'],
    ['a version of a station that was lost', { station_versions: [] }, 'station_versions: lost: s-1 as of 2025-01-01T06:00:00.000Z'],
    ['a record that was taken for late', { late_records: [{ station: 's-1', step: 'sessions', event: 's-1/3', time: at('01:10'), milliWh: 0 }] }, 'late_records: wrong: s-1/3 is late for sessions'],
  ])('finds %s, by its name', async (_, answers, example) => {
    expect(await found(answers)).toContain(example);
    expect((await judged(answers)).ok).toBe(false);
  });

  it('takes a register that was reset for one that has rolled over, where the row says so, as far as a connector can give what was left to its end', async () => {
    const wrong = async (wh: number): Promise<readonly string[]> =>
      found(planted('charging_sessions', 3, (row) => [{ ...row, wh, flags: ['register-rolled-over'] }]));
    // Ten minutes between two readings, and two for clocks, at 1 MW.
    expect(await wrong(6_000 + 200_000)).toEqual([]);
    expect(await wrong(6_000 + 200_001)).toEqual(['charging_sessions: wrong: s-1/1-4 (meter-reset): energy 206001, not from 0 to 206000, or unknown']);
  });

  it('balances the books where the course is not known: hours and late records have what the sessions have', async () => {
    const verdict = await judged(planted('station_hours', 4, (row) => [{ ...row, milliWh: row.milliWh + 1 }]));
    expect(verdict.tables.flatMap(({ examples }) => examples)).toEqual(['wrong: s-1: 26000001 mWh in hours and 0 late, its sessions have 26000000', 'wrong: s-1: 26000000 mWh in days, 26000001 in hours']);
  });
});
