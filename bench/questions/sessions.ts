import { chance, countries } from './network.ts';
import type { NetworkOptions } from './network.ts';

/**
 * Sessions of the made-up network, in slots: each connector has one session a slot, so that none overlap. Times of day, stays, energy,
 * prices, failures, flags and revisions are drawn by hash.
 */
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The local hours in which people plug in, by how often. */
const startHours = [0, 1, 5, 6, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 10, 10, 11, 11, 12, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 16, 17, 17, 17, 17, 18, 18, 18, 18, 19, 19, 20, 20, 21, 22, 23];
const stops = ['Local', 'EVDisconnected', 'EVDisconnected', 'Remote', 'SOCLimitReached', 'Timeout', 'EmergencyStop'];
const flags = ['missing-start', 'register-reset', 'sequence-gap', 'clock', 'duplicate-start', 'register-rolled-over'];
const models = ['VW ID.3', 'Tesla Model 3', 'Renault Zoe', 'Nissan Leaf', 'BMW i3', 'Hyundai Kona', 'Kia EV6', 'Polestar 2'];
const listed = (values: readonly string[]): string => `[${values.map((value) => `'${value}'`).join(', ')}]`;

export interface SlotPlan {
  readonly fromMs: number;
  readonly slotMs: number;
  readonly slots: number;
  readonly connectors: number;
}

export function slotPlan(options: NetworkOptions, connectors: number): SlotPlan {
  const slots = Math.ceil(options.sessions / connectors);
  const spanMs = options.years * 365.25 * dayMs;
  const fromMs = Math.floor((options.untilMs - spanMs) / dayMs) * dayMs;
  return { fromMs, slotMs: Math.floor((options.untilMs + dayMs - fromMs) / slots), slots, connectors };
}

/** When session `of` began, by the clock at its site. */
function localMs({ fromMs, slotMs, connectors }: SlotPlan, of: string): string {
  const dayChoices = Math.max(1, Math.floor(slotMs / dayMs));
  const hour = `${JSON.stringify(startHours)}[1 + toUInt32(${startHours.length} * ${chance(of, 12)})]`;
  return `(intDiv(${fromMs} + intDiv(${of}, ${connectors}) * ${slotMs}, ${dayMs}) * ${dayMs} + toUInt32(${dayChoices} * ${chance(of, 11)}) * ${dayMs}
        + ${hour} * ${hourMs} + toUInt32(${hourMs} * ${chance(of, 13)}))`;
}

const utcMs = (local: string): string =>
  `(toInt64(${local}) - 1000 * multiIf(${countries.map(({ zone }) => `time_zone = '${zone}', timeZoneOffset(toDateTime(intDiv(${local}, 1000), '${zone}'))`).join(', ')}, 0))`;

/** Facts of sessions `first` to `first + count`, in columns that the tables' rows are made of. Times in UTC milliseconds. */
export function sessionFacts(plan: SlotPlan, first: number, count: number, untilMs: number): string {
  const { connectors } = plan;
  const powerShare = 'if(fast, 0.55, 0.8)';
  return `
    SELECT
      c.*, s.number AS n, ${localMs(plan, 'n')} AS local_ms, ${utcMs('local_ms')} AS start_ms, ${localMs(plan, `(n + ${connectors})`)} AS next_local_ms,
      least(${utcMs('next_local_ms')}, ${untilMs}) AS next_start_ms,
      least(toInt64(if(fast, 600000 + 2700000 * ${chance('n', 14)}, least(1200000 - log(1 - ${chance('n', 14)}) * 9000000, 64800000))), greatest(next_start_ms - start_ms, 60000)) AS stay_ms,
      ${chance('n', 15)} < 0.04 AS failed,
      round(if(failed, 0, least(if(fast, 8000 + 50000 * ${chance('n', 16)}, 3000 + 40000 * ${chance('n', 16)}), power_w * ${powerShare} * toFloat64(stay_ms) / ${hourMs}))) AS energy,
      toInt64(if(failed, 0, least(toFloat64(stay_ms), energy / (power_w * ${powerShare}) * ${hourMs}))) AS flow_ms,
      ${chance('n', 17)} AS luck
    FROM numbers(${first}, ${count}) AS s INNER JOIN bench.connectors AS c ON c.connector = s.number % ${connectors}
    WHERE start_ms + stay_ms < ${untilMs}`;
}

const time = (ms: string): string => `fromUnixTimestamp64Milli(toInt64(${ms}), 'UTC')`;

/** Columns of `charging_sessions`, from the facts. `revision` 1 says: 200 Wh less, a flag more. */
export function sessionColumns(revision: 0 | 1): Readonly<Record<string, string>> {
  const wh = revision === 0 ? 'energy' : 'greatest(0, energy - 200)';
  return {
    station_id: 'station_id', opened_time: time('start_ms'), session_id: `concat(station_id, '/tx-', toString(n))`, revision: `${revision}`,
    start_time: time('start_ms'), stop_time: time('start_ms + stay_ms'), utc_offset_seconds: 'intDiv(toInt64(local_ms) - start_ms, 1000)',
    complete: 'luck > 0.03', closed_by: `multiIf(luck > 0.03, 'TransactionEnded', luck > 0.015, 'NextStart', 'Inactivity')`,
    evse_id: 'evse_id', connector_id: '1', transaction_id: `concat('tx-', toString(n))`,
    id_token: `if(${chance('n', 18)} < 0.1, NULL, concat('token-', toString(toUInt32(pow(${chance('n', 19)}, 2) * 200000))))`,
    site_id: 'site_id', city: 'city', region: 'region', country: 'country', operator: 'operator', time_zone: 'time_zone',
    connector_standard: 'standard', current: `if(fast, 'DC', 'AC')`, power_max_w: 'power_w',
    partner: `if(${chance('n', 20)} < 0.7, NULL, concat('partner-', toString(toUInt32(${chance('n', 21)} * 12))))`,
    vehicle_model: `if(${chance('n', 22)} < 0.5, NULL, ${listed(models)}[1 + toUInt32(${models.length} * ${chance('n', 23)})])`,
    vehicle_class: `if(${chance('n', 22)} < 0.5, NULL, 'car')`, vehicle_battery_wh: `if(${chance('n', 22)} < 0.5, NULL, 58000)`,
    energy_wh: `if(luck < 0.01, NULL, ${wh})`, register_wh: `if(luck < 0.01, NULL, ${wh})`, export_wh: 'NULL',
    charging_ms: 'if(luck < 0.01, NULL, flow_ms)', idle_ms: 'if(luck < 0.01, NULL, stay_ms - flow_ms)',
    mean_power_w: `if(luck < 0.01 OR flow_ms = 0, NULL, ${wh} / flow_ms * ${hourMs})`, peak_power_w: 'if(luck < 0.01 OR flow_ms = 0, NULL, power_w * 0.9)',
    soc_from: 'if(fast, floor(10 + 40 * luck), NULL)', soc_to: 'if(fast, floor(60 + 40 * luck), NULL)', successful: 'NOT failed AND luck >= 0.01',
    stop_reason: `${listed(stops)}[1 + toUInt32(${stops.length} * ${chance('n', 24)})]`,
    flags: revision === 1 ? `['late-events']` : `if(luck < 0.05, [${listed(flags)}[1 + toUInt32(${flags.length} * ${chance('n', 25)})]], [])`,
    event_count: 'toUInt32(3 + stay_ms / 300000)', duplicates: 'toUInt32(luck < 0.02)', sequence_gaps: 'toUInt32(luck > 0.99)',
    tariff_id: 'tariff_id', currency: 'currency', cost_minor: `if(luck < 0.01, NULL, toInt64(100 + round(${wh} * 0.045)))`,
    start_fee_minor: '100', energy_cost_minor: `if(luck < 0.01, NULL, toInt64(round(${wh} * 0.045)))`, charging_cost_minor: '0', idle_cost_minor: '0',
    cost_flags: `if(luck < 0.01, ['unknown-energy'], [])`, _version: revision === 0 ? 'n' : `n + ${2 ** 48}`, _batch: `'bench'`,
    _inserted: time(`start_ms + stay_ms + ${revision * hourMs}`),
  };
}

/** Columns of `charging_visits`: nine sessions in ten are visits of their own, each tenth is the second attempt of the one before. */
export const visitColumns: Readonly<Record<string, string>> = {
  site_id: 'site_id', id_token: `concat('token-', toString(toUInt32(pow(${chance('n', 19)}, 2) * 200000)))`, opened_time: time('start_ms'),
  visit_id: `concat(station_id, '/tx-', toString(n))`, station_id: 'station_id', city: 'city', operator: 'operator', start_time: time('start_ms'), stop_time: time('start_ms + stay_ms'),
  attempts: 'if(n % 10 = 0, 2, 1)', successes: 'toUInt32(NOT failed)', successful: 'NOT failed', first_attempt_successful: 'NOT failed AND n % 10 != 0',
  energy_wh: 'energy', session_ids: `[concat(station_id, '/tx-', toString(n))]`, merged_into: 'NULL', _version: 'n', _batch: `'bench'`, _inserted: time('start_ms + stay_ms'),
};

/** Columns of `connector_status`: occupied while a session lasts, then free until the next one; one in two hundred is out of order instead. */
export function statusColumns(occupied: boolean, untilMs: number): Readonly<Record<string, string>> {
  return {
    station_id: 'station_id', evse_id: 'evse_id', connector_id: '1', from_time: time(occupied ? 'start_ms' : 'start_ms + stay_ms'),
    to_time: occupied ? time('start_ms + stay_ms') : `if(next_start_ms < ${untilMs}, ${time('next_start_ms')}, NULL)`,
    status: occupied ? `'Occupied'` : `if(luck > 0.995, 'Faulted', 'Available')`, online: occupied ? 'true' : 'luck < 0.998',
    error_code: occupied ? 'NULL' : `if(luck > 0.995, 'GroundFailure', NULL)`, source: `'transaction'`,
    transaction_id: occupied ? `concat('tx-', toString(n))` : 'NULL', site_id: 'site_id', city: 'city', operator: 'operator', _version: `n * 2 + ${occupied ? 0 : 1}`,
    _batch: `'bench'`, _inserted: time('start_ms + stay_ms'),
  };
}

export function insertSelect(table: string, columns: Readonly<Record<string, string>>, facts: string, where = ''): string {
  const settings = 'max_threads = 1, optimize_on_insert = 0, max_insert_block_size = 100000, min_insert_block_size_rows = 100000, max_partitions_per_insert_block = 1000';
  // Named apart, so that no column of a row is taken for one of the facts.
  const values = Object.entries(columns).map(([name, value]) => `${value} AS \`_${name}\``).join(', ');
  return `INSERT INTO voltstream.${table} (${Object.keys(columns).join(', ')}) SETTINGS ${settings} SELECT ${values} FROM (${facts}) ${where}`;
}
