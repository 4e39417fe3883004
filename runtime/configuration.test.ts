import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfiguration, printConfiguration, settingEntries } from './configuration.ts';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'configuration-')); });
afterAll(() => { rmSync(folder, { recursive: true }); });

function fileOf(text: string): string {
  const file = join(folder, 'voltstream.yaml');
  writeFileSync(file, text);
  return file;
}

describe('configuration', () => {
  it('needs nothing: the defaults are a whole, valid, embedded configuration', () => {
    const configuration = loadConfiguration();
    expect(configuration.log.kind).toBe('embedded');
    expect(configuration.http).toEqual({ host: '127.0.0.1', port: 8080 });
  });

  it('takes flags before the environment, the environment before the file, the file before defaults', () => {
    const file = fileOf('commit: { intervalMs: 100, recordsMax: 10 }\npartitions: 8\nhttp:\n  port: 1');
    const configuration = loadConfiguration({
      file, environment: { VOLTSTREAM_HTTP_PORT: '2', VOLTSTREAM_PARTITIONS: '16', PATH: '/bin' },
      flags: { port: '3', data: 'elsewhere', 'poll.waitMs': 7 },
    });
    expect(configuration).toMatchObject({
      commit: { intervalMs: 100, recordsMax: 10 }, partitions: 16, http: { port: 3 }, dataFolder: 'elsewhere', poll: { waitMs: 7 },
    });
  });

  it('finds its file by VOLTSTREAM_CONFIG, and reads JSON as well', () => {
    const environment = { VOLTSTREAM_CONFIG: fileOf('{ "applicationId": "city" }'), VOLTSTREAM_TEST_KAFKA: 'localhost:9092' };
    expect(loadConfiguration({ environment }).applicationId).toBe('city');
  });

  it('takes a number that may be left out from text, and nothing from empty text', () => {
    const daysOf = (text: string): number | null => loadConfiguration({ flags: { 'warehouse.rawEventsDays': text } }).warehouse.rawEventsDays;
    expect(loadConfiguration({}).warehouse.rawEventsDays).toBeNull();
    expect([daysOf('400'), daysOf('36_500'), daysOf('')]).toEqual([400, 36_500, null]);
    for (const wrong of ['0', '1.5', '36501', 'all']) expect(() => daysOf(wrong)).toThrow(/warehouse\.rawEventsDays must be integer from 1 to 36500, or not set/);
  });

  it('is frozen through and through', () => {
    const configuration = loadConfiguration({ flags: { 'log.kind': 'kafka', 'log.brokers': 'a:1, b:2' } });
    expect(configuration.log.brokers).toEqual(['a:1', 'b:2']);
    for (const part of [configuration, configuration.log, configuration.log.sasl, configuration.log.brokers]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('names every mistake at once: unknown keys with what was meant, values with what is allowed and where they came from', () => {
    const file = fileOf('comit: { intervalMs: 5 }\ncommit: { intervallMs: 5, bytesMax: 8 MiB }\nstate: lmdb');
    const load = () => loadConfiguration({
      file, environment: { VOLTSTREAM_HTTP_PROT: '1', VOLTSTREAM_LOG_LEVEL: 'loud' }, flags: { 'out.boxRowsMax': 1, partitions: '0', port: 'x' },
    });
    expect(load).toThrow(/CONFIGURATION_INVALID/);
    for (const part of [
      /voltstream\.yaml: comit is not a setting/, /commit\.intervallMs is not a setting; did you mean commit\.intervalMs\?/,
      /commit\.bytesMax must be integer from .*, not "8 MiB"/, /state is a group of settings/,
      /environment: VOLTSTREAM_HTTP_PROT is not a setting; did you mean VOLTSTREAM_HTTP_PORT\?/,
      /VOLTSTREAM_LOG_LEVEL: logLevel must be trace or .*, not "loud"/, /command line: out\.boxRowsMax is not a setting; did you mean outbox\.rowsMax\?/, /--set: partitions must be/, /--port: http\.port must be integer/,
    ]) expect(load).toThrow(part);
  });

  it.each([
    [{ 'log.kind': 'kafka' }, 'log.kind kafka needs log.brokers'],
    [{ 'log.brokers': 'a:1' }, 'log.kind is embedded'],
    [{ 'log.heartbeatIntervalMs': 20_000 }, 'at most a third'],
    [{ 'log.sasl.mechanism': 'plain', 'log.sasl.username': 'u' }, 'needs log.sasl.username and log.sasl.password'],
    [{ 'log.sasl.username': 'u' }, 'log.sasl.mechanism is none'],
    [{ 'log.sasl.mechanism': 'oauthbearer' }, 'either log.sasl.tokenFile or log.sasl.tokenEndpoint'],
    [{ 'log.sasl.mechanism': 'oauthbearer', 'log.sasl.tokenFile': 'token', 'log.sasl.password': 'p' }, 'log.sasl.mechanism is oauthbearer'],
    [{ 'log.sasl.mechanism': 'oauthbearer', 'log.sasl.tokenEndpoint': 'https://login/token' }, 'needs log.sasl.clientId and log.sasl.clientSecret'],
    [{ 'log.sasl.tokenFile': 'token' }, 'set it to oauthbearer'],
    [{ 'log.ssl.enabled': true, 'log.ssl.keyFile': 'k' }, 'belong together'],
    [{ 'log.ssl.caFile': 'ca.pem' }, 'log.ssl.enabled is false'],
    [{ 'state.kind': 'redis' }, 'state.kind redis needs state.url'],
    [{ 'state.url': 'redis://a:1' }, 'state.kind is lmdb: set it to redis'],
    [{ 'warehouse.kind': 'server' }, 'warehouse.kind server needs warehouse.url'],
    [{ 'registry.kind': 'confluent' }, 'registry.kind confluent needs registry.url'],
    [{ 'outbox.rowsMax': 10 }, 'outbox.sealRowsMax may be at most'],
    [{ 'outbox.bytesMax': 2_000 }, 'outbox.sealBytesMax may be at most'],
    [{ 'commit.intervalMs': 10 }, 'poll.waitMs may be at most'],
  ])('refuses %o: %s', (flags, message) => {
    expect(() => loadConfiguration({ flags })).toThrow(message);
  });

  it('says what is wrong with a file: missing, not YAML, not settings', () => {
    expect(() => loadConfiguration({ file: join(folder, 'none.yaml') })).toThrow(/none\.yaml: cannot be read \(ENOENT\)/);
    expect(() => loadConfiguration({ file: fileOf('a: [1') })).toThrow(/voltstream\.yaml: /);
    expect(() => loadConfiguration({ file: fileOf('- 1') })).toThrow(/must be settings by name/);
    expect(loadConfiguration({ file: fileOf('# nothing yet\n') })).toEqual(loadConfiguration());
  });

  it('prints no secret, neither in full nor in errors, and everything else', () => {
    const flags = {
      'log.kind': 'kafka', 'log.brokers': 'a:1', 'log.sasl.mechanism': 'plain', 'log.sasl.username': 'shown', 'log.sasl.password': 'hidden-1',
      'state.kind': 'redis', 'state.url': 'redis://user:hidden-2@cache:6379/1', 'warehouse.kind': 'server',
      'warehouse.url': 'https://warehouse:8443/?password=hidden-3', 'warehouse.password': 'hidden-4',
    };
    const text = printConfiguration(loadConfiguration({ flags }));
    expect(text).not.toContain('hidden');
    expect(text).toContain('redis://***@cache:6379/1');
    expect(text).toContain('"username": "shown"');
    expect(Object.keys(JSON.parse(text))).toEqual(Object.keys(loadConfiguration()));
    const wrong = () => loadConfiguration({ flags: { 'state.url': 'radis://user:hidden-5@cache' } });
    expect(wrong).toThrow('state.url must be redis:// or rediss:// URL');
    expect(wrong).not.toThrow('hidden');
  });

  it('has a reason for every setting, and names that are taken once', () => {
    for (const { setting, path } of settingEntries) expect(setting.reason.length, path).toBeGreaterThan(15);
    const names = settingEntries.flatMap((entry) => [entry.path, entry.environment, ...(entry.setting.alias === null ? [] : [`--${entry.setting.alias}`])]);
    expect(new Set(names).size).toBe(names.length);
    for (const { setting } of settingEntries) {
      if (setting.default !== null) expect(setting.parse(setting.default)).toEqual(setting.default);
    }
  });

  it('refuses --config without a file', () => {
    expect(() => loadConfiguration({ file: '' })).toThrow('--config: needs the name of a file');
  });
});
