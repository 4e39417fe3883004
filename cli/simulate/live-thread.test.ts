import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { eventsTopic } from '../../charging/topology.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { logAndRegistryOf } from '../../runtime/ports.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import { simulateLive } from './live-thread.ts';

const data = mkdtempSync(join(tmpdir(), 'voltstream-live-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));
const configuration = loadConfiguration({ file: undefined, environment: {}, flags: { data } });

/** Lets live stations go on until so many messages were sent since; gives how many. */
async function until(messages: number): Promise<number> {
  const abort = new AbortController();
  let sum = 0;
  await simulateLive(configuration, abort.signal, (sent) => {
    sum += sent;
    if (sum >= messages) abort.abort();
  }, (error) => { throw error; });
  return sum;
}

async function told(): Promise<readonly ChargingEvent[]> {
  const { log, registry } = await logAndRegistryOf(configuration);
  const events: ChargingEvent[] = [];
  await log.open();
  await registry.open();
  const reader = registry.reader(chargingEvent);
  for (let partition = 0; partition < (await log.partitionCount(eventsTopic) ?? 0); partition += 1) {
    const { start, end } = await log.bounds({ topic: eventsTopic, partition });
    if (start === end) continue;
    for await (const { records } of log.read({ topic: eventsTopic, partition }, start, end)) {
      for (const { value } of records) {
        if (value === null || value[0] !== 0) continue;
        await reader.load(new DataView(value.buffer, value.byteOffset).getUint32(1));
        events.push(reader.decode(value));
      }
    }
  }
  await registry.close();
  await log.close();
  return events;
}

describe('live stations', () => {
  it('tell what has happened up to now and no further, under names of their own, and go on where they were', async () => {
    const sent = await until(500);
    const before = await told();
    const started = JSON.parse(readFileSync(join(data, 'live-simulation.json'), 'utf8')) as { readonly startMs: number };
    expect(before.length).toBeGreaterThanOrEqual(490);
    expect(before.length).toBeLessThanOrEqual(sent);
    await until(500);
    const after = await told();
    expect((JSON.parse(readFileSync(join(data, 'live-simulation.json'), 'utf8')) as { readonly startMs: number }).startMs).toBe(started.startMs);
    expect(after.length).toBeGreaterThan(before.length + 490);
    expect(after.every(({ stationId }) => /^live-\d{6}-(home|workplace|street|hub)-/.test(stationId))).toBe(true);
    expect(after.every(({ receivedMs }) => (receivedMs ?? 0) <= Date.now() + 1_000)).toBe(true);
    // Messages that come twice are those that were meant to.
    const ids = new Map<string, ChargingEvent>();
    let copies = 0;
    for (const event of after) {
      if (ids.has(event.eventId)) copies += 1;
      ids.set(event.eventId, event);
    }
    expect(copies).toBeLessThan(after.length * 0.03);
  }, 120_000);

  it('do nothing when everything ends already', async () => {
    await simulateLive(configuration, AbortSignal.abort(), () => undefined, () => undefined);
  });
});
