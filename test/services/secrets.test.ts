import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClickHouseService } from './clickhouse.ts';
import { KafkaService } from './kafka.ts';
import { freePort } from './local-process.ts';
import { RecordingClickHouse } from './recording-clickhouse.ts';
import { RedisService } from './redis.ts';
import { RegistryService } from './registry.ts';

const program = join(import.meta.dirname, '../../cli/voltstream.ts');
const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Planted, one a server; each with characters that a URL writes otherwise. */
const secrets = { kafka: 'kafka%Planted/1', redis: 'redis@Planted/2', clickhouse: 'click&Planted/3', registry: 'registry:Planted/4' } as const;
type Variables = Readonly<Record<string, string>>;

/** The secrets that a text holds: as they are, as a URL writes them, or as a header does. */
function secretsIn(text: string): readonly string[] {
  const forms = Object.values(secrets).flatMap((secret) => [
    secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').slice(0, 12), Buffer.from(`voltstream:${secret}`).toString('base64').slice(12, 24),
  ]);
  return forms.filter((form) => text.includes(form));
}

interface Outcome {
  readonly exit: number | null;
  readonly text: string;
}

async function ended(variables: Variables, ...flags: readonly string[]): Promise<Outcome> {
  const running = spawn(process.execPath, [program, 'run', '--no-sample', '--exit', '--data', mkdtempSync(join(folder, 'data-')), ...flags], {
    env: { PATH: process.env['PATH'], ...variables },
  });
  let text = '';
  for (const stream of [running.stdout, running.stderr]) stream.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  const [exit] = (await once(running, 'close')) as [number | null];
  return { exit, text };
}

it('finds a planted secret in whatever form it stands', () => {
  for (const secret of Object.values(secrets)) {
    for (const form of [`x${secret}y`, encodeURIComponent(secret), Buffer.from(`voltstream:${secret}`).toString('base64')]) expect(secretsIn(form).length).toBeGreaterThan(0);
  }
  expect(secretsIn('voltstream')).toEqual([]);
});

const all: Variables = {
  VOLTSTREAM_LOG_KIND: 'kafka', VOLTSTREAM_LOG_BROKERS: '127.0.0.1:1', VOLTSTREAM_LOG_SASL_MECHANISM: 'plain', VOLTSTREAM_LOG_SASL_USERNAME: 'voltstream', VOLTSTREAM_LOG_SASL_PASSWORD: secrets.kafka,
  VOLTSTREAM_STATE_KIND: 'redis', VOLTSTREAM_STATE_URL: 'redis://127.0.0.1:1', VOLTSTREAM_STATE_USERNAME: 'voltstream', VOLTSTREAM_STATE_PASSWORD: secrets.redis,
  VOLTSTREAM_WAREHOUSE_KIND: 'server', VOLTSTREAM_WAREHOUSE_URL: 'http://127.0.0.1:9', VOLTSTREAM_WAREHOUSE_PASSWORD: secrets.clickhouse,
  VOLTSTREAM_REGISTRY_KIND: 'confluent', VOLTSTREAM_REGISTRY_URL: `http://voltstream:${encodeURIComponent(secrets.registry)}@127.0.0.1:1`,
};

describe('secrets in the configuration', () => {
  it('are in no --print-config, whether they stand in settings of their own or in URLs', async () => {
    const { exit, text } = await ended(all, '--print-config');
    expect(exit).toBe(0);
    expect(text).toContain('127.0.0.1:1');
    expect(secretsIn(text)).toEqual([]);
    const inUrls = {
      ...all, VOLTSTREAM_STATE_USERNAME: '', VOLTSTREAM_STATE_PASSWORD: '', VOLTSTREAM_WAREHOUSE_PASSWORD: '',
      VOLTSTREAM_STATE_URL: `redis://voltstream:${encodeURIComponent(secrets.redis)}@127.0.0.1:1`,
      VOLTSTREAM_WAREHOUSE_URL: `http://voltstream:${encodeURIComponent(secrets.clickhouse)}@127.0.0.1:9/?password=${encodeURIComponent(secrets.clickhouse)}`,
    };
    expect(secretsIn((await ended(inUrls, '--print-config')).text)).toEqual([]);
  });

  it('are in no message about a configuration that is wrong', async () => {
    const wrong = await ended({ ...all, VOLTSTREAM_STATE_URL: `redis://voltstream:${encodeURIComponent(secrets.redis)}@127.0.0.1:1`, VOLTSTREAM_WAREHOUSE_URL: secrets.clickhouse });
    expect(wrong.exit).not.toBe(0);
    expect(wrong.text).toMatch(/CONFIGURATION_INVALID(.|\n)*warehouse\.url/);
    expect(secretsIn(wrong.text)).toEqual([]);
  });
});

const hasRedis = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).error === undefined;

describe('wrong credentials end a start with one clear error and exit 1', () => {
  const expectRefused = ({ exit, text }: Outcome, message: RegExp): void => {
    expect([exit, text]).toEqual([1, expect.stringMatching(message)]);
    expect(text.match(/(?:LOGIN|LOG)_REFUSED/g)).toHaveLength(1);
    expect(text).not.toMatch(/\n\s+at .*\.ts:\d+/);
    expect(secretsIn(text)).toEqual([]);
  };

  it.skipIf(!hasRedis)('of Redis', async () => {
    const service = new RedisService({ arguments: ['--requirepass', 'the right one'] });
    await service.start();
    const redis = { VOLTSTREAM_STATE_KIND: 'redis' };
    expectRefused(await ended({ ...redis, VOLTSTREAM_STATE_URL: service.address, VOLTSTREAM_STATE_PASSWORD: secrets.redis }), /LOGIN_REFUSED: Redis refused the login\n(.|\n)*WRONGPASS(.|\n)*state\.password/);
    expectRefused(await ended({ ...redis, VOLTSTREAM_STATE_URL: service.address.replace('//', `//voltstream:${encodeURIComponent(secrets.redis)}@`) }), /LOGIN_REFUSED: Redis refused the login/);
    expectRefused(await ended({ ...redis, VOLTSTREAM_STATE_URL: service.address }), /LOGIN_REFUSED: Redis refused the login\n(.|\n)*NOAUTH/);
    await service.dispose();
  }, 90_000);

  it('of ClickHouse', async () => {
    const server = new RecordingClickHouse();
    server.login = { user: 'voltstream', password: 'the right one' };
    const url = await server.listen();
    const warehouse = { VOLTSTREAM_WAREHOUSE_KIND: 'server', VOLTSTREAM_WAREHOUSE_USER: 'voltstream' };
    expectRefused(await ended({ ...warehouse, VOLTSTREAM_WAREHOUSE_URL: url, VOLTSTREAM_WAREHOUSE_PASSWORD: secrets.clickhouse }), /LOGIN_REFUSED: ClickHouse refused the login\n(.|\n)*Authentication failed/);
    expectRefused(await ended({ ...warehouse, VOLTSTREAM_WAREHOUSE_URL: url.replace('//', `//voltstream:${encodeURIComponent(secrets.clickhouse)}@`) }), /LOGIN_REFUSED: ClickHouse refused the login/);
    await server.close();
  }, 90_000);

  it.skipIf(process.env['VOLTSTREAM_TEST_KAFKA'] === undefined)('of Kafka', async () => {
    const port = await freePort();
    const service = new KafkaService({
      listeners: [{ name: 'LOGIN', protocol: 'SASL_PLAINTEXT', port }],
      formatArguments: ['--add-scram', 'SCRAM-SHA-512=[name=voltstream,password=right]'],
      properties: `sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_voltstream="right";
listener.name.login.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
`,
    });
    await service.start();
    const kafka = { VOLTSTREAM_LOG_KIND: 'kafka', VOLTSTREAM_LOG_BROKERS: `127.0.0.1:${port}` };
    const login = { ...kafka, VOLTSTREAM_LOG_SASL_USERNAME: 'voltstream', VOLTSTREAM_LOG_SASL_PASSWORD: secrets.kafka };
    for (const mechanism of ['plain', 'scram-sha-512']) {
      expectRefused(await ended({ ...login, VOLTSTREAM_LOG_SASL_MECHANISM: mechanism }),
        new RegExp(`LOG_REFUSED: cannot connect to Kafka at 127\\.0\\.0\\.1:${port}: SASL_AUTHENTICATION_FAILED(.|\n)*Check log\\.sasl`));
    }
    const nobody = await ended(kafka);
    expect([nobody.exit, nobody.text]).toEqual([1, expect.stringMatching(/LOG_UNAVAILABLE: cannot connect to Kafka(.|\n)*log\.sasl/)]);
    await service.dispose();
  }, 120_000);

  it('of the schema registry', async () => {
    const service = new RegistryService({ login: { username: 'voltstream', password: 'the right one' } });
    await service.start();
    const registry = { VOLTSTREAM_REGISTRY_KIND: 'confluent', VOLTSTREAM_REGISTRY_URL: service.url };
    expectRefused(await ended({ ...registry, VOLTSTREAM_REGISTRY_USERNAME: 'voltstream', VOLTSTREAM_REGISTRY_PASSWORD: secrets.registry }), /LOGIN_REFUSED: the schema registry refused the login\n(.|\n)*status 401/);
    expectRefused(await ended(registry), /LOGIN_REFUSED: the schema registry refused the login/);
    await service.dispose();
  }, 90_000);
});

describe.skipIf(!hasRedis)('a process that runs with secrets', () => {
  const login = { username: 'voltstream', password: secrets.registry };
  let redis: RedisService;
  let clickhouse: ClickHouseService;
  let registry: RegistryService;
  beforeAll(async () => {
    redis = new RedisService();
    clickhouse = new ClickHouseService();
    registry = new RegistryService({ login });
    await Promise.all([redis.start(), clickhouse.start(), registry.start()]);
    const admin = new Redis(redis.address);
    await admin.call('ACL', 'SETUSER', 'voltstream', 'on', `>${secrets.redis}`, '~*', '+@all');
    await admin.call('ACL', 'SETUSER', 'default', 'off');
    admin.disconnect();
  });
  afterAll(() => Promise.all([redis.dispose(), clickhouse.dispose(), registry.dispose()]));

  it('tells none of them: not in lines of any level, not while its servers fail, not over HTTP, not in its folder', async () => {
    const data = mkdtempSync(join(folder, 'data-'));
    const running = spawn(process.execPath, [program, 'run', '--no-sample', '--data', data, '--port', '0'], {
      env: {
        PATH: process.env['PATH'], VOLTSTREAM_LOG_LEVEL: 'trace', VOLTSTREAM_SHUTDOWN_TIMEOUT_MS: '2000',
        VOLTSTREAM_STATE_KIND: 'redis', VOLTSTREAM_STATE_URL: redis.address.replace('//', `//voltstream:${encodeURIComponent(secrets.redis)}@`),
        VOLTSTREAM_WAREHOUSE_KIND: 'server', VOLTSTREAM_WAREHOUSE_URL: clickhouse.url, VOLTSTREAM_WAREHOUSE_USER: 'voltstream', VOLTSTREAM_WAREHOUSE_PASSWORD: secrets.clickhouse,
        VOLTSTREAM_REGISTRY_KIND: 'confluent', VOLTSTREAM_REGISTRY_URL: registry.url, VOLTSTREAM_REGISTRY_USERNAME: login.username, VOLTSTREAM_REGISTRY_PASSWORD: login.password,
      },
    });
    let text = '';
    for (const stream of [running.stdout, running.stderr]) stream.on('data', (chunk: Buffer) => void (text += chunk.toString()));
    const closed = once(running, 'close');
    const told = async (): Promise<string> => {
      const file = readdirSync(data).includes('process.json') ? (JSON.parse(readFileSync(join(data, 'process.json'), 'utf8')) as { url: string }).url : '';
      return file;
    };
    await expect.poll(told, { timeout: 40_000 }).not.toBe('');
    const url = await told();
    await expect.poll(async () => (await fetch(`${url}/ready`)).status, { timeout: 40_000, interval: 200 }).toBe(200);
    const pages = async (): Promise<string> => (await Promise.all(['/', '/metrics', '/ready', '/health', '/api/status', '/api/state?action=list']
      .map(async (path) => (await fetch(url + path)).text()))).join('\n');
    const answers = await pages();
    expect(answers).toContain('voltstream_state_server_used_bytes');
    expect(text).toContain('up to 1 s of commits is lost after a power loss');
    await Promise.all([redis.kill(), clickhouse.kill(), registry.stop()]);
    const question = await fetch(`${url}/api/query?format=CSV`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'SELECT 1' });
    expect(question.ok).toBe(false);
    const failing = `${await question.text()}\n${await pages()}`;
    running.kill('SIGTERM');
    await closed;
    const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).map((name) => join(data, name)).filter((file) => statSync(file).isFile());
    expect(files.length).toBeGreaterThan(2);
    expect(secretsIn(text)).toEqual([]);
    expect(secretsIn(answers + failing)).toEqual([]);
    expect(files.filter((file) => secretsIn(readFileSync(file, 'latin1')).length > 0)).toEqual([]);
  }, 120_000);
});
