import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChdbWarehouse } from './chdb-warehouse.ts';
import type { HttpFront } from './http-front.ts';
import { serveWarehouse } from './http-front.ts';
import { ServerWarehouse } from './server-warehouse.ts';
import { warehouseContract } from './warehouse-contract.ts';

describe('ClickHouse over HTTP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-server-'));
  const engine = new ChdbWarehouse({ folder });
  let front: HttpFront;
  let warehouse: ServerWarehouse;

  beforeAll(async () => {
    await engine.open();
    await engine.command('CREATE DATABASE voltstream ENGINE = Atomic');
    front = await serveWarehouse(engine);
    warehouse = new ServerWarehouse({ url: front.url });
    await warehouse.open();
  });

  afterAll(async () => {
    await warehouse.close();
    await front.close();
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  warehouseContract(() => warehouse);

  it('is unavailable where nothing listens', async () => {
    const nobody = new ServerWarehouse({ url: 'http://127.0.0.1:9' });
    await expect(nobody.open()).rejects.toThrow(/WAREHOUSE_UNAVAILABLE(.|\n)*127\.0\.0\.1:9/);
    await expect(nobody.query('SELECT 1')).rejects.toThrow('WAREHOUSE_UNAVAILABLE');
    await nobody.close();
  });

  it('gives up on a server that does not answer, so that the delivery can look and send again', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const waiting = new ServerWarehouse({ url, timeoutMs: 50 });
    await expect(waiting.command('SELECT 1')).rejects.toThrow('WAREHOUSE_UNAVAILABLE');
    await waiting.close();
    silent.close();
  });
});
