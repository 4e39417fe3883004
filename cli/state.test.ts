import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chargingTopology } from '../charging/topology.ts';
import { startHttpServer } from '../console/http-server.ts';
import type { HttpServer } from '../console/http-server.ts';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import { exportSavepoint } from '../runtime/savepoint/export-savepoint.ts';
import { importSavepoint } from '../runtime/savepoint/import-savepoint.ts';
import { TopologyTestDriver } from '../runtime/testing/topology-test-driver.ts';
import { parseChargingEvent } from '../schemas/charging-event-json.ts';
import { LmdbStateStore } from '../state/lmdb-state-store.ts';
import type { StatusReport } from '../console/status.ts';
import { state, stateAnswers, type StateOptions } from './state.ts';
import { announce } from './workplace.ts';

const folder = mkdtempSync(join(tmpdir(), 'voltstream-state-command-'));
const data = join(folder, 'data');
const savepoint = join(folder, 'made.savepoint');
afterAll(() => { rmSync(folder, { recursive: true }); });

/** State of the product after two events, as a savepoint. */
beforeAll(async () => {
  const driver = new TopologyTestDriver(chargingTopology());
  for (const [index, type] of ['TransactionStarted', 'TransactionEnded'].entries()) {
    const parsed = parseChargingEvent(JSON.stringify({ eventId: `e${index}`, type, stationId: 'harbour-1', timestampMs: 1_700_000_000_000 + index * 60_000, transactionId: 't1', meterWh: 1_000 * (index + 1) }));
    if (parsed.kind !== 'event') throw new Error('the event is sound');
    driver.push('charging.events', 'harbour-1', parsed.event, parsed.event.timestampMs);
  }
  await exportSavepoint({ store: await driver.stateStore(), application: 'voltstream', file: savepoint });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command itself, in a process of its own. */
async function spawned(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'voltstream.ts'), 'state', ...args, '--data', data], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

/** What the command does, here. */
async function command(options: Partial<StateOptions> & Readonly<Record<string, unknown>> = {}): Promise<Ended> {
  let out = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await state({ flags: { data }, environment: {} }, { action: 'list', ...options });
    return { code: 0, out, err: '' };
  } catch (error) {
    if (!(error instanceof VoltstreamError)) throw error;
    return { code: 1, out, err: error.message };
  } finally {
    write.mockRestore();
  }
}

describe('voltstream state', () => {
  it('says that there is no state, and makes no folder', async () => {
    expect(await command()).toMatchObject({ code: 1, out: '', err: expect.stringContaining('STATE_MISSING') as unknown });
    expect(existsSync(data)).toBe(false);
  });

  it('brings a savepoint in, once, and takes it away again', async () => {
    expect(await command({ import: savepoint })).toMatchObject({ code: 0, out: expect.stringMatching(/: 4 tasks, \d+ cells imported/) as unknown });
    expect(await command({ import: savepoint })).toMatchObject({ code: 1, err: expect.stringContaining('STATE_EXISTS') as unknown });
    const replaced = await command({ import: savepoint, replace: true, json: true });
    expect(JSON.parse(replaced.out)).toMatchObject({ tasks: expect.arrayContaining(['charging.events_0']) as unknown });
    const file = join(folder, 'again.gz');
    expect((await command({ export: file, json: true })).code).toBe(0);
    expect(readdirSync(folder)).toContain('again.gz');
  });

  it('lists stores, and gives values and pages', async () => {
    const { out } = await command();
    expect(out).toMatch(/^store +kind +step +task +cells +bytes\n/);
    expect(out).toMatch(/^sessions +grouped +sessions +charging\.events_0 +1 /m);
    const page = await spawned('range', 'once.progress', '--limit', '1', '--json');
    expect(JSON.parse(page.out)).toMatchObject({ entries: [{ task: 'charging.events_0' }], next: expect.any(String) as unknown, sequences: { 'charging.events_0': expect.any(Number) as unknown } });
    const { entries: [entry] } = JSON.parse(page.out) as { entries: [{ key: string; value: number }] };
    expect(await command({ action: 'get', store: 'once.progress', key: entry.key })).toMatchObject({ code: 0, out: `${entry.value}\n` });
    expect(await command({ action: 'get', store: 'once.progress', key: 'nobody' })).toMatchObject({ code: 0, out: 'null\n' });
  });

  it('refuses what it does not know', async () => {
    expect(await spawned('show')).toMatchObject({ code: 2, err: expect.stringContaining('list, get or range') as unknown });
    expect(await command({ action: 'get', store: 'none', key: 'k' })).toMatchObject({ code: 1, err: expect.stringContaining('STORE_UNKNOWN') as unknown });
    expect(await command({ export: 'a', import: 'b' })).toMatchObject({ err: expect.stringContaining('CONFIGURATION_INVALID') as unknown });
  });
});

describe('voltstream state, while a process works on the folder', () => {
  let server: HttpServer;
  let withdraw: () => Promise<void>;
  let store: LmdbStateStore;
  beforeAll(async () => {
    store = new LmdbStateStore({ path: join(folder, 'elsewhere') });
    await store.open();
    await importSavepoint({ file: savepoint, store, application: 'voltstream', topology: chargingTopology() });
    const configuration = loadConfiguration({ flags: { data } });
    server = await startHttpServer({
      host: '127.0.0.1', port: 0, metrics: new EngineMetrics({ nodeMetrics: false }), notReadyBecause: () => [],
      status: () => ({} as StatusReport), state: stateAnswers(configuration, store),
    });
    withdraw = await announce(data, server.url);
  });
  afterAll(async () => {
    await withdraw();
    await server.close();
    await store.close();
  });

  it('asks that process', async () => {
    rmSync(join(data, 'state'), { recursive: true });   // only the process can know
    const { out } = await command({ json: true });
    expect((JSON.parse(out) as { stores: { store: string; cells: number }[] }).stores.find((each) => each.store === 'sessions')?.cells).toBe(1);
    expect(await command({ action: 'get', store: 'none', key: 'k' })).toMatchObject({ code: 1, err: expect.stringMatching(/^STORE_UNKNOWN: there is no such store\n {2}wanted: stations-table/) as unknown });
    expect(existsSync(join(data, 'state'))).toBe(false);
  });

  it('takes a savepoint from it, whole or not at all, and does not import into it', async () => {
    const file = join(folder, 'live.savepoint');
    expect(await command({ export: file })).toMatchObject({ code: 0, out: expect.stringMatching(/4 tasks, \d+ cells/) as unknown });
    expect(await command({ import: file })).toMatchObject({ code: 1, err: expect.stringContaining('DATA_FOLDER_BUSY') as unknown });
    const task = 'charging.events_0';
    const previousSequence = (await store.tasks()).find((one) => one.task === task)?.sequence ?? 0;
    const { owner } = await store.claim(task);
    const cells = [{ store: '$import', key: Buffer.from('x'), value: Buffer.from('x') }];
    await store.commit({ task, owner, previousSequence, sequence: previousSequence + 1, commitId: 'half', cells });
    expect(await command({ export: join(folder, 'half.savepoint') })).toMatchObject({ code: 1, err: expect.stringMatching(/^STATE_INCOMPLETE: (.|\n)*task charging\.events_0/) as unknown });
    expect(readdirSync(folder).filter((name) => name.startsWith('half'))).toEqual([]);
  });
});

it('refuses questions that are none', async () => {
  const server = await startHttpServer({
    host: '127.0.0.1', port: 0, metrics: new EngineMetrics({ nodeMetrics: false }), notReadyBecause: () => [], status: () => ({} as StatusReport),
    state: { answer: async (query) => ({ query, bytes: Uint8Array.of(1, 255), large: 1n }), savepoint: () => { throw new Error('not asked'); } },
  });
  const status = async (path: string): Promise<number> => (await fetch(`${server.url}${path}`)).status;
  expect(await (await fetch(`${server.url}/api/state?action=list`)).json()).toEqual({ query: { action: 'list' }, bytes: '01ff', large: '1' });
  expect([await status('/api/state'), await status('/api/state?action=drop'), await status('/api/state/savepoint?compression=none')]).toEqual([400, 400, 400]);
  await server.close();
});
