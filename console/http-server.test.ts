import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import { startHttpServer } from './http-server.ts';
import type { HttpServer, HttpServerOptions } from './http-server.ts';
import type { StatusReport } from './status.ts';

const status: StatusReport = {
  application: 'city', nowMs: 2_000, startedAtMs: 1_000,
  totals: { sourceRecords: 10, deliveredRows: 9, lateRecords: 1, deadLetters: 0, lagRecords: 5, outboxRows: 0, stateEntries: 3 },
  tasks: [{ task: 'main_0', lagRecords: 5, streamTimeMs: -1, pausedBy: null }], figures: [], tables: [],
};

const started: HttpServer[] = [];
afterEach(async () => { await Promise.all(started.splice(0).map((server) => server.close())); });

async function start(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await startHttpServer({
    host: '127.0.0.1', port: 0, metrics: new EngineMetrics({ nodeMetrics: false }), notReadyBecause: () => [],
    status: () => status, query: async (sql, format) => `${format}: ${sql}`, ...options,
  });
  started.push(server);
  return server;
}

const post = (server: HttpServer, sql: string, format?: string, headers: Record<string, string> = {}) => fetch(
  `${server.url}/api/query${format === undefined ? '' : `?format=${encodeURIComponent(format)}`}`,
  { method: 'POST', headers: { 'content-type': 'text/plain', ...headers }, body: sql },
);

/** `fetch` does not let a caller choose the Host header. */
function statusWithHost(server: HttpServer, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${server.url}/api/status`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject).end();
  });
}

describe('the HTTP server', () => {
  it('is alive before it is ready, and says why it is not', async () => {
    let reasons: string[] = ['task main_0 is restoring'];
    const server = await start({ notReadyBecause: () => reasons });
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const early = await fetch(`${server.url}/ready`);
    expect([early.status, await early.json()]).toEqual([503, { ready: false, reasons }]);
    reasons = [];
    const later = await fetch(`${server.url}/ready`);
    expect([later.status, await later.json()]).toEqual([200, { ready: true, reasons: [] }]);
  });

  it('gives the metrics in the form of Prometheus', async () => {
    const response = await fetch(`${(await start()).url}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('# TYPE voltstream_step_records_in_total counter');
  });

  it('serves a page that needs nothing from elsewhere', async () => {
    const server = await start();
    const page = await fetch(server.url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '').filter((file) => !file.startsWith('data:'));
    expect(files).toContain('page.js');
    for (const file of files) expect([file, (await fetch(`${server.url}/${file}`)).status]).toEqual([file, 200]);
    const script = await (await fetch(`${server.url}/page.js`)).text();
    for (const [, id] of script.matchAll(/byId\('([a-z]+)'\)/g)) expect(html).toContain(`id="${id ?? ''}"`);
    expect(script).not.toMatch(/innerHTML|https?:/);
  });

  it('gives the status with the reasons', async () => {
    const server = await start({ notReadyBecause: () => ['the store is away'] });
    expect(await (await fetch(`${server.url}/api/status`)).json()).toEqual({ ...status, notReadyBecause: ['the store is away'] });
  });

  it('answers statements that read, in the format asked for', async () => {
    const server = await start();
    expect(await (await post(server, 'SELECT 1')).text()).toBe('JSONEachRow: SELECT 1');
    expect(await (await post(server, 'SELECT 1', 'CSV')).text()).toBe('CSV: SELECT 1');
  });

  it('refuses statements that write, before the callback sees them', async () => {
    const server = await start({ query: async () => { throw new Error('must not be called'); } });
    const response = await post(server, 'DROP TABLE t');
    expect([response.status, response.headers.get('x-voltstream-error')]).toEqual([403, 'QUERY_REFUSED']);
    expect(await response.text()).toContain('begins with DROP');
  });

  it('hands on what the warehouse said about a wrong statement', async () => {
    const server = await start({ query: async () => { throw new Error('Unknown table t'); } });
    const response = await post(server, 'SELECT * FROM t');
    expect([response.status, await response.text()]).toEqual([422, 'Unknown table t']);
    const away = await start({ query: async () => { throw new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'no answer'); } });
    expect((await post(away, 'SELECT 1')).status).toBe(503);
  });

  it('takes secrets out of what it says of itself, and leaves answers of tables alone', async () => {
    const server = await start({
      redact: (text) => text.replaceAll('planted', '***'), notReadyBecause: () => ['planted reason'],
      query: async (sql) => { if (sql.includes('none')) throw new Error('refused by planted'); return sql; },
    });
    expect(await (await fetch(`${server.url}/ready`)).json()).toMatchObject({ reasons: ['*** reason'] });
    expect(await (await fetch(`${server.url}/api/status`)).json()).toMatchObject({ notReadyBecause: ['*** reason'] });
    expect(await (await post(server, 'SELECT none')).text()).toBe('refused by ***');
    expect(await (await post(server, "SELECT 'planted'")).text()).toBe("SELECT 'planted'");
  });

  it('refuses malformed requests, and has no query path without a warehouse', async () => {
    const server = await start();
    expect((await post(server, '')).status).toBe(403);
    expect((await post(server, 'SELECT 1', 'CSV SETTINGS x=1')).status).toBe(400);
    expect((await post(server, 'SELECT 1', undefined, { 'content-type': 'application/json' })).status).toBe(415);
    expect((await post(server, `SELECT '${'x'.repeat(300_000)}'`)).status).toBe(413);
    const without = await startHttpServer({
      host: '127.0.0.1', port: 0, metrics: new EngineMetrics({ nodeMetrics: false }), notReadyBecause: () => [], status: () => status,
    });
    started.push(without);
    expect((await post(without, 'SELECT 1')).status).toBe(404);
  });

  it('gives answers of any size in pieces, and never half of one as a whole', async () => {
    const server = await start({
      async *export(sql, format) {
        if (sql.includes('none')) throw new VoltstreamError('WAREHOUSE_REFUSED', 'Unknown table none');
        for (let piece = 0; piece < 200; piece++) {
          if (sql.includes('broken') && piece === 150) throw new Error('planted');
          yield Buffer.alloc(100_000, `${format} ${piece};`);
        }
      },
    });
    const ask = (sql: string, format = 'Parquet') => fetch(`${server.url}/api/export?format=${format}`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: sql });
    const whole = await ask('SELECT * FROM t;');
    expect([whole.status, (await whole.arrayBuffer()).byteLength]).toEqual([200, 20_000_000]);
    await expect((async () => (await ask('SELECT * FROM broken')).arrayBuffer())()).rejects.toThrow(/terminated/);
    const unknown = await ask('SELECT * FROM none');
    expect([unknown.status, unknown.headers.get('x-voltstream-error'), await unknown.text()]).toEqual([422, 'WAREHOUSE_REFUSED', expect.stringContaining('Unknown table none')]);
    expect((await ask('INSERT INTO t SELECT 1')).status).toBe(403);
    expect((await ask('SHOW TABLES')).status).toBe(403);
    expect((await ask('SELECT 1', 'Native')).status).toBe(400);
    expect((await fetch(`${(await start()).url}/api/export?format=CSV`, { method: 'POST', body: 'SELECT 1' })).status).toBe(404);
  });

  it('serves no page of others: foreign origins, foreign hosts on loopback', async () => {
    const server = await start();
    expect((await post(server, 'SELECT 1', undefined, { origin: 'https://elsewhere.example' })).status).toBe(403);
    expect((await post(server, 'SELECT 1', undefined, { origin: server.url })).status).toBe(200);
    expect((await post(server, 'SELECT 1', undefined, { origin: 'null' })).status).toBe(403);
    expect(await statusWithHost(server, 'elsewhere.example')).toBe(403);
    expect(await statusWithHost(server, 'localhost:1')).toBe(200);
  });

  it('says which port is busy, and how to choose another', async () => {
    const first = await start();
    await expect(start({ port: first.port })).rejects.toThrow(/HTTP_PORT_BUSY: cannot listen on port \d+[\s\S]*--port/);
  });
});
