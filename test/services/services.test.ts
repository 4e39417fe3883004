import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { registered } from '../../schemas/avro-codec.ts';
import { ConfluentRegistry } from '../../schemas/confluent-registry.ts';
import { describeSchemaRegistry } from '../../schemas/registry-contract.ts';
import { selfSigned } from './certificates.ts';
import { placement } from './placement.ts';
import { RegistryService } from './registry.ts';
import { serviceNames, variablesOf } from './services.ts';

const program = join(import.meta.dirname, 'index.ts');
const folder = mkdtempSync(join(tmpdir(), 'services-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('where services run', () => {
  it('is in containers where a Docker engine answers, else on this machine', async () => {
    const socket = join(folder, 'docker.sock');
    const engine = createServer((request, response) => response.writeHead(request.url === '/_ping' ? 200 : 404).end());
    engine.listen(socket);
    await once(engine, 'listening');
    expect(await placement({ DOCKER_HOST: `unix://${socket}` })).toBe('containers');
    expect(await placement({ DOCKER_HOST: `unix://${socket}`, VOLTSTREAM_TEST_SERVICES: 'processes' })).toBe('processes');
    engine.close();
    await once(engine, 'close');
    expect(await placement({ DOCKER_HOST: `unix://${socket}` })).toBe('processes');
    expect(await placement({ DOCKER_HOST: 'tcp://127.0.0.1:1' })).toBe('processes');
    await expect(placement({ VOLTSTREAM_TEST_SERVICES: 'cloud' })).rejects.toThrow('containers or processes');
  });
});

describe('npm run services', () => {
  it('prints variables that make voltstream use all of them', () => {
    const addresses = { kafka: '127.0.0.1:9092', redis: 'redis://127.0.0.1:6379', clickhouse: 'http://127.0.0.1:8123', registry: 'http://127.0.0.1:8081' };
    const environment = Object.assign({}, ...serviceNames.map((name) => variablesOf(name, addresses[name]).runVariables)) as Record<string, string>;
    const { log, state, warehouse, registry } = loadConfiguration({ environment });
    expect([log.kind, state.kind, warehouse.kind, registry.kind]).toEqual(['kafka', 'redis', 'server', 'confluent']);
    expect([log.brokers, state.url, warehouse.url, registry.url]).toEqual([[addresses.kafka], addresses.redis, addresses.clickhouse, addresses.registry]);
  });

  it('says what to install when a program is missing, and what it can start', () => {
    const without = spawnSync(process.execPath, [program, 'kafka'], { env: { PATH: folder }, encoding: 'utf8' });
    expect(without.status).toBe(1);
    expect(without.stderr).toMatch(/^java is not installed.*apt-get install/);
    const redis = spawnSync(process.execPath, [program, 'redis'], { env: { PATH: folder }, encoding: 'utf8' });
    expect([redis.status, redis.stderr]).toEqual([1, expect.stringMatching(/^redis-server is not installed.*apt-get install/)]);
    const unknown = spawnSync(process.execPath, [program, 'postgres'], { encoding: 'utf8' });
    expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('kafka, redis, clickhouse, registry')]);
  });

  it('starts some, waits until they answer, says where they are, and deletes everything at Ctrl-C', async () => {
    const running = spawn(process.execPath, [program, 'registry', 'clickhouse'], { env: { ...process.env, VOLTSTREAM_TEST_SERVICES: 'processes' } });
    let out = '';
    let progress = '';
    running.stderr.on('data', (chunk: Buffer) => void (progress += chunk.toString()));
    await new Promise<void>((told, failed) => {
      running.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
        if (out.includes('Ctrl-C')) told();
      });
      running.once('exit', () => failed(new Error(progress)));
    });
    const variables = Object.fromEntries([...out.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]));
    expect((await fetch(`${variables['VOLTSTREAM_REGISTRY_URL']}/subjects`)).status).toBe(200);
    expect(await (await fetch(`${variables['VOLTSTREAM_WAREHOUSE_URL']}/?query=SELECT%201`, { method: 'POST' })).text()).toBe('1\n');
    expect(progress).toMatch(/clickhouse: ready after [\d.]+ s at http/);
    const data = /^# data (.+)$/m.exec(out)?.[1] ?? '';
    expect(readFileSync(join(data, 'run.env'), 'utf8')).toContain('export VOLTSTREAM_REGISTRY_KIND=confluent');
    running.kill('SIGINT');
    expect(await once(running, 'exit')).toEqual([0, null]);
    expect(existsSync(data)).toBe(false);
  });
});

describeSchemaRegistry('ConfluentRegistry on the registry of the services, with a login', async () => {
  const login = { username: 'reader', password: 'a word' };
  const service = new RegistryService({ login });
  await service.start();
  return { connect: () => new ConfluentRegistry({ url: service.url, ...login }), remove: () => service.dispose() };
});

describe('ConfluentRegistry by https', () => {
  it('speaks to a registry whose certificate its file vouches for, and to no other', async () => {
    const { cert, key } = selfSigned(folder, 'registry');
    const login = { username: 'reader', password: 'a word' };
    const service = new RegistryService({ login, tls: { cert, key } });
    await service.start();
    const trusting = new ConfluentRegistry({ url: service.url, ...login, ca: cert });
    await trusting.open();
    const form = registered<{ readonly x: number }>({ type: 'record', name: 'R', fields: [{ name: 'x', type: 'int' }] });
    expect(await trusting.register('r-value', form)).toBe(1);
    await trusting.reader(form).load(1);
    await expect(new ConfluentRegistry({ url: service.url, ...login }).open()).rejects.toThrow(/LOGIN_REFUSED(.|\n)*self-signed certificate(.|\n)*registry\.caFile/);
    await expect(new ConfluentRegistry({ url: service.url, ...login, password: 'another', ca: cert }).open()).rejects.toThrow(/LOGIN_REFUSED(.|\n)*status 401/);
    await trusting.close();
    await service.dispose();
  });
});

describe('the registry of the services', () => {
  it('refuses who does not know the login, and answers as Confluent’s does', async () => {
    const service = new RegistryService({ login: { username: 'reader', password: 'a word' } });
    await service.start();
    expect((await fetch(`${service.url}/subjects`)).status).toBe(401);
    const authorization = `Basic ${Buffer.from('reader:a word').toString('base64')}`;
    const answer = await fetch(`${service.url}/subjects/none/versions/latest`, { headers: { authorization } });
    expect([answer.status, await answer.json()]).toEqual([404, { error_code: 40_401, message: "Subject 'none' not found." }]);
    await service.dispose();
  });
});
