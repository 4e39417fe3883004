import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../runtime/log/memory-log.ts';
import { FileRegistry } from '../../schemas/file-registry.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { LogProducer, OutboundRecord } from '../../charging/engine.ts';
import { mappingOf } from '../../charging/session-log/mapping-form.ts';
import { chargingTopics } from '../../charging/topics.ts';
import { eventsTopic, stationsTopic } from '../../charging/topology.ts';
import { ingestSessionLog } from '../../charging/ingest/ingest-session-log.ts';
import { quarantineTopic } from '../../charging/ingest/quarantine.ts';

const mapping = mappingOf({
  name: 'boxes', zone: 'Europe/Berlin', outlet: { current: 'AC', powerMaxW: 11_000 },
  columns: {
    id: 'Nr', station: 'Box', connector: 'Plug', site: 'House', start: { column: 'From', format: 'YYYY-MM-DD HH:mm' },
    stop: { column: 'To', format: 'YYYY-MM-DD HH:mm' }, energy: { column: 'kWh', unit: 'kWh' },
  },
}, 'boxes');

const header = 'Nr,Box,Plug,From,To,kWh,House';
const rows = [
  '1,a,1,2024-05-01 08:00,2024-05-01 09:00,7.25,Home',
  '2,a,1,2024-05-01 10:00,2024-05-01 11:00,3,Home',
  '3,b,1,2024-05-01 10:30,2024-05-01 12:00,5,Home',
  'x,,1,2024-05-01 10:30,2024-05-01 12:00,5,Home',
];

describe('ingestSessionLog', () => {
  let folder: string;
  let log: MemoryLog;
  let registry: FileRegistry;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ingest-session-log-'));
    log = new MemoryLog();
    registry = new FileRegistry({ folder });
    await log.open();
    await registry.open();
    await log.createTopics(chargingTopics(2));
  });
  afterEach(async () => {
    await registry.close();
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function file(lines: readonly string[], name = 'log.csv'): string {
    const path = join(folder, name);
    const text = `${[header, ...lines].join('\n')}\n`;
    writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
    return path;
  }

  async function take(path: string, producer?: LogProducer) {
    return ingestSessionLog({ files: [path], mapping, producer: producer ?? await log.producer(), registry, log, nowMs: () => 1 });
  }

  async function countOf(topic: string): Promise<number> {
    const bounds = await Promise.all([0, 1].map((partition) => log.bounds({ topic, partition })));
    return bounds.reduce((sum, { end }) => sum + end, 0);
  }

  async function events(): Promise<readonly ChargingEvent[]> {
    const reader = registry.reader(chargingEvent);
    const all: ChargingEvent[] = [];
    for (const partition of [0, 1]) {
      const place = { topic: eventsTopic, partition };
      const { start, end } = await log.bounds(place);
      for await (const batch of log.read(place, start, end)) {
        for (const { value } of batch.records) {
          if (value === null) continue;
          await reader.load(Buffer.from(value).readInt32BE(1));
          all.push(reader.decode(value));
        }
      }
    }
    return all;
  }

  it('takes each row once: rows in = sessions + flagged + quarantined', async () => {
    const outcome = await take(file(rows));
    expect(outcome).toMatchObject({ rows: 3, quarantined: 1, flagged: 0, added: 3, corrected: 0, unchanged: 0, skipped: 0 });
    expect(await countOf(eventsTopic)).toBe(outcome.events);
    expect(await countOf(quarantineTopic)).toBe(1);
    expect(await countOf(stationsTopic)).toBe(2);
  });

  it.each([
    ['under its name', 'log.csv'], ['under another name', 'copy.csv'], ['as gzip', 'log.csv.gz'],
  ])('adds no event when the same rows come again %s', async (_how, name) => {
    await take(file(rows.slice(0, 3)));
    const before = await countOf(eventsTopic);
    expect(await take(file(rows.slice(0, 3), name))).toMatchObject({ rows: 3, added: 0, corrected: 0, unchanged: 3, events: 0 });
    expect(await countOf(eventsTopic)).toBe(before);
  });

  it.each([['at its end', (more: string) => [...rows, more]], ['at its beginning', (more: string) => [more, ...rows]]])(
    'takes only the new rows of a file that has grown %s', async (_where, grown) => {
      await take(file(rows));
      const ids = new Set((await events()).map((event) => event.eventId));
      expect(await take(file(grown('4,b,1,2024-05-02 08:00,2024-05-02 08:04,0.5,Home')))).toMatchObject({ added: 1, corrected: 0, unchanged: 4, quarantined: 1 });
      const added = (await events()).filter((event) => !ids.has(event.eventId));
      expect(added.filter((event) => event.type !== 'Heartbeat').map((event) => event.eventId)).toEqual(
        ['boxes-4-0', 'boxes-4-1', 'boxes-4-2', 'boxes-4-3', 'boxes-4-4'].slice(0, added.length - 1),
      );
      expect(await countOf(quarantineTopic)).toBe(1);
      // Nothing is new about its station.
      expect(await countOf(stationsTopic)).toBe(2);
    },
  );

  it('sends a corrected row as the next revision of its transaction, and nothing of the others', async () => {
    await take(file(rows));
    const before = await events();
    const corrected = rows.map((row) => row.replace('11:00,3,', '11:30,4.5,'));
    expect(await take(file(corrected))).toMatchObject({ added: 0, corrected: 1, unchanged: 3 });
    const fresh = (await events()).slice(0).filter((event) => !before.some(({ eventId }) => eventId === event.eventId));
    const transaction = fresh.filter((event) => event.transactionId === '2').sort((a, b) => (a.seqNo ?? 0) - (b.seqNo ?? 0));
    expect(new Set(fresh.map((event) => event.transactionId))).toEqual(new Set(['2', null]));
    expect(transaction.map((event) => event.seqNo)).toEqual(transaction.map((_, index) => index));
    expect(transaction.every((event) => event.edition === 1)).toBe(true);
    expect(transaction.at(-1)).toMatchObject({ type: 'TransactionEnded', meterWh: 4500, timestampMs: Date.UTC(2024, 4, 1, 9, 30) });
    expect(fresh.every((event) => event.type === 'Heartbeat' || event.eventId.startsWith('boxes-2-r1-'))).toBe(true);
    expect(await take(file(corrected))).toMatchObject({ corrected: 0, events: 0 });
    // Back again is a correction, too.
    expect(await take(file(rows))).toMatchObject({ corrected: 1 });
    expect((await events()).some((event) => event.eventId.startsWith('boxes-2-r2-'))).toBe(true);
  });

  it('sends a station again when it has one more outlet, with those it had', async () => {
    await take(file(rows));
    await take(file(['5,a,2,2024-05-03 08:00,2024-05-03 09:00,1,Home'], 'may.csv'));
    expect(await countOf(stationsTopic)).toBe(3);
  });

  it('goes on where it was, wherever it was interrupted', async () => {
    const many = Array.from({ length: 700 }, (_, index) =>
      `${index},s${index % 7},1,2024-05-${String(1 + index % 28).padStart(2, '0')} 0${index % 9}:${String(index % 60).padStart(2, '0')},2024-05-29 10:00,${index % 40},Home`);
    const whole = new MemoryLog();
    await whole.open();
    await whole.createTopics(chargingTopics(2));
    const path = file(many);
    const all = await ingestSessionLog({ files: [path], mapping, producer: await whole.producer(), registry, log: whole, nowMs: () => 1 });
    const appends = Math.ceil(all.events / 5_000);
    expect(appends).toBeGreaterThan(1);
    for (let failing = 0; failing < appends; failing += 1) {
      await expect(take(path, failingAt(await log.producer(), failing))).rejects.toThrow('killed');
    }
    expect(await take(path)).toMatchObject({ added: 700, events: all.events });
    expect(await countOf(eventsTopic)).toBe(all.events);
    expect(await take(path)).toMatchObject({ added: 0, unchanged: 700, events: 0 });
    await whole.close();
  });

  /** Dies at its first append, or behind it. */
  function failingAt(producer: LogProducer, number: number): LogProducer {
    let appends = 0;
    return {
      append: async (records: readonly OutboundRecord[], mark) => {
        if (appends >= Math.min(1, number)) throw new Error('killed');
        appends += 1;
        await producer.append(records, mark);
      },
      mark: (writer) => producer.mark(writer),
      close: () => producer.close(),
    };
  }
});
