import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ServerWarehouse } from './server-warehouse.ts';

/** What a warehouse must do is tested in `test/services/clickhouse.test.ts`; here is what needs no server. */
describe('ServerWarehouse', () => {
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
