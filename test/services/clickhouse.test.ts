import { fileURLToPath } from 'node:url';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate, readMigrations } from '../../runtime/migrations.ts';
import { PieceDelivery } from '../../runtime/sinks/clickhouse/delivery.ts';
import { sealedPiece } from '../../runtime/sinks/clickhouse/sealed-piece.ts';
import { ServerWarehouse } from '../../runtime/sinks/clickhouse/server-warehouse.ts';
import { warehouseContract } from '../../runtime/sinks/clickhouse/warehouse-contract.ts';
import { ClickHouseService } from './clickhouse.ts';

const url = process.env['VOLTSTREAM_TEST_CLICKHOUSE'] ?? '';

/** A real server, where there is one: `npm run services -- clickhouse` on a machine with Docker. */
describe.skipIf(url === '')('the ClickHouse of VOLTSTREAM_TEST_CLICKHOUSE', () => {
  let warehouse: ServerWarehouse;
  beforeAll(async () => {
    warehouse = new ServerWarehouse({ url });
    await warehouse.open();
    await warehouse.command('CREATE DATABASE IF NOT EXISTS voltstream ENGINE = Atomic');
    await warehouse.checkInserts();
  });
  afterAll(() => warehouse.close());
  warehouseContract(() => warehouse);
});

describe('ClickHouse as a local process', () => {
  const service = new ClickHouseService({ stopMerges: true });
  let warehouse: ServerWarehouse;

  beforeAll(async () => {
    await service.start();
    warehouse = new ServerWarehouse({ url: service.url, timeoutMs: 2_000 });
    await warehouse.open();
    await warehouse.command('CREATE DATABASE voltstream ENGINE = Atomic');
  });
  afterAll(async () => {
    await warehouse.close();
    await service.dispose();
  });

  warehouseContract(() => warehouse);

  describe('taking rows as plain types, once inserts have been checked', () => {
    let checked: ServerWarehouse;
    beforeAll(async () => {
      checked = new ServerWarehouse({ url: service.url, timeoutMs: 20_000 });
      await checked.open();
      await checked.checkInserts();
    });
    afterAll(() => checked.close());

    warehouseContract(() => checked);
  });

  it('is migrated to the same end by several processes that start together', async () => {
    const folder = fileURLToPath(new URL('../../deploy/clickhouse', import.meta.url));
    const shipped = (await readMigrations(folder)).map(({ name }) => name);
    const others = [1, 2, 3].map(() => new ServerWarehouse({ url: service.url }));
    const outcomes = await Promise.all([warehouse, ...others].map((each) => migrate(each, { folder, database: 'migrated' })));
    for (const { applied, present } of outcomes) expect([...present, ...applied].toSorted()).toEqual(shipped);
    expect((await migrate(warehouse, { folder, database: 'migrated' })).present).toEqual(shipped);
    await Promise.all(others.map((each) => each.close()));
  });

  describe('with a client of its own', () => {
    it('keeps the settings of an address to their statement', async () => {
      const client = createClient({ url: service.url });
      const threads = async (settings: Record<string, string>): Promise<unknown> =>
        (await client.query({ query: "SELECT getSetting('max_threads') AS n", format: 'JSONEachRow', clickhouse_settings: settings })).json();
      const before = await threads({});
      expect(await threads({ max_threads: '3' })).toEqual([{ n: 3 }]);
      expect(await threads({})).toEqual(before);
      await client.close();
    });

    it('understands compression both ways, parameters, and gives a summary', async () => {
      const client = createClient({ url: service.url, compression: { request: true, response: true } });
      await client.command({ query: 'CREATE OR REPLACE TABLE voltstream.packed (n UInt32) ENGINE = MergeTree ORDER BY n' });
      const { summary } = await client.insert({ table: 'voltstream.packed', values: [{ n: 1 }, { n: 2 }], columns: ['n'], format: 'JSONEachRow' });
      expect(summary).toMatchObject({ elapsed_ns: '0' });
      const answer = await client.query({ query: 'SELECT n FROM voltstream.packed WHERE n > {least:UInt32}', query_params: { least: 1 }, format: 'JSONEachRow' });
      expect(await answer.json()).toEqual([{ n: 2 }]);
      await client.close();
    });

    it('answers errors with code and status as the server does', async () => {
      const answer = await fetch(`${service.url}/?query=${encodeURIComponent('SELECT * FROM voltstream.nothing')}`, { method: 'POST' });
      expect(answer.status).toBe(404);
      expect(answer.headers.get('x-clickhouse-exception-code')).toBe('60');
      expect(await answer.text()).toMatch(/^Code: 60\. DB::Exception: (.|\n)*\(UNKNOWN_TABLE\)/);
      expect((await fetch(service.url, { method: 'POST', body: 'SELECT' })).status).toBe(400);
      expect(await (await fetch(`${service.url}/?default_format=CSV`, { method: 'POST', body: "SELECT 1, 'a'" })).text()).toBe('1,"a"\n');
    });
  });

  describe('as a test wants it', () => {
    const table = { database: 'voltstream', table: 'switched', columns: { n: 'UInt32' } } as const;
    const row = (n: number): Uint8Array => Uint8Array.of(n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    let batch = 0;
    const deliver = async (): Promise<void> => {
      batch++;
      const piece = sealedPiece('', [row(batch)], new Uint8Array(16).fill(batch));
      await new PieceDelivery({ warehouse, table, retryMsMin: 20, lookAgainMs: 20 }).deliver([piece], { mayBePresent: false });
    };
    const count = async (): Promise<number> => Number((await warehouse.query<{ n: string }>('SELECT count() AS n FROM voltstream.switched'))[0]?.n);

    beforeEach(async () => {
      await service.mode('serve');
      await warehouse.command('CREATE TABLE IF NOT EXISTS voltstream.switched (n UInt32, _version UInt64, _batch FixedString(16)) '
        + 'ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 1000');
    });

    it.each(['fail', 'lose-answer', 'fail-afterwards', 'hang'] as const)('a delivery ends with its rows there once after: %s', async (mode) => {
      const before = await count();
      await service.mode(mode, 1);
      await deliver();
      expect(await count()).toBe(before + 1);
    });

    it('refuses connections, and takes them again', async () => {
      await service.mode('refuse');
      await expect(warehouse.query('SELECT 1')).rejects.toThrow('WAREHOUSE_UNAVAILABLE');
      await service.mode('serve');
      await warehouse.query('SELECT 1');
    });

    it('is killed and comes back with its rows, and still does not merge', async () => {
      const before = await count();
      await service.kill();
      await expect(warehouse.query('SELECT 1')).rejects.toThrow('WAREHOUSE_UNAVAILABLE');
      await service.restart();
      expect(await count()).toBe(before);
      for (let times = 0; times < 3; times++) await deliver();
      await warehouse.command('OPTIMIZE TABLE voltstream.switched').catch(() => undefined); // refused or without effect
      expect(Number((await warehouse.query<{ n: string }>("SELECT count() AS n FROM system.parts WHERE active AND table = 'switched'"))[0]?.n)).toBe(before + 3);
    });
  });
});
