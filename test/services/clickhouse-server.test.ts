import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../runtime/migrations.ts';
import { checkTable } from '../../runtime/sinks/clickhouse/check-table.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { PieceDelivery } from '../../runtime/sinks/clickhouse/delivery.ts';
import { sealedPiece } from '../../runtime/sinks/clickhouse/sealed-piece.ts';
import { ServerWarehouse } from '../../runtime/sinks/clickhouse/server-warehouse.ts';
import type { ServerWarehouseOptions } from '../../runtime/sinks/clickhouse/server-warehouse.ts';
import { selfSigned } from './certificates.ts';
import { RecordingClickHouse } from './recording-clickhouse.ts';
import type { InsertFault } from './recording-clickhouse.ts';

const folder = mkdtempSync(join(tmpdir(), 'clickhouse-server-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const table = { database: 'voltstream', table: 'rows', columns: { n: 'UInt32' } } as const;
const layout = { cluster: 'city', replicated: { path: '/clickhouse/tables/{uuid}/{shard}', replica: '{replica}' } };
const migrations = join(import.meta.dirname, '../../deploy/clickhouse');

let server: RecordingClickHouse;
let url = '';
const warehouses: ServerWarehouse[] = [];
function connect(options: Partial<ServerWarehouseOptions> = {}): ServerWarehouse {
  const warehouse = new ServerWarehouse({ url, timeoutMs: 2_000, ...options });
  warehouses.push(warehouse);
  return warehouse;
}
beforeEach(async () => {
  server = new RecordingClickHouse();
  url = await server.listen();
});
afterEach(async () => {
  await Promise.all(warehouses.splice(0).map((warehouse) => warehouse.close()));
  await server.close();
});

describe('the login to a ClickHouse server', () => {
  it('is taken from the settings or the URL, and is in no message', async () => {
    server.login = { user: 'writer', password: 'planted-secret' };
    await connect({ user: 'writer', password: 'planted-secret' }).open();
    const withLogin = connect({ url: url.replace('//', '//writer:planted-secret@') });
    await withLogin.open();
    server.answers.set('system.tables', { status: 404, code: 60, text: 'Code: 60. DB::Exception: Table does not exist. (UNKNOWN_TABLE)' });
    const errors = [
      await withLogin.query('SELECT * FROM system.tables').catch((error: unknown) => error),
      await connect({ user: 'writer', password: 'another-secret' }).open().catch((error: unknown) => error),
      await connect({ url: url.replace('//', '//writer:another-secret@') }).open().catch((error: unknown) => error),
    ];
    expect(String(errors[0])).toContain('WAREHOUSE_REFUSED');
    for (const error of errors.slice(1)) expect(String(error)).toMatch(/^VoltstreamError: LOGIN_REFUSED: ClickHouse refused the login(.|\n)*Authentication failed(.|\n)*warehouse\.user/);
    expect(inspect(errors, { depth: 12 })).not.toMatch(/planted-secret|another-secret|cGxhbnRlZC|YW5vdGhlci/);
  });

  it('goes by https to a server whose certificate the file vouches for, and to no other', async () => {
    const { cert, key } = selfSigned(folder, 'clickhouse');
    const secure = new RecordingClickHouse({ cert, key });
    const secureUrl = await secure.listen();
    await connect({ url: secureUrl, ca: cert }).open();
    await expect(connect({ url: secureUrl }).open()).rejects.toThrow(/LOGIN_REFUSED: there is no trust(.|\n)*self-signed certificate(.|\n)*warehouse\.caFile/);
    await secure.close();
  });
});

describe('inserts into a ClickHouse server', () => {
  const row = (n: number): Uint8Array => Uint8Array.of(n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const piece = (n: number) => sealedPiece('', [row(n)], new Uint8Array(16).fill(n));

  it('carry the settings of Law 4 in the statement itself', async () => {
    await new PieceDelivery({ warehouse: connect(), table }).deliver([piece(1)], { mayBePresent: false });
    const [insert] = server.of('INSERT');
    for (const setting of ['async_insert = 0', "insert_quorum = 'auto'", 'insert_deduplicate = 1', `insert_deduplication_token = '${'01'.repeat(16)}'`, 'optimize_on_insert = 0']) {
      expect(insert?.sql).toContain(setting);
    }
  });

  it.each<InsertFault>(['reset-before', 'reset-after', 'status-500-before', 'status-500-after', 'proxy-502-after', 'hang-before', 'hang-after'])(
    'look before they send again after: %s', async (fault) => {
      server.faults.push(fault);
      const delivery = new PieceDelivery({ warehouse: connect({ timeoutMs: 300 }), table, retryMsMin: 1, lookAgainMs: 1 });
      await delivery.deliver([piece(7), piece(8)], { mayBePresent: false });
      expect(server.inserted.map((body) => body[0])).toEqual([7, 8]);
      const kinds = server.statements.map(({ sql }) => (sql.startsWith('INSERT') ? 'insert' : sql.includes('_batch IN') ? 'look' : sql));
      expect(kinds.slice(0, 2)).toEqual(['insert', 'look']);
      const again = server.of('INSERT').filter(({ body }) => body[0] === 7);
      expect(again).toHaveLength(fault.endsWith('before') ? 2 : 1);
      expect(new Set(again.map(({ sql }) => sql)).size).toBe(1);
      expect(new Set(again.map(({ body }) => body.toString('hex'))).size).toBe(1);
    },
  );

  it('end once each though any number of answers are lost in a row', async () => {
    server.faults.push('reset-before', 'hang-before', 'status-500-before', 'reset-after');
    await new PieceDelivery({ warehouse: connect({ timeoutMs: 200 }), table, retryMsMin: 1 }).deliver([piece(3)], { mayBePresent: false });
    expect(server.inserted).toHaveLength(1);
  });

  it('are bounded: so many at once, the rest waits', async () => {
    server.insertMs = 30;
    const warehouse = connect({ connectionsMax: 3 });
    await Promise.all(Array.from({ length: 12 }, (_, n) => new PieceDelivery({ warehouse, table }).deliver([piece(n + 1)], { mayBePresent: false })));
    expect(server.insertsAtOnce).toBe(3);
    expect(server.inserted).toHaveLength(12);
  });
});

describe('what is checked of a ClickHouse server at the start', () => {
  const values = (changed: Record<string, string>) => Object.entries({ async_insert: '0', insert_deduplicate: '1', insert_quorum: 'auto', optimize_on_insert: '0', readonly: '0', ...changed })
    .map(([name, value]) => ({ name, value }));

  it('takes a server that lets inserts have their settings, and asks it once', async () => {
    server.answers.set('system.settings', values({}));
    const warehouse = connect();
    await warehouse.checkInserts();
    await warehouse.checkInserts();
    expect(server.statements).toHaveLength(1);
    expect(server.statements[0]?.sql).toContain('async_insert = 0');
  });

  it.each([
    ['26.7.1.1', true, true], ['26.5.1.480', true, true], ['26.4.9.9', true, false], ['25.12.1.1', true, false], ['', true, false], ['27.1.1.1', false, false],
  ])('sends rows as plain types to a server that takes them so: %s, allowed %s', async (version, allowed, converts) => {
    server.answers.set('system.settings', values({}).map((row) => ({ ...row, version })));
    if (!allowed) server.answers.set('SELECT 1 SETTINGS', { status: 500, code: 452, text: 'Code: 452. DB::Exception: Setting max_threads should not be changed. (SETTING_CONSTRAINT_VIOLATION)' });
    const warehouse = connect();
    await warehouse.checkInserts();
    await warehouse.insert({
      database: 'd', table: 't', columns: ['text', 'day'], types: ['LowCardinality(String)', 'Date'], rows: [Uint8Array.of(1, 65, 0, 0)], rowCount: 1, token: 'one',
    });
    const [insert] = server.of('INSERT');
    expect(insert?.sql.endsWith(converts ? " SELECT * FROM input('c0 String, c1 Date') FORMAT RowBinary" : "'auto' FORMAT RowBinary")).toBe(true);
    expect(insert?.sql.includes("deduplicate_insert_select = 'force_enable'")).toBe(converts);
    expect(insert?.sql).toContain("insert_deduplication_token = 'one'");
    expect(server.inserted).toEqual([Buffer.of(1, 65, 0, 0)]);
  });

  it.each([
    ['async_insert', '1', '0'], ['insert_quorum', '0', 'auto'], ['insert_deduplicate', '0', '1'], ['readonly', '1', '0'],
  ])('refuses one on which inserts would run with %s = %s', async (name, value, wanted) => {
    server.answers.set('system.settings', values({ [name]: value }));
    await expect(connect().checkInserts()).rejects.toThrow(new RegExp(`WAREHOUSE_SETTING: inserts would run with another ${name}\n {2}where: http://127.*\n {2}wanted: ${name} = ${wanted}\n {2}got: ${value}\n {2}cure: ALTER USER`));
  });

  it.each([
    ['Code: 164. DB::Exception: Cannot modify \'async_insert\' setting in readonly mode. (READONLY)', 164],
    ['Code: 452. DB::Exception: Setting insert_quorum should not be changed. (SETTING_CONSTRAINT_VIOLATION)', 452],
  ])('refuses a user who may not set them: %s', async (text, code) => {
    server.answers.set('system.settings', { status: 500, code, text });
    await expect(connect().checkInserts()).rejects.toThrow(/WAREHOUSE_SETTING: this user may not give(.|\n)*cure: Give the user a profile/);
  });

  it('asks again after an outage', async () => {
    server.answers.set('system.settings', { status: 503, text: 'starting' });
    const warehouse = connect();
    await expect(warehouse.checkInserts()).rejects.toThrow('WAREHOUSE_UNAVAILABLE');
    server.answers.set('system.settings', values({}));
    await warehouse.checkInserts();
  });

  it.each([
    [{ shards: '0', nodes: '0' }, true, /there is no cluster city/],
    [{ shards: '2', nodes: '4' }, true, /several shards(.|\n)*wanted: one shard/],
    [{ shards: '1', nodes: '2' }, false, /several replicas, but tables are not replicated(.|\n)*warehouse\.replicated true/],
  ])('refuses a cluster that is not one to deliver into: %o', async (found, replicated, message) => {
    server.answers.set('system.settings', values({}));
    server.answers.set('system.clusters', [found]);
    await expect(connect({ layout: { ...layout, replicated: replicated ? layout.replicated : null } }).checkInserts()).rejects.toThrow(message);
  });

  it('knows a replicated table, and refuses one whose window is too short', async () => {
    server.answers.set('system.settings', values({}));
    const engineOf = (seconds: number): void => void server.answers.set('system.tables', [{
      engine: 'ReplicatedReplacingMergeTree',
      engine_full: `ReplicatedReplacingMergeTree('/p', 'r', _version) ORDER BY n SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = ${seconds}`,
    }]);
    server.answers.set('system.columns', [['n', 'UInt32'], ['_version', 'UInt64'], ['_batch', 'FixedString(16)']].map(([name, type]) => ({ name, type, default_kind: '' })));
    engineOf(604_800);
    expect(await checkTable(connect(), table)).toEqual({ engine: 'ReplicatedReplacingMergeTree', replicated: true });
    engineOf(60);
    await expect(checkTable(connect(), table)).rejects.toThrow(/WAREHOUSE_SETTING(.|\n)*wanted: replicated_deduplication_window_seconds >= 3600\n {2}got: 60\n {2}cure: ALTER TABLE/);
  });
});

describe('migrations on a cluster with replicas', () => {
  it('make everything ON CLUSTER and what rows are delivered into replicated, in statements that ClickHouse understands', async () => {
    await migrate(connect({ layout }), { folder: migrations, database: 'voltstream', turnOf: 'pod-1' });
    const statements = server.statements.map(({ sql }) => sql).filter((sql) => /^(?:CREATE|ALTER|DROP)/.test(sql));
    const [turn, rest] = [statements.filter((sql) => sql.includes('migration_turn')), statements.filter((sql) => !sql.includes('migration_turn'))];
    expect(turn.length).toBeGreaterThan(0);
    expect(turn.filter((sql) => sql.includes('ON CLUSTER'))).toEqual([]);
    expect(rest.length).toBeGreaterThan(80);
    expect(rest.filter((sql) => !sql.includes(' ON CLUSTER `city`'))).toEqual([]);
    const delivered = rest.filter((sql) => sql.startsWith('CREATE TABLE') && /^\s*_batch\s/m.test(sql));
    expect(delivered.length).toBeGreaterThan(8);
    for (const sql of delivered) {
      expect(sql).toContain("ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', _version)");
      expect(sql).toMatch(/SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800/);
    }
    // What refreshable views fill, each server for itself.
    const local = rest.filter((sql) => sql.startsWith('CREATE TABLE') && !sql.includes('Replicated'));
    for (const sql of local) expect(rest.some((view) => view.includes('MATERIALIZED VIEW') && view.includes(` TO ${/EXISTS (\S+)/.exec(sql)?.[1]} `))).toBe(true);
    expect(statements.filter((sql) => /\bnon_replicated/.test(sql))).toEqual([]);

    const engine = new ChdbWarehouse({ folder: join(folder, 'syntax') });
    await engine.open();
    for (const sql of rest) await engine.queryText(`EXPLAIN AST ${sql}`, 'TabSeparated');
    await engine.close();
  });

  it('leaves statements alone that make no tables, and goes with a rename and with names in quotes', async () => {
    const warehouse = connect({ layout: { cluster: 'city', replicated: null } });
    for (const sql of ['SYSTEM STOP MERGES a.b', 'ALTER TABLE `a b`.`c` MODIFY TTL d', 'EXCHANGE TABLES a.b AND a.c', 'DROP VIEW IF EXISTS a.b']) await warehouse.command(sql);
    expect(server.statements.map(({ sql }) => sql)).toEqual([
      'SYSTEM STOP MERGES a.b', 'ALTER TABLE `a b`.`c` ON CLUSTER `city` MODIFY TTL d', 'EXCHANGE TABLES a.b AND a.c ON CLUSTER `city`', 'DROP VIEW IF EXISTS a.b ON CLUSTER `city`',
    ]);
  });
});
