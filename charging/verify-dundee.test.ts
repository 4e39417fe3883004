import { beforeAll, describe, expect, it } from 'vitest';
import { readDundee, verificationText, verifyDundee } from './verify-dundee.ts';
import type { DundeeRow, SessionAnswer } from './verify-dundee.ts';

let rows: readonly DundeeRow[];
let right: readonly SessionAnswer[];

beforeAll(async () => {
  rows = await readDundee();
  right = rows.filter((row) => row.rowClass !== 'no-charge-point').map(answer);
});

/** The session that a right run gives for a row. */
function answer(row: DundeeRow): SessionAnswer {
  const flags = {
    'no-stop': ['missing-stop'], 'stop-before-start': ['stop-before-start'], 'negative-energy': ['negative-energy'],
  }[row.rowClass as string] ?? [];
  return {
    session_id: `${row.stationId}/${row.id}`, station_id: row.stationId, connector_id: row.connectorId, transaction_id: row.id,
    start_ms: String(row.startMs), stop_ms: row.stopMs === null ? null : String(row.stopMs),
    energy_wh: row.energyWh !== null && row.energyWh < 0 ? null : row.energyWh, register_wh: row.energyWh, flags,
  };
}

/** The right answers, with those of the first sound row (or another class) replaced. */
function with_(change: (one: SessionAnswer) => readonly SessionAnswer[], rowClass: DundeeRow['rowClass'] = 'sound'): readonly SessionAnswer[] {
  const id = rows.find((row) => row.rowClass === rowClass)?.id;
  return right.flatMap((one) => (one.transaction_id === id ? change(one) : [one]));
}

describe('verifyDundee', () => {
  it('puts each of the 67,112 rows into one class', () => {
    const counts = Object.fromEntries([...Map.groupBy(rows, (row) => row.rowClass)].map(([name, list]) => [name, list.length]));
    expect(counts).toEqual({
      'no-charge-point': 2, 'no-stop': 327, 'stop-before-start': 3, 'clock-change': 3, 'negative-energy': 29, overlap: 84, sound: 66_664,
    });
    expect(rows.length).toBe(67_112);
  });

  it('is content with the right sessions, in any order, and with sessions of other stations', async () => {
    const stranger = { ...answer(rows.find((row) => row.rowClass === 'sound') as DundeeRow), station_id: 'simulated-1', transaction_id: 'x' };
    const result = await verifyDundee([stranger, ...[...right].reverse()], rows);
    expect(result).toMatchObject({ ok: true, rows: 67_112, sessions: 67_110, mismatchCount: 0 });
    const sum = result.classes.reduce((total, one) => total + one.exact + one.accounted + one.wrong, 0);
    expect(sum).toBe(67_112);
    expect(verificationText(result)).toContain('Every row is accounted for.');
  });

  it.each([
    ['a session is lost', () => [], { what: 'session', wanted: 'one', got: 'none' }],
    ['a session is there twice', (one: SessionAnswer) => [one, one], { what: 'sessions', wanted: '1', got: 'more than 1' }],
    ['an energy is off by 1 Wh', (one: SessionAnswer) => [{ ...one, energy_wh: Number(one.energy_wh) + 1 }], { what: 'energyWh' }],
    ['an energy is missing', (one: SessionAnswer) => [{ ...one, energy_wh: null }], { what: 'energyWh', got: 'null' }],
    ['a start is off by a minute', (one: SessionAnswer) => [{ ...one, start_ms: Number(one.start_ms) - 60_000 }], { what: 'startMs' }],
    ['a stop is off by a minute', (one: SessionAnswer) => [{ ...one, stop_ms: Number(one.stop_ms) + 60_000 }], { what: 'stopMs' }],
    ['a session is at another connector', (one: SessionAnswer) => [{ ...one, connector_id: one.connector_id + 1 }], { what: 'connector' }],
    ['a session is nobody’s', (one: SessionAnswer) => [one, { ...one, transaction_id: 'x' }], { rowClass: 'unknown', what: 'session' }],
  ])('says so when %s', async (_name, change, wanted) => {
    const result = await verifyDundee(with_(change), rows);
    expect(result.ok).toBe(false);
    expect(result.mismatches).toEqual([expect.objectContaining(wanted)]);
    expect(verificationText(result)).toContain('Not every row is accounted for.');
  });

  it.each([['no-stop', 'missing-stop'], ['negative-energy', 'negative-energy'], ['stop-before-start', 'stop-before-start']] as const)(
    'wants a broken row (%s) to be flagged', async (rowClass, flag) => {
      const result = await verifyDundee(with_((one) => [{ ...one, flags: one.flags.filter((name) => name !== flag) }], rowClass), rows);
      expect(result.mismatches).toMatchObject([{ rowClass }]);
    },
  );

  it('takes an energy that is not believed for flagged when the register says it, and for wrong when it does not', async () => {
    const unbelieved = (one: SessionAnswer): SessionAnswer => ({ ...one, energy_wh: null, flags: ['implausible-energy'] });
    const result = await verifyDundee(with_((one) => [unbelieved(one)]), rows);
    expect(result.ok).toBe(true);
    expect(result.classes.find(({ rowClass }) => rowClass === 'sound')).toMatchObject({ accounted: 1, wrong: 0 });
    const off = await verifyDundee(with_((one) => [{ ...unbelieved(one), register_wh: 1 }]), rows);
    expect(off.mismatches).toMatchObject([{ rowClass: 'sound', what: 'registerWh', got: '1' }]);
  });

  it('shows the first mismatches and how many more there are', async () => {
    const result = await verifyDundee([], rows);
    expect(result).toMatchObject({ ok: false, mismatchCount: 67_110 });
    expect(verificationText(result)).toContain('and 67090 more');
  });
});
