import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const program = join(import.meta.dirname, 'voltstream.ts');
const folder = mkdtempSync(join(tmpdir(), 'voltstream-run-'));
const running: Run[] = [];

/** One `voltstream` process with the lines it has written. */
class Run {
  readonly child: ChildProcess;
  output = '';

  constructor(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [program, ...words], {
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'voltstream-compile-cache'), ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on('data', (chunk: Buffer) => void (this.output += chunk.toString()));
    running.push(this);
  }

  get lines(): readonly Record<string, unknown>[] {
    return this.output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  line(msg: string): Record<string, unknown> | undefined {
    return this.lines.find((line) => line['msg'] === msg);
  }

  async url(): Promise<string> {
    await expect.poll(() => this.line('starting')?.['url'] ?? this.child.exitCode, { timeout: 60_000, interval: 100 }).not.toBeNull();
    return String(this.line('starting')?.['url']);
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }
}

afterEach(async () => {
  for (const run of running.splice(0)) {
    run.child.kill('SIGKILL');
    await run.ended();
  }
  rmSync(folder, { recursive: true, force: true });
});

const embedded = ['run', '--no-sample', '--port', '0', '--data', folder];
const planted = 'plant!d/secret@1';

describe('voltstream run without the data set', () => {
  it('names its pod, is alive but not ready while memory is full, says what takes it, shows no secret, and ends with 0 at SIGTERM', async () => {
    const run = new Run([...embedded, '--set', 'memory.limitMb=64'], { POD_NAME: 'city-7', VOLTSTREAM_WAREHOUSE_PASSWORD: planted });
    const url = await run.url();
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const reasons = async (): Promise<unknown> => ((await (await fetch(`${url}/ready`)).json()) as { readonly reasons: unknown }).reasons;
    await expect.poll(reasons, { timeout: 60_000 }).toEqual(['memory is full: tasks read no input']);
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('voltstream_pod_info{application="voltstream",pod="city-7"} 1');
    expect(metrics).toContain('voltstream_memory_paused 1');
    expect(metrics).toContain('voltstream_memory_limit_bytes 67108864');
    const status = await (await fetch(`${url}/api/status`)).text();
    expect(JSON.parse(status)).toMatchObject({ pod: 'city-7' });
    run.child.kill('SIGTERM');
    expect(await run.ended(), run.output).toBe(0);
    for (const line of run.lines) expect(line).toMatchObject({ application: 'voltstream', pod: 'city-7' });
    expect(run.line('memory is full: tasks read no input until less of it is taken')).toMatchObject({ level: 'error', limitMb: 64, stateEntries: expect.any(Object), outboxMb: expect.any(Number) });
    expect(run.line('stopped')).toBeDefined();
    for (const text of [run.output, metrics, status]) expect(text).not.toContain(planted);
  }, 120_000);

  it('is ready when its tasks are restored, keeps the folder for itself, and ends at once at a second signal', async () => {
    const run = new Run(embedded);
    const url = await run.url();
    await expect.poll(async () => (await fetch(`${url}/ready`)).status, { timeout: 60_000 }).toBe(200);
    const other = new Run(embedded);
    expect(await other.ended()).toBe(1);
    expect(other.lines.at(-1)).toMatchObject({ level: 'fatal', err: { code: 'DATA_FOLDER_BUSY' } });
    run.child.kill('SIGTERM');
    run.child.kill('SIGTERM');
    expect([0, 143]).toContain(await run.ended());
  }, 120_000);

  it('tells no secret when servers cannot be reached, nor in the settings in force', async () => {
    const settings = {
      VOLTSTREAM_LOG_KIND: 'kafka', VOLTSTREAM_LOG_BROKERS: '127.0.0.1:1', VOLTSTREAM_LOG_SASL_MECHANISM: 'plain', VOLTSTREAM_LOG_SASL_USERNAME: 'city', VOLTSTREAM_LOG_SASL_PASSWORD: planted,
      VOLTSTREAM_STATE_KIND: 'redis', VOLTSTREAM_STATE_URL: `redis://city:${encodeURIComponent(planted)}@127.0.0.1:1`,
      VOLTSTREAM_WAREHOUSE_KIND: 'server', VOLTSTREAM_WAREHOUSE_URL: `http://city:${encodeURIComponent(planted)}@127.0.0.1:1`,
      VOLTSTREAM_REGISTRY_KIND: 'confluent', VOLTSTREAM_REGISTRY_URL: `http://city:${encodeURIComponent(planted)}@127.0.0.1:1/?key=${encodeURIComponent(planted)}`,
    };
    const runs = [
      new Run(['run', '--no-sample', '--data', folder], settings), new Run(['run', '--data', folder], settings), new Run(['run', '--print-config'], settings),
      new Run(['query', 'SELECT 1'], settings), new Run(['run', '--workers', '2'], { ...settings, VOLTSTREAM_HTTP_PORT: '0', VOLTSTREAM_DATA_FOLDER: folder }),
    ];
    expect(await Promise.all(runs.map((run) => run.ended()))).toEqual([1, 1, 0, 1, 1]);
    for (const { output } of runs) {
      expect(output.length).toBeGreaterThan(100);
      for (const form of [planted, encodeURIComponent(planted), Buffer.from(`city:${planted}`).toString('base64')]) expect(output).not.toContain(form);
    }
    expect(runs[0]?.lines.at(-1)).toMatchObject({ level: 'fatal', msg: 'failed', err: { code: 'WAREHOUSE_UNAVAILABLE' } });
    expect(runs[1]?.output).toMatch(/^WAREHOUSE_UNAVAILABLE: /m);
  }, 120_000);

  it('refuses workers on a data folder of one process', async () => {
    const run = new Run(['run', '--workers', '2', '--data', folder]);
    expect(await run.ended()).toBe(2);
    expect(run.output).toMatch(/CONFIGURATION_INVALID: several processes cannot share what is embedded[\s\S]*where: --workers/);
  }, 60_000);
});
