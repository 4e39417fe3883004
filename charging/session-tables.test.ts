import { describe, expect, it } from 'vitest';
import type { ColumnType, ColumnValue } from './engine.ts';
import { priceSession, withoutCost } from './cost/price-session.ts';
import { plainTariff } from './cost/testing/arbitraries.ts';
import { liveSessionsTable, liveTableRow, sessionsTable, sessionTableRow } from './session-tables.ts';
import { hours, minutes, ten } from './testing/events.ts';
import { finalRow, liveRow } from './testing/session-rows.ts';

const unpriced = withoutCost({ tariffId: null, currency: null }, 'no-tariff');
const vehicle = { model: 'Zoe', vehicleClass: 'car', batteryWh: 41_000, acPowerMaxW: 22_000, dcPowerMaxW: null, chargeCurve: [], validFromMs: 0 };

/** Each column of the table has a value in the row, and nothing else does. */
function wantComplete(table: { readonly columns: Readonly<Record<string, ColumnType>> }, row: Readonly<Record<string, ColumnValue>>): void {
  expect(Object.keys(row).sort()).toEqual(Object.keys(table.columns).sort());
  expect(Object.values(row)).not.toContain(undefined);
}

describe('a row of charging_sessions', () => {
  it('has a value for each column, whatever is unknown', () => {
    const session = finalRow({
      siteId: null, city: null, country: null, operator: null, timeZone: null, stopMs: null, energyWh: null, chargingMs: null, stopReason: null, current: null,
    });
    const row = sessionTableRow({ session, vehicle: null, cost: unpriced });
    wantComplete(sessionsTable('db'), row);
    expect(row).toMatchObject({ site_id: '', time_zone: '', stop_time: null, energy_wh: null, utc_offset_seconds: 0, successful: false, vehicle_class: null, cost_minor: null, cost_flags: ['no-tariff'] });
  });

  it('has the parts of its cost, the class of its vehicle and the site’s clock', () => {
    const session = finalRow({ tariffId: 't', vehicleModel: 'Zoe' });
    const { startMs, stopMs, metering } = session;
    const cost = priceSession({ startMs, stopMs, timeZone: 'UTC', ...metering }, { ...plainTariff, startFeeMicro: 1_000_000, energyPerKwhMicro: 300_000 });
    const row = sessionTableRow({ session, vehicle, cost });
    wantComplete(sessionsTable('db'), row);
    expect(row).toMatchObject({
      opened_time: ten, start_time: ten, stop_time: ten + hours(1), utc_offset_seconds: 3600, successful: true, tariff_id: 't', currency: 'EUR',
      cost_minor: 400, start_fee_minor: 100, energy_cost_minor: 300, charging_cost_minor: 0, idle_cost_minor: 0, vehicle_class: 'car', vehicle_battery_wh: 41_000,
    });
  });

  it('lies by its first event, wherever a revision moves its start', () => {
    const moved = sessionTableRow({ session: finalRow({ openedMs: ten, startMs: ten - hours(24 * 40) }), vehicle: null, cost: unpriced });
    expect(sessionsTable('db').partitionOf(moved)).toBe('201805');
  });

  it('takes times that no table can hold', () => {
    const row = sessionTableRow({ session: finalRow({ openedMs: -5, startMs: -5, stopMs: Date.UTC(2400, 0, 1) }), vehicle: null, cost: unpriced });
    wantComplete(sessionsTable('db'), row);
    expect(row).toMatchObject({ opened_time: 0, start_time: 0, stop_time: Date.UTC(2200, 0, 1) });
  });
});

describe('a row of live_sessions', () => {
  it('is open while the session runs, and says until when it is', () => {
    const row = liveTableRow({ session: liveRow(), vehicle, cost: unpriced }, 's1', ten + minutes(5));
    wantComplete(liveSessionsTable('db'), row);
    expect(row).toMatchObject({ open: true, stop_time: null, closed_by: 'None', updated_time: ten + minutes(5), vehicle_class: 'car' });
  });

  it('is closed by the final row', () => {
    expect(liveTableRow({ session: finalRow(), vehicle: null, cost: unpriced }, 's1', ten + hours(2))).toMatchObject({ open: false, stop_time: ten + hours(1) });
  });
});
