import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from './servers-cluster.ts';
import { verdictLine } from './servers-judges.ts';
import type { Reference } from './servers-reference.ts';
import { referenceOf } from './servers-reference.ts';
import type { ServersReport } from './servers-run.ts';
import { ServersRun } from './servers-run.ts';
import type { FaultKind } from './servers-schedule.ts';

// Where these two are set, java and redis-server are there: each run has servers of its own, since it kills them.
const left = process.env['VOLTSTREAM_TEST_KAFKA'] === undefined || process.env['VOLTSTREAM_TEST_REDIS'] === undefined;
if (left) {
  console.warn('The fault runs on servers are left out: set VOLTSTREAM_TEST_KAFKA and VOLTSTREAM_TEST_REDIS (`node test/services/index.ts up` starts both)');
}

const events = 20_000;
const partitions = 4;
/** Another one each day, so that many have been tried after a while; a failure names it. */
const seed = Number(process.env['VOLTSTREAM_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));

describe.skipIf(left)('pods on Kafka, Redis and ClickHouse', () => {
  let reference: Reference;
  beforeAll(async () => {
    reference = await referenceOf(events, partitions);
  }, 300_000);

  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  async function run(kinds: readonly FaultKind[], fsync: 'always' | 'everysec', minutes: number): Promise<ServersReport> {
    const told: string[] = [];
    const folder = mkdtempSync(join(tmpdir(), 'voltstream-chaos-'));
    const cluster = new Cluster(fsync);
    try {
      await cluster.start();
      const report = await new ServersRun({
        seed, minutes, events, pods: 2, partitions, kinds: new Set(kinds), onceEach: true, sessionTimeoutMs: 3_000, outageMs: 4_000, gapMsMax: 500,
        cluster, reference, folder, report: (line) => told.push(line),
      }).run();
      folders.push(folder);
      return report;
    } catch (error) {
      throw new Error(`seed ${seed}, logs of the pods in ${folder}\n${told.join('\n')}`, { cause: error });
    } finally {
      await cluster.dispose();
    }
  }

  const judged = (report: ServersReport): string => `seed ${report.seed}\n${report.verdicts.map(verdictLine).join('\n')}`;

  it('bring every row and every record once, whatever is killed, restarted, silent or asleep', async () => {
    const kinds = ['kill', 'zombie', 'scale', 'rolling restart', 'restart Redis', 'restart Kafka', 'restart ClickHouse', 'refuse', 'hang', 'insert'] as const;
    const report = await run(kinds, 'always', 0.9);
    expect(report.sound, judged(report)).toBe(true);
    expect(report.rewound).toBe(false);
    expect(Object.keys(report.faults).toSorted()).toEqual([...kinds].toSorted());
  }, 600_000);

  it('converge after Redis was put back to an older copy: readers with FINAL see all once, and so do readers of the topic', async () => {
    const report = await run(['kill', 'copy Redis', 'rewind Redis'], 'everysec', 0.25);
    expect(report.sound, judged(report)).toBe(true);
    expect(report.faults['rewind Redis']).toBeGreaterThan(0);
  }, 600_000);
});
