import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadReference } from '../../charging/reference/load-reference.ts';
import { readReferenceFile } from '../../charging/reference/reference-file.ts';
import { tariffsTopic, vehiclesTopic } from '../../charging/reference/reference-topics.ts';
import { chargingTopics } from '../../charging/topics.ts';
import { eventsTopic, stationsTopic } from '../../charging/topology.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { MemoryLog } from '../../runtime/log/memory-log.ts';
import { logAndRegistryOf } from '../../runtime/ports.ts';
import { parseChargingEvent } from '../../schemas/charging-event-json.ts';
import { FileRegistry } from '../../schemas/file-registry.ts';

const program = join(import.meta.dirname, '..', 'voltstream.ts');
const folder = mkdtempSync(join(tmpdir(), 'voltstream-simulate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: readonly string[]): string => join(folder, ...names);
const lines = (path: string): readonly string[] => readFileSync(path, 'utf8').split('\n').filter((line) => line !== '');

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs `voltstream simulate`; `stop` may end it by a signal when it likes what it reads. */
async function simulate(words: readonly string[], stop: (output: string) => NodeJS.Signals | null = () => null): Promise<Ended> {
  const child = spawn(process.execPath, [program, 'simulate', ...words], {
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'voltstream-compile-cache') }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      // A second one would end it at once.
      const signal = child.killed ? null : stop(output);
      if (signal !== null) child.kill(signal);
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, output };
}

/** What lies in a log: topic, key, time and a hash of each record's bytes. */
async function recordsIn(data: string): Promise<readonly string[]> {
  const { log, registry } = await logAndRegistryOf(loadConfiguration({ file: undefined, environment: {}, flags: { data } }));
  const found: string[] = [];
  await log.open();
  try {
    for (const topic of [eventsTopic, stationsTopic, tariffsTopic, vehiclesTopic]) {
      for (let partition = 0; partition < (await log.partitionCount(topic) ?? 0); partition += 1) {
        const { start, end } = await log.bounds({ topic, partition });
        if (start === end) continue;
        for await (const { records } of log.read({ topic, partition }, start, end)) {
          for (const { key, value, timestampMs } of records) {
            found.push(`${topic} ${Buffer.from(key ?? '').toString()} ${timestampMs} ${createHash('sha256').update(value ?? '').digest('hex').slice(0, 16)}`);
          }
        }
      }
    }
  } finally {
    await log.close();
    await registry.close();
  }
  return found.sort();
}

const short = ['--profile', 'dirty-data', '--workers', '0'] as const;

describe('voltstream simulate', () => {
  it('lists the profiles with their size', async () => {
    const { code, output } = await simulate(['--list']);
    expect(code).toBe(0);
    for (const name of ['city', 'motorway', 'fleet-depot', 'morning-rush', 'blackout', 'dirty-data', 'million']) expect(output).toMatch(new RegExp(`^${name} +[\\d,]+ connectors`, 'm'));
  }, 120_000);

  it('writes events as ingest reads them, stations, tariffs and vehicles as reference load does, and the ledger', async () => {
    const { code, output } = await simulate([...short, '--days', '0.2', '--out', at('lines'), '--json']);
    expect(code).toBe(0);
    const parsed = lines(at('lines', 'events.jsonl')).map(parseChargingEvent);
    const told = JSON.parse(output.trim().split('\n').at(-1) ?? '') as { readonly messages: number; readonly complete: boolean };
    expect([told.complete, told.messages]).toEqual([true, parsed.length]);
    expect(parsed.filter((one) => one.kind === 'event' && one.unknownFields.length === 0).length).toBeGreaterThan(parsed.length * 0.9);
    const faults = lines(at('lines', 'ledger', 'faults.jsonl')).map((line) => (JSON.parse(line) as { readonly kind: string }).kind);
    expect(parsed.filter(({ kind }) => kind !== 'event').length).toBe(faults.filter((kind) => kind === 'malformed').length);

    const [log, registry] = [new MemoryLog(), new FileRegistry({ folder: at('registry') })];
    await log.open();
    await registry.open();
    await log.createTopics(chargingTopics(2));
    const load = async (name: string): Promise<{ readonly added: number; readonly changed: number; readonly unchanged: number; readonly quarantined: number } | undefined> => (await loadReference({
      files: [await readReferenceFile(at('lines', name))], format: null, log, registry, nowMs: Date.UTC(2026, 1, 1), validFromMs: null, withdraw: false, dryRun: false,
    }))[0];
    expect(await load('tariffs.json')).toMatchObject({ added: 4, quarantined: 0 });
    const vehicles = await load('vehicles.json');
    expect(vehicles).toMatchObject({ quarantined: 0 });
    expect(vehicles?.added).toBeGreaterThan(100);
    const stations = lines(at('lines', 'stations.jsonl')).map((line) => JSON.parse(line) as { readonly stationId: string });
    expect(await load('stations.jsonl')).toMatchObject({ added: new Set(stations.map(({ stationId }) => stationId)).size, quarantined: 0 });
    for (const name of ['tariffs.json', 'vehicles.json', 'stations.jsonl']) expect(await load(name), name).toMatchObject({ added: 0, changed: 0, quarantined: 0 });
    await registry.close();
    await log.close();
  }, 120_000);

  it('writes Avro object container files, with what is no event beside them', async () => {
    expect((await simulate([...short, '--days', '0.1', '--out', at('avro'), '--format', 'avro'])).code).toBe(0);
    expect((await simulate([...short, '--days', '0.1', '--out', at('avro-again'), '--format', 'avro', '--workers', '2'])).code).toBe(0);
    for (const name of ['events.avro', 'stations.avro']) expect(readFileSync(at('avro', name)).subarray(0, 4).toString('latin1')).toBe('Obj\u0001');
    for (const name of ['events.avro', 'stations.avro', 'events.malformed']) expect(readFileSync(at('avro', name)).equals(readFileSync(at('avro-again', name))), name).toBe(true);
    const malformed = lines(at('avro', 'ledger', 'faults.jsonl')).filter((line) => line.includes('"malformed"'));
    expect(lines(at('avro', 'events.malformed')).length).toBe(malformed.length);
  }, 120_000);

  it('goes on in the log where it was killed: nothing twice, nothing left out', async () => {
    const words = (data: string): readonly string[] => [...short, '--days', '0.15', '--data', at(data)];
    expect((await simulate(words('whole'))).code).toBe(0);
    // At a rate, so that there is something to kill.
    const killed = await simulate([...words('killed'), '--rate', '600'], (output) => (/messages,/.test(output) ? 'SIGKILL' : null));
    expect(killed.code).toBe(null);
    const before = await recordsIn(at('killed'));
    const again = await simulate(words('killed'));
    expect(again.code).toBe(0);
    expect(again.output).toContain('going on at simulated minute');
    const whole = await recordsIn(at('whole'));
    expect(before.length).toBeGreaterThan(500);
    expect(before.length).toBeLessThan(whole.length);
    expect(await recordsIn(at('killed'))).toEqual(whole);
    for (const name of ['sessions', 'statuses', 'faults']) {
      const path = join('ledger', 'dirty-data-1', `${name}.jsonl`);
      expect(readFileSync(at('killed', path)).equals(readFileSync(at('whole', path))), name).toBe(true);
    }
    expect((await simulate(words('killed'))).output).toContain(': 0 messages');
    expect(await recordsIn(at('killed'))).toEqual(whole);
  }, 180_000);

  it('keeps networks of one log apart: by a prefix of their sites, without which the second is refused', async () => {
    const words = [...short, '--days', '0.02', '--data', at('two')];
    expect((await simulate(words)).code).toBe(0);
    const alone = await recordsIn(at('two'));
    for (const other of [['--seed', '2'], ['--start', '2025-06-01T00:00:00Z'], ['--profile', 'city']]) {
      const refused = await simulate([...words, ...other]);
      expect(refused.code, refused.output).toBe(2);
      for (const part of ['CONFIGURATION_INVALID', 'sites of the same names', 'dirty-data', '--site-prefix']) expect(refused.output).toContain(part);
    }
    expect(await recordsIn(at('two'))).toEqual(alone);
    expect((await simulate([...words, '--seed', '2', '--site-prefix', 'north-'])).code).toBe(0);
    const keys = (await recordsIn(at('two'))).filter((record) => !alone.includes(record)).map((record) => record.split(' ')[1] ?? '');
    expect(keys.length).toBeGreaterThan(50);
    // Prices and models are the same for both.
    expect(keys.filter((key) => !key.startsWith('north-') && !alone.some((record) => record.split(' ')[1] === key))).toEqual([]);
    expect(readdirSync(at('two', 'ledger')).sort()).toEqual(['dirty-data-1', 'north-dirty-data-2']);
    expect((await simulate(words)).output).toContain(': 0 messages');
  }, 240_000);

  it('stops at SIGINT, says so, and leaves files that say that they are not complete', async () => {
    const { code, output } = await simulate([...short, '--days', '2', '--out', at('stopped'), '--speed', '60', '--start', 'now'], (text) => (/messages,/.test(text) ? 'SIGINT' : null));
    expect(code).toBe(0);
    expect(output).toContain('ended early');
    expect(readdirSync(at('stopped'))).toContain('events.jsonl.part');
    expect(existsSync(at('stopped', 'events.jsonl'))).toBe(false);
  }, 120_000);

  it('keeps to a rate', async () => {
    const { output } = await simulate(['--profile', 'city', '--days', '0.01', '--out', at('rate'), '--rate', '500', '--workers', '0', '--json']);
    const { messages, seconds } = JSON.parse(output.trim().split('\n').at(-1) ?? '') as { readonly messages: number; readonly seconds: number };
    expect(messages / seconds).toBeLessThan(520);
  }, 120_000);

  it.each([
    [['--rate', 'many'], '--rate', 'a number above 0', 'many'], [['--days', '0'], '--days', 'a number above 0', '0'], [['--start', 'soon'], '--start', 'an ISO time', 'soon'],
    [['--workers', '-1'], '--workers', 'a whole number', '-1'], [['--rate', '1', '--speed', '1'], '--rate', 'either a rate or a speed', 'both'],
    [['--site-prefix', 'a b'], '--site-prefix', 'letters, digits', 'a b'], [['--format', 'xml', '--out', at('xml')], '--format', 'jsonl or avro', 'xml'], [['--out', folder], folder, 'a new or empty folder', 'a folder with files'],
  ])('refuses %j, saying where, what is wanted and what it got', async (words, where, wanted, got) => {
    const { code, output } = await simulate(words);
    expect(code).toBe(2);
    for (const part of ['CONFIGURATION_INVALID', where, wanted, got]) expect(output).toContain(part);
  }, 120_000);

  it('refuses a profile that is none, with the names of those that are', async () => {
    const { code, output } = await simulate(['--profile', 'atlantis']);
    expect(code).toBe(1);
    for (const part of ['PROFILE_INVALID', 'atlantis', 'city', 'dirty-data']) expect(output).toContain(part);
  }, 120_000);
});
