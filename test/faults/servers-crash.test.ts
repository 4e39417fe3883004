import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClickHouseService } from '../services/clickhouse.ts';
import { RedisService } from '../services/redis.ts';
import { verdictLine } from './servers-judges.ts';
import type { ServersReport, ServersRunOptions } from './servers-run.ts';
import { ServersRun } from './servers-run.ts';

const kafka = process.env['VOLTSTREAM_TEST_KAFKA'];
const redis = process.env['VOLTSTREAM_TEST_REDIS'];
const left = kafka === undefined || redis === undefined;
if (left) {
  console.warn('The fault runs on servers are left out: set VOLTSTREAM_TEST_KAFKA and VOLTSTREAM_TEST_REDIS (`node test/services/index.ts up` starts both)');
}

/** Of 67,110; some 35,000 events. */
const rowsMax = 4_000;
const sessionTimeoutMs = 3_000;
/** Another one each day, so that many have been tried after a while; a failure names it. */
const seed = Number(process.env['VOLTSTREAM_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));

describe.skipIf(left)('two processes on Kafka, Redis and ClickHouse', () => {
  let warehouse: ClickHouseService;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'voltstream-servers-'));
    warehouse = new ClickHouseService({ stopMerges: true });
    await warehouse.start();
  });
  afterEach(async () => {
    await warehouse.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(store: ServersRunOptions['redis'], faults: Pick<ServersRunOptions, 'kills' | 'zombies' | 'rewinds' | 'warehouseFaults'>): Promise<ServersReport> {
    const told: string[] = [];
    try {
      return await new ServersRun({
        seed, ...faults, rowsMax, sessionTimeoutMs, kafka: kafka ?? '', redis: store, warehouse, folder, report: (line) => told.push(line),
      }).run();
    } catch (error) {
      throw new Error(`seed ${seed}\n${told.join('\n')}`, { cause: error });
    }
  }

  const judged = (report: ServersReport): string => `seed ${report.seed}\n${report.verdicts.map(verdictLine).join('\n')}`;

  it('bring every row and every record once, whatever is killed, and though a process sleeps through its session', async () => {
    const report = await run({ address: redis ?? '' }, { kills: 10, zombies: 1, rewinds: 0, warehouseFaults: 1 });
    expect(report.sound, judged(report)).toBe(true);
    expect(report.faults).toMatchObject({ kill: 10, zombie: 1 });
  }, 300_000);

  it('converge after Redis was put back to an older copy: readers with FINAL see all once, and so do readers of the topic', async () => {
    const store = new RedisService();
    await store.start();
    try {
      const report = await run(store, { kills: 1, zombies: 0, rewinds: 1, warehouseFaults: 0 });
      expect(report.sound, judged(report)).toBe(true);
      expect(report.faults).toMatchObject({ rewind: 1 });
    } finally {
      await store.dispose();
    }
  }, 300_000);
});
