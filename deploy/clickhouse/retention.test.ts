import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepRawEvents } from '../../charging/retention.ts';
import { migrate } from '../../runtime/migrations.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';

describe('keepRawEvents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-retention-'));
  const warehouse = new ChdbWarehouse({ folder });
  const database = "db`'s";

  beforeAll(async () => {
    await warehouse.open();
    await migrate(warehouse, { folder: import.meta.dirname, database });
  });

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  it('alters the table when the days change, and only then', async () => {
    expect(await keepRawEvents(warehouse, database, null)).toBe('unchanged');
    expect(await keepRawEvents(warehouse, database, 400)).toBe('changed');
    expect(await keepRawEvents(warehouse, database, 400)).toBe('unchanged');
    expect(await keepRawEvents(warehouse, database, 30)).toBe('changed');
    expect(await keepRawEvents(warehouse, database, null)).toBe('changed');
    expect(await keepRawEvents(warehouse, database, null)).toBe('unchanged');
    for (const days of [0, -1, 1.5, NaN]) await expect(keepRawEvents(warehouse, database, days)).rejects.toThrow(RangeError);
  });

  it('lets old events go, and keeps those that are younger or lie in the far future', async () => {
    await keepRawEvents(warehouse, database, 400);
    const table = '`db\\`\'s`.charging_events';
    for (const time of ["'2015-03-01 00:00:00'", 'now64(3)', "'2190-01-01 00:00:00'"]) {
      await warehouse.command(`INSERT INTO ${table} (station_id, event_time, topic, offset) SELECT 's', ${time}, 't', 1`);
    }
    await warehouse.command(`OPTIMIZE TABLE ${table} FINAL`);
    expect(await warehouse.query(`SELECT count() AS n, toString(min(event_time) > now() - INTERVAL 1 DAY) AS recent FROM ${table}`)).toEqual([{ n: '2', recent: '1' }]);
  });
});
