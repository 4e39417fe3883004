import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, voltstream } from '../bad-input/command.ts';

const program = join(import.meta.dirname, '..', '..', 'cli', 'voltstream.ts');
const folders: string[] = [];

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-stop-'));
  folders.push(folder);
  return folder;
}

/** Starts `run` over the shipped data and sends SIGINT as soon as rows have been delivered, `times` times. */
function interrupted(data: string, times: number): Promise<Ended> {
  const child = spawn(process.execPath, [program, 'run', '--port', '0', '--data', data], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  let sent = 0;
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
    const told = sent === 0 ? /, [1-9][\d,]* rows in ClickHouse/.test(errors) : errors.includes('Once more ends at once');
    if (told && sent < times) {
      sent++;
      child.kill('SIGINT');
    }
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, errors })));
}

/** Rows of every base table, and how many of them stand for the same thing. */
async function counted(data: string): Promise<Readonly<Record<string, number>>> {
  const [found] = await ask<Record<string, number>>(data, `SELECT
    (SELECT toUInt32(count()) FROM voltstream.charging_events) AS events,
    (SELECT toUInt32(uniqExact(topic, partition, offset)) FROM voltstream.charging_events) AS distinct_events,
    (SELECT toUInt32(count()) FROM voltstream.station_hours) AS hours,
    (SELECT toUInt32(uniqExact(station_id, hour, _version)) FROM voltstream.station_hours) AS distinct_hours,
    (SELECT toUInt32(count()) FROM voltstream.charging_sessions FINAL) AS sessions`);
  return found ?? {};
}

describe('voltstream run, interrupted while it works', () => {
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  it('ends with 130 at a second SIGINT, with 0 at one alone after delivering what it has, and the work is whole in the end', async () => {
    const data = freshFolder();
    const twice = await interrupted(data, 2);
    expect(twice, twice.errors).toMatchObject({ code: 130, signal: null });
    expect(twice.errors).toContain('Nothing is lost');

    const once = await interrupted(data, 1);
    expect(once, once.errors).toMatchObject({ code: 0, signal: null });
    const there = await counted(data);
    expect(there['events']).toBeGreaterThan(0);
    expect(there['events']).toBeLessThan(685_790);
    expect(there['events']).toBe(there['distinct_events']);
    expect(there['hours']).toBe(there['distinct_hours']);

    await voltstream('run', '--exit', '--data', data);
    await voltstream('verify', '--against', 'dundee', '--data', data);
    const whole = await counted(data);
    expect(whole).toMatchObject({ events: 685_790, distinct_events: 685_790, sessions: 67_110 });
    expect(whole['hours']).toBe(whole['distinct_hours']);
  }, 300_000);
});
