import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../runtime/migrations.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';

describe('search_events', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-search-'));
  const warehouse = new ChdbWarehouse({ folder });

  beforeAll(async () => {
    await warehouse.open();
    await migrate(warehouse, { folder: import.meta.dirname, database: 'db' });
    // Two parts, the second with the first one's event 3 again: a rewind made it anew.
    for (const [from, count] of [[0, 4000], [3, 1]] as const) {
      await warehouse.command(`
        INSERT INTO db.charging_events (station_id, event_time, topic, partition, offset, event_id, type, evse_id, connector_id, timestamp_ms, offline,
          transaction_id, id_token, error_code, edition, _version, _batch)
        SELECT concat('s', toString(number % 7)), toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + number, 'charging.events', 0, number, concat('e-', toString(number)),
          'TransactionUpdated', 1, 1, 0, false, concat('tx-', toString(intDiv(number, 10))), concat('RFID-', toString(number % 20)),
          if(number % 50 = 3, 'Vendor: GroundFailure, relay 7', NULL), 0, ${from}, 'b' FROM numbers(${from}, ${count})`);
    }
  });

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  async function found(word: string, since = '2026-03-01 00:00:00', before = '2026-04-01 00:00:00'): Promise<readonly number[]> {
    const rows = await warehouse.query<{ readonly offset: string }>(
      `SELECT offset FROM db.search_events(word = '${word}', since = '${since}', before = '${before}')`,
    );
    return rows.map(({ offset }) => Number(offset));
  }
  const all = Array.from({ length: 4000 }, (_, number) => number).reverse();

  it('finds tokens, transactions and events by their whole id, newest first', async () => {
    expect(await found('RFID-7')).toEqual(all.filter((number) => number % 20 === 7).slice(0, 100));
    expect(await found('tx-12')).toEqual([129, 128, 127, 126, 125, 124, 123, 122, 121, 120]);
    expect(await found('e-3999')).toEqual([3999]);
    for (const none of ['RFID', 'rfid-7', 'tx-', '', 'Vendor: GroundFailure, relay 7x']) expect(await found(none)).toEqual([]);
  });

  it('finds words of errors in any case, all of those that are given, and each event once', async () => {
    const errors = all.filter((number) => number % 50 === 3);
    for (const words of ['groundfailure', 'GROUNDFAILURE', 'relay 7', 'vendor']) expect(await found(words)).toEqual(errors);
    expect(await found('relay 8')).toEqual([]);
  });

  it('keeps to the span of time', async () => {
    expect(await found('RFID-7', '2026-03-01 00:03:27', '2026-03-01 00:03:47')).toEqual([207]);
    expect(await found('groundfailure', '2026-03-01 00:00:00', '2026-03-01 00:00:53')).toEqual([3]);
  });
});
