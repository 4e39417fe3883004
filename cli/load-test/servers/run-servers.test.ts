import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../runtime/configuration.ts';
import type { LoadReport } from '../load-report.ts';
import { isolated, refuseTaken, removeIsolated, runNameOf, withIsolatedPorts } from './isolated.ts';

const kafka = process.env['VOLTSTREAM_TEST_KAFKA'] ?? '';
const redis = process.env['VOLTSTREAM_TEST_REDIS'] ?? '';
const clickhouse = process.env['VOLTSTREAM_TEST_CLICKHOUSE'] ?? '';
const isWithout = kafka === '' || redis === '' || clickhouse === '';
if (isWithout) console.warn('Load tests against servers are left out: set VOLTSTREAM_TEST_KAFKA, _REDIS and _CLICKHOUSE (`node test/services/index.ts up kafka redis clickhouse` starts them)');

const folder = mkdtempSync(join(tmpdir(), 'voltstream-load-test-servers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = {
  VOLTSTREAM_LOG_KIND: 'kafka', VOLTSTREAM_LOG_BROKERS: kafka, VOLTSTREAM_STATE_KIND: 'redis', VOLTSTREAM_STATE_URL: redis, VOLTSTREAM_WAREHOUSE_KIND: 'server', VOLTSTREAM_WAREHOUSE_URL: clickhouse,
  VOLTSTREAM_LOG_SESSION_TIMEOUT_MS: '6000', VOLTSTREAM_LOG_HEARTBEAT_INTERVAL_MS: '1000',
};

function loadTest(words: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const program = join(import.meta.dirname, '..', '..', 'voltstream.ts');
    const child = execFile(process.execPath, [program, 'load-test', ...words], { env: { ...process.env, ...environment }, maxBuffer: 64_000_000 }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, output: stdout + stderr });
    });
  });
}

describe.skipIf(isWithout)('a short load test against servers, two pods, one of them killed', () => {
  it('loses nothing, says nothing twice, nothing wrong, and leaves nothing behind', { timeout: 600_000 }, async () => {
    const run = `t-${Date.now().toString(36)}`;
    const file = join(folder, 'report.json');
    const html = join(folder, 'report.html');
    const { code, output } = await loadTest(['--profile', 'dirty-data', '--events', '20000', '--pods', '2', '--kill', '1', '--run', run, '--json', file, '--html', html]);
    expect(output).toContain('0 lost, 0 duplicated, 0 wrong');
    expect(code).toBe(0);
    const report = JSON.parse(readFileSync(file, 'utf8')) as LoadReport;
    expect(report.verdict?.tables.flatMap(({ examples }) => examples)).toEqual([]);
    expect(report).toMatchObject({ complete: true, verdict: { ok: true, sessions: report.sessions }, servers: { run, pods: 2, partitions: 2 } });
    expect(report.messages).toBeGreaterThanOrEqual(20_000);
    expect(report.samples.at(-1)).toMatchObject({ visible: report.messages, processed: report.messages, lag: 0 });
    const { servers } = report;
    expect(servers?.kills.length).toBe(1);
    expect(servers?.restarts).toBeGreaterThanOrEqual(1);
    expect(servers?.commits).toBeGreaterThan(10);
    // A commit is one script; claims, loads and those of a life that nobody asked again are beside it.
    expect(servers?.redis?.roundTripsPerCommit).toBeGreaterThanOrEqual(1);
    expect(servers?.clickhouse.insertedRows).toBeGreaterThan(20_000);
    expect(servers?.parts.map(({ part }) => part)).toEqual(['pods', 'Kafka', 'Redis', 'ClickHouse', 'simulator and load test']);
    expect(servers?.parts[0]?.cpuSeconds).toBeGreaterThan(1);
    const page = readFileSync(html, 'utf8');
    expect(page.match(/ killed<\/text>/g)?.length).toBe(5);
    expect(page).toContain('round trips each');
    // Nothing is there any more that would be refused.
    const own = isolated({ environment }, run, { folder, pods: 2 });
    await expect.poll(async () => withIsolatedPorts(own, (ports) => refuseTaken(own, ports)).then(() => 'nothing', (error: unknown) => String(error)), { timeout: 20_000 }).toBe('nothing');
  });

  it('refuses a name under which there is something, and deletes it when told to', { timeout: 120_000 }, async () => {
    const run = `r-${Date.now().toString(36)}`;
    const own = isolated({ environment }, run, { folder, pods: 1 });
    await withIsolatedPorts(own, (ports) => ports.warehouse.command(`CREATE DATABASE ${own.configuration.warehouse.database}`));
    const refused = await loadTest(['--profile', 'city', '--events', '1000', '--run', run]);
    expect(refused.code).toBe(2);
    expect(refused.output).toContain(`the database ${own.configuration.warehouse.database}`);
    expect((await loadTest(['--remove', '--run', run])).code).toBe(0);
    await withIsolatedPorts(own, (ports) => refuseTaken(own, ports));
    await withIsolatedPorts(own, (ports) => removeIsolated(own, ports));
  });
});

describe('the part of the servers that a load test has', () => {
  const servers = { VOLTSTREAM_LOG_KIND: 'kafka', VOLTSTREAM_LOG_BROKERS: 'a:1', VOLTSTREAM_STATE_KIND: 'redis', VOLTSTREAM_STATE_URL: 'redis://a:1', VOLTSTREAM_WAREHOUSE_KIND: 'server', VOLTSTREAM_WAREHOUSE_URL: 'http://a:1' };

  it('has other names than what is configured, whatever that is', () => {
    const given = { ...servers, VOLTSTREAM_APPLICATION_ID: 'city', VOLTSTREAM_WAREHOUSE_DATABASE: 'city', VOLTSTREAM_LOG_TOPIC_PREFIX: 'a.', VOLTSTREAM_LOG_INSTANCE_ID: 'pod-1' };
    const { configuration } = isolated({ environment: given }, 'x-1', { folder: 'f', pods: 3 });
    expect(configuration).toMatchObject({
      applicationId: 'load-test-x-1', partitions: 3, dataFolder: 'f', log: { topicPrefix: 'a.load-test-x-1.', instanceId: null, brokers: ['a:1'] }, warehouse: { database: 'load_test_x_1' },
    });
    expect(isolated({ environment: { ...given, VOLTSTREAM_PARTITIONS: '8' } }, 'x', { folder: 'f', pods: 3 }).configuration.partitions).toBe(8);
    for (const [name, value] of [['VOLTSTREAM_APPLICATION_ID', 'load-test-x'], ['VOLTSTREAM_WAREHOUSE_DATABASE', 'load_test_x']] as const) {
      expect(() => isolated({ environment: { ...given, [name]: value } }, 'x', { folder: 'f', pods: 1 })).toThrow('CONFIGURATION_INVALID');
    }
    expect(loadConfiguration({ environment: given }).applicationId).toBe('city');
  });

  it('is called by the time when nobody gives it a name', () => {
    expect(runNameOf(null, new Date('2026-03-01T02:03:04Z'))).toBe('20260301-020304');
    expect(runNameOf('mine', new Date())).toBe('mine');
    for (const name of ['', 'Mine', '-a', 'a'.repeat(41), 'a.b', "a'b"]) expect(() => runNameOf(name, new Date())).toThrow('--run');
  });
});
