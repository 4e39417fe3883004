import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import type { LogRecord, OutboundRecord } from '../log.ts';
import { logContract } from '../log-contract.ts';
import { EmbeddedLog } from './embedded-log.ts';

const folders: string[] = [];
const children: ChildProcess[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-log-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

logContract('embedded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-log-'));
  return {
    make: () => new EmbeddedLog({ folder }),
    dispose: async () => rmSync(folder, { recursive: true }),
    valueBytesMax: 10 * 1024 * 1024,
  };
});

async function openLog(folder: string, now?: () => number): Promise<EmbeddedLog> {
  const log = new EmbeddedLog({ folder, ...(now === undefined ? {} : { now }) });
  await log.open();
  return log;
}

async function allOf(log: EmbeddedLog, topic: string, partition: number): Promise<LogRecord[]> {
  const { start, end } = await log.bounds({ topic, partition });
  const records: LogRecord[] = [];
  for await (const batch of log.read({ topic, partition }, start, end)) records.push(...batch.records);
  return records;
}

/** Starts appending-process.ts, by a shell when a limit is to be set first. */
function appending(folder: string, appends: number, recordsEach: number, shell = ''): { child: ChildProcess; lines: AsyncIterable<string> } {
  const script = join(import.meta.dirname, 'appending-process.ts');
  const child = spawn('sh', ['-c', `${shell} exec "$0" "$@"`, process.execPath, script, folder, 'crash', String(appends), String(recordsEach)],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout! }) };
}

async function expectWholeAppends(folder: string, recordsEach: number): Promise<number> {
  const log = await openLog(folder);
  const producer = await log.producer();
  const mark = Number(await producer.mark('appending'));
  for (const partition of [0, 1]) {
    const keys = (await allOf(log, 'crash', partition)).map((record) => Buffer.from(record.key!).toString());
    const expected = Array.from({ length: mark * recordsEach }, (_, index) => `${Math.floor(index / recordsEach)}/${index % recordsEach}`);
    expect(keys).toEqual(expected.filter((_, index) => index % recordsEach % 2 === partition));
  }
  await log.close();
  return mark;
}

it('holds whole appends with their marks only, whenever the process is killed', async () => {
  const folder = newFolder();
  const log = await openLog(folder);
  await log.createTopics([{ topic: 'crash', partitions: 2 }]);
  await log.close();
  let acknowledged = 0;
  for (let kill = 1; kill <= 8; kill++) {
    const { child, lines } = appending(folder, 100_000, 300);
    for await (const line of lines) {
      acknowledged = Math.max(acknowledged, Number(line.split(' ')[1]));
      if (acknowledged >= kill * 7) child.kill('SIGKILL');
    }
    expect(await expectWholeAppends(folder, 300)).toBeGreaterThanOrEqual(acknowledged);
  }
}, 60_000);

it.runIf(process.platform === 'linux')('says DISK_FULL, stores nothing of that append, and goes on when there is room', async () => {
  const folder = newFolder();
  const log = await openLog(folder);
  await log.createTopics([{ topic: 'crash', partitions: 2 }]);
  await log.close();
  const { child, lines } = appending(folder, 12, 1_000, 'ulimit -S -f 12000;');
  const seen: string[] = [];
  for await (const line of lines) {
    if (line.startsWith('full') && !seen.includes(line)) {
      const mark = await expectWholeAppends(folder, 1_000);
      expect(line).toBe(`full ${mark}`);
      expect(spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']).status).toBe(0);
    }
    seen.push(line);
  }
  expect(seen.some((line) => line.startsWith('full'))).toBe(true);
  expect(seen.at(-1)).toBe('done');
  expect(await expectWholeAppends(folder, 1_000)).toBe(12);
}, 60_000);

it('writes nothing that would leave less of the disk than is to be spared, and reads on', async () => {
  const folder = newFolder();
  const log = await openLog(folder);
  await log.createTopics([{ topic: 't', partitions: 1 }]);
  const tight = new EmbeddedLog({ folder, spareBytes: Number.MAX_SAFE_INTEGER });
  await tight.open();
  const record: OutboundRecord = { topic: 't', key: null, value: Buffer.from('1'), timestampMs: 1 };
  const full = expect.objectContaining({ code: 'DISK_FULL' }) as unknown;
  const producer = await tight.producer();
  await expect(producer.append([record], { writer: 'w', position: '1' })).rejects.toEqual(full);
  await expect(tight.createTopics([{ topic: 'other', partitions: 1 }])).rejects.toEqual(full);
  expect([await producer.mark('w'), await allOf(tight, 't', 0)]).toEqual([null, []]);
  await (await log.producer()).append([record], { writer: 'w', position: '1' });
  expect([await producer.mark('w'), (await allOf(tight, 't', 0)).length]).toEqual(['1', 1]);
  await tight.close();
  await log.close();
});

it('shows a waiting reader what another process appends', async () => {
  const folder = newFolder();
  const log = await openLog(folder);
  await log.createTopics([{ topic: 'crash', partitions: 2 }]);
  const consumer = log.consumer({ group: 'g', tasks: [{ task: 'a_0', partitions: [{ topic: 'crash', partition: 0 }] }] });
  await consumer.start({ assigned: async () => undefined });
  consumer.seek({ topic: 'crash', partition: 0 }, 0);
  consumer.resume([{ topic: 'crash', partition: 0 }]);
  const waiting = consumer.poll(20_000);
  const { child } = appending(folder, 1, 10);
  expect((await waiting)[0]!.records.length).toBe(5);
  if (child.exitCode === null) await once(child, 'exit');
  await consumer.stop();
  await log.close();
});

it('deletes whole batches older than retention.ms by record timestamp, and keeps the offsets of the rest', async () => {
  const folder = newFolder();
  const log = await openLog(folder, () => 1_000_000);
  const settings = { 'retention.ms': '1000' };
  await log.createTopics([
    { topic: 'short', partitions: 1, settings },
    { topic: 'compacted', partitions: 1, settings: { ...settings, 'cleanup.policy': 'compact' } },
    { topic: 'kept', partitions: 1 },
  ]);
  const producer = await log.producer();
  const at = (topic: string, timestampMs: number): OutboundRecord => ({ topic, partition: 0, key: null, value: null, timestampMs });
  for (const timestampMs of [5, 998_000, 999_500, 7]) {
    await producer.append(['short', 'compacted', 'kept'].flatMap((topic) => [at(topic, timestampMs), at(topic, 3)]));
  }
  expect(await log.applyRetention()).toBe(4);
  expect(await log.bounds({ topic: 'short', partition: 0 })).toEqual({ start: 4, end: 8 });
  expect((await allOf(log, 'short', 0)).map((record) => [record.offset, record.timestampMs])).toEqual([[4, 999_500], [5, 3], [6, 7], [7, 3]]);
  expect(await log.bounds({ topic: 'compacted', partition: 0 })).toEqual({ start: 0, end: 8 });
  expect(await log.bounds({ topic: 'kept', partition: 0 })).toEqual({ start: 0, end: 8 });
  await log.close();
});

it('keeps everything over a restart: topics, offsets, group offsets, ordinals', async () => {
  const folder = newFolder();
  const first = await openLog(folder);
  await first.createTopics([{ topic: 't', partitions: 3 }]);
  const writer = { application: 'app', run: 4, task: 'a_0', sink: 's' };
  const ordinals = first.ordinalProducer(writer);
  await ordinals.open();
  await ordinals.deliver([{ topic: 't', partition: 2, key: null, value: null, timestampMs: 1 }], 17);
  await first.close();
  const second = await openLog(folder);
  expect(await second.partitionCount('t')).toBe(3);
  expect(await second.bounds({ topic: 't', partition: 2 })).toEqual({ start: 0, end: 1 });
  expect(await second.ordinalProducer(writer).open()).toEqual({ run: 4, ordinal: 17 });
  await second.close();
});
