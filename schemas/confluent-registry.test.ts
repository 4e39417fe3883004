import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registered } from './avro-codec.ts';
import { ConfluentRegistry } from './confluent-registry.ts';
import type { ConfluentRegistryOptions } from './confluent-registry.ts';
import { describeSchemaRegistry } from './registry-contract.ts';
import { RestRegistry } from './testing/rest-registry.ts';

describeSchemaRegistry('ConfluentRegistry', async () => {
  const server = new RestRegistry();
  const url = await server.listen();
  return { connect: () => new ConfluentRegistry({ url }), remove: () => server.close() };
});

describe('ConfluentRegistry and its server', () => {
  const form = registered<{ readonly x: number }>({ type: 'record', name: 'R', fields: [{ name: 'x', type: 'int' }] });
  let server = new RestRegistry();
  let url = '';
  beforeEach(async () => {
    server = new RestRegistry();
    url = await server.listen();
  });
  afterEach(() => server.close());

  function connect(options: Partial<ConfluentRegistryOptions> = {}): ConfluentRegistry {
    return new ConfluentRegistry({ url, requestMaxMs: 2_000, writerRetryMs: 0, ...options });
  }

  it('asks for an id once, and for an unknown one not again for a while', async () => {
    const id = await connect().register('r-value', form);
    const registry = connect({ unknownKeptMs: 60_000 });
    server.requests.length = 0;
    await registry.reader(form).load(id);
    await registry.reader(form).load(id);
    for (let time = 0; time < 3; time++) await expect(registry.reader(form).load(99)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    expect(server.requests).toEqual([`GET /schemas/ids/${id}`, 'GET /schemas/ids/99']);
  });

  it('finds a schema again that was registered after it was said to be unknown', async () => {
    const reader = connect({ unknownKeptMs: 0 }).reader(form);
    await expect(reader.load(1)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    await connect().register('r-value', form);
    await reader.load(1);
    expect(reader.decode(Buffer.from('000000000104', 'hex'))).toEqual({ x: 2 });
  });

  it('asks, but does not write, for a schema that the subject has already', async () => {
    await connect().register('r-value', form);
    server.requests.length = 0;
    await connect({ compatibility: 'FULL' }).register('r-value', form);
    expect(server.requests).toEqual(['POST /subjects/r-value']);
  });

  it.each([
    ['a server error', { status: 503, body: '{"error_code":50003,"message":"leader not known"}' }],
    ['wrong credentials', { status: 401, body: '{"error_code":401,"message":"Unauthorized"}' }],
    ['a 404 of something that is no registry', { status: 404, body: '<html>not here</html>' }],
    ['no answer at all', 'hang'],
  ] as const)('calls %s an outage, never an unknown schema', async (name, failure) => {
    const registry = connect({ requestMaxMs: 300 });
    server.failure = failure;
    await expect(registry.reader(form).load(1)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    const code = name === 'wrong credentials' ? 'LOGIN_REFUSED' : 'REGISTRY_UNAVAILABLE';
    await expect(registry.writer('r-value', form)).rejects.toMatchObject({ code });
    server.failure = null;
    await registry.writer('r-value', form);
    await registry.reader(form).load(1);
  });

  it('calls a refused connection an outage', async () => {
    const registry = connect({ url: 'http://127.0.0.1:1' });
    await expect(registry.reader(form).load(1)).rejects.toThrow(/REGISTRY_UNAVAILABLE[^]*ECONNREFUSED/);
    await expect(registry.writer('r-value', form)).rejects.toThrow(/REGISTRY_UNAVAILABLE[^]*ECONNREFUSED/);
  });

  it('sends credentials, and shows them in no error', async () => {
    const registry = connect({ username: 'reader', password: 'hidden-word', requestMaxMs: 500 });
    await registry.register('r-value', form);
    expect(new Set(server.authorizations)).toEqual(new Set([`Basic ${Buffer.from('reader:hidden-word').toString('base64')}`]));
    server.failure = { status: 401, body: '{"message":"Unauthorized"}' };
    const error: unknown = await registry.reader(form).load(5).then(() => null, (reason: unknown) => reason);
    expect(String(error)).not.toContain('hidden-word');
  });

  it.each([401, 403])('says so at its opening when the login is refused: %i', async (status) => {
    const registry = connect({ username: 'reader', password: 'hidden-word' });
    server.failure = { status, body: '{"message":"Unauthorized"}' };
    const error: unknown = await registry.open().then(() => null, (reason: unknown) => reason);
    expect(String(error)).toMatch(/LOGIN_REFUSED: the schema registry refused the login(.|\n)*registry\.username/);
    const atWriter: unknown = await registry.writer('r-value', form).then(() => null, (reason: unknown) => reason);
    const atReader: unknown = await registry.reader(form).load(3).then(() => null, (reason: unknown) => reason);
    expect(inspect([error, atWriter, atReader], { depth: 12 })).not.toMatch(/hidden-word|aGlkZGVu|cmVhZGVyO/);
  });

  it('opens while the registry is away, and asks again for a while before a writer gives up', async () => {
    const port = new URL(url).port;
    await server.close();
    const registry = connect({ writerRetryMs: 20_000, requestMaxMs: 500 });
    await registry.open();
    const writer = registry.writer('r-value', form);
    await new Promise((later) => setTimeout(later, 300));
    server = new RestRegistry();
    await server.listen(Number(port));
    expect((await writer).encode({ x: 1 })[4]).toBe(1);
  });

  describe('with a cache', () => {
    let cacheFolder = '';
    beforeEach(() => { cacheFolder = mkdtempSync(join(tmpdir(), 'registry-cache-')); });
    afterEach(() => { rmSync(cacheFolder, { recursive: true, force: true }); });
    const filesOf = (): string[] => readdirSync(cacheFolder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json')).map((name) => join(cacheFolder, name));

    it('writes and reads after a restart although the registry is away, from the first moment', async () => {
      const first = connect({ cacheFolder });
      const bytes = (await first.writer('r-value', form)).encode({ x: 7 });
      await first.reader(form).load(1);
      await server.close();
      const second = connect({ cacheFolder, requestMaxMs: 500 });
      await second.open();
      expect((await second.writer('r-value', form)).encode({ x: 7 })).toEqual(bytes);
      const reader = second.reader(form);
      await reader.load(1);
      expect(reader.decode(bytes)).toEqual({ x: 7 });
      // What it never said is not made up.
      await expect(second.reader(form).load(2)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      await expect(second.writer('other-value', form)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      server = new RestRegistry();
      await server.listen();
    });

    it('believes the registry rather than the cache while it answers, and keeps several registries apart', async () => {
      expect(await connect({ cacheFolder }).register('r-value', form)).toBe(1);
      const other = new RestRegistry();
      const otherUrl = await other.listen();
      other.plant('"string"');
      expect(await connect({ cacheFolder, url: otherUrl }).register('r-value', form)).toBe(2);
      await other.close();
      expect(await connect({ cacheFolder, url: otherUrl, requestMaxMs: 500 }).register('r-value', form)).toBe(2);
      expect(await connect({ cacheFolder }).register('r-value', form)).toBe(1);
    });

    it('takes damaged and half written files for absent', async () => {
      const registry = connect({ cacheFolder });
      await registry.register('r-value', form);
      await registry.reader(form).load(1);
      const files = filesOf();
      expect(files).toHaveLength(2);
      for (const file of files) writeFileSync(file, readFileSync(file, 'utf8').replace(/"answer":"(.)/, '"answer":"9$1'));
      const again = connect({ cacheFolder });
      await again.reader(form).load(1);
      expect(await again.register('r-value', form)).toBe(1);
      for (const file of files) writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20));
      await server.close();
      await expect(connect({ cacheFolder, requestMaxMs: 500 }).register('r-value', form)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      server = new RestRegistry();
      await server.listen();
    });

    it('is left out where its folder cannot be written to', async () => {
      const file = join(cacheFolder, 'a-file');
      writeFileSync(file, '');
      expect(await connect({ cacheFolder: file }).register('r-value', form)).toBe(1);
    });

    it('does not hide a refused login', async () => {
      await connect({ cacheFolder }).register('r-value', form);
      server.failure = { status: 401, body: '{"message":"Unauthorized"}' };
      await expect(connect({ cacheFolder }).register('r-value', form)).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
    });
  });

  it('says which level a subject has when it is another than the configured one', async () => {
    await connect().register('r-value', form);
    const more = registered({ type: 'record', name: 'R', fields: [] });
    const refused = connect({ compatibility: 'FULL' }).register('r-value', more);
    await expect(refused).rejects.toThrow(/CONFIGURATION_INVALID[^]*wanted: FULL[^]*BACKWARD/);
  });

  it('makes records of a schema that is no Avro malformed, and does not ask again and again', async () => {
    const id = server.plant('{"type":"nonsense"}');
    const reader = connect().reader(form);
    await reader.load(id);
    await reader.load(id);
    expect(server.requests.length).toBe(1);
    expect(() => reader.decode(Buffer.from('000000000104', 'hex'))).toThrow(/DESERIALISATION_FAILED/);
  });
});
