import type { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { chance } from './network.ts';

const eventsPerInsert = 100_000;
/** Meter values and all; a session of three hours at one reading each quarter of an hour. */
const eventsPerTransaction = 12;
const spanMs = 40 * 86_400_000;

/**
 * Raw events of the last forty days, in the order of time, so that two or three months of partitions are filled: transactions of `stations`
 * stations, tokens of 200,000 drivers, an error in one event of 1,500.
 */
export async function generateEvents(warehouse: ChdbWarehouse, count: number, stations: number, untilMs: number): Promise<void> {
  const stepMs = spanMs / count;
  const columns = 'station_id, event_time, topic, partition, offset, event_id, type, evse_id, connector_id, timestamp_ms, received_ms, transaction_id, seq_no, offline, id_token, ' +
    'meter_wh, power_w, charging_state, error_code, trigger_reason, edition, _version, _batch';
  for (let first = 0; first < count; first += eventsPerInsert) {
    // The events of 3,000 transactions come in turns.
    await warehouse.command(`INSERT INTO voltstream.charging_events (${columns})
      SETTINGS max_threads = 1, optimize_on_insert = 0, max_insert_block_size = ${eventsPerInsert}, min_insert_block_size_rows = ${eventsPerInsert}, max_partitions_per_insert_block = 1000
      WITH intDiv(number, 36000) * 3000 + number % 3000 AS transaction, toInt64(${untilMs - spanMs} + number * ${stepMs}) AS ms
      SELECT concat('station-', leftPad(toString(intHash64(transaction) % ${stations}), 5, '0')), fromUnixTimestamp64Milli(ms, 'UTC'), 'charging.events', number % 4, number,
        hex(sipHash128(number)), 'TransactionUpdated', 1, 1, ms, ms + 300, concat('tx-', toString(transaction)), intDiv(number, 3000) % ${eventsPerTransaction}, false,
        concat('token-', toString(toUInt32(pow(${chance('transaction', 19)}, 2) * 200000))), toFloat64(number % 90000), toFloat64(7000 + number % 313), 'Charging',
        if(number % 1500 = 7, ['GroundFailure', 'EVCommunicationError', 'Vendor 17: OverTemperature of cable'][1 + intDiv(number, 1500) % 3], NULL), 'MeterValuePeriodic', 0, number, 'bench'
      FROM numbers(${first}, ${Math.min(eventsPerInsert, count - first)})`);
  }
  await warehouse.command('SYSTEM START MERGES voltstream.charging_events');
  await warehouse.command('OPTIMIZE TABLE voltstream.charging_events FINAL');
  await warehouse.command('SYSTEM STOP MERGES voltstream.charging_events');
}
