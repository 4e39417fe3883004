import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dataQualityTopic, qualityFinding } from '../../charging/ingest/data-quality.ts';
import type { QualityFinding } from '../../charging/ingest/data-quality.ts';
import { lockSource } from '../../charging/ingest/source-lock.ts';
import { takenTopic } from '../../charging/ingest/taken-rows.ts';
import { dataQualityRow } from '../../charging/ingest/data-quality.ts';
import { eventsTopic, stationsTopic } from '../../charging/topology.ts';
import type { LogLine } from './log-run.ts';
import { LogRun, LogRunPlace } from './log-run.ts';

const hour = 3_600_000;
const fromMs = Date.UTC(2024, 4, 1);

function lines(count: number, broken: number): readonly LogLine[] {
  return Array.from({ length: count }, (_, id) => ({
    id: id + 1, station: 'a', connector: 1, startMs: fromMs + id * hour, stopMs: fromMs + (id + (id < broken ? -1 : 0.5)) * hour, energyWh: 5_000,
  }));
}

describe('the quality of a batch', () => {
  const place = new LogRunPlace();
  let run: LogRun;
  beforeAll(() => place.registry.open());
  beforeEach(async () => { run = await LogRun.open(place); });
  afterAll(() => place.close());

  async function sizes(): Promise<readonly number[]> {
    return Promise.all([eventsTopic, stationsTopic, takenTopic, dataQualityTopic].map(async (topic) => (await run.log.bounds({ topic, partition: 0 })).end));
  }

  async function findings(): Promise<readonly QualityFinding[]> {
    const found: QualityFinding[] = [];
    const at = { topic: dataQualityTopic, partition: 0 };
    const { start, end } = await run.log.bounds(at);
    for await (const batch of run.log.read(at, start, end)) for (const { value } of batch.records) if (value !== null) found.push(qualityFinding.decode(value));
    return found;
  }

  it('is written for every check, with those that no row fails, once a batch, of its new and corrected rows', async () => {
    await run.ingest([lines(10, 2)]);
    const first = await findings();
    expect(first.map(({ check, rowsChecked, rowsFailed }) => [check, rowsChecked, rowsFailed])).toEqual([
      ['missing-start', 10, 0], ['missing-stop', 10, 0], ['stop-before-start', 10, 2], ['missing-energy', 10, 0], ['negative-energy', 10, 0], ['unreadable', 10, 0],
    ]);
    expect(first[2]?.examples).toEqual(['log-0.csv:2', 'log-0.csv:3']);
    await run.ingest([lines(10, 2)]);
    expect(await findings()).toHaveLength(6);
    await run.ingest([lines(12, 1)]);
    const second = (await findings()).slice(6);
    expect(second.map(({ rowsChecked, rowsFailed }) => [rowsChecked, rowsFailed])[2]).toEqual([3, 0]);
    expect(new Set((await findings()).map(({ batch }) => batch)).size).toBe(2);
    expect(dataQualityRow(first[2] as QualityFinding)).toMatchObject({ source: 'boxes', check: 'stop-before-start', share: 0.2 });
  });

  it('refuses a batch before anything is taken, when more rows fail than may', async () => {
    await expect(run.ingest([lines(10, 2)], null, { failAbove: 0.19 })).rejects.toThrow(
      /BATCH_REFUSED(.|\n)*stop-before-start: 2 of 10 rows \(20 %\), first log-0.csv:2, log-0.csv:3/,
    );
    expect(await sizes()).toEqual([0, 0, 0, 0]);
    expect(await run.ingest([lines(10, 2)], null, { failAbove: 0.2 })).toMatchObject({ added: 10 });
    // What is in it already is not counted again: one new row of one is broken.
    await expect(run.ingest([[...lines(10, 2), { ...(lines(11, 11)[10] as LogLine) }]], null, { failAbove: 0.5 })).rejects.toThrow(/1 of 1 rows/);
  });

  it('says in a dry run what would be taken, and takes nothing', async () => {
    const outcome = await run.ingest([lines(10, 2)], null, { checkOnly: true, failAbove: 0 });
    expect(outcome).toMatchObject({ added: 10, events: 0 });
    expect(outcome?.findings.find(({ check }) => check === 'stop-before-start')).toMatchObject({ rowsFailed: 2 });
    expect(await sizes()).toEqual([0, 0, 0, 0]);
  });

  it('says which corrections come too late for their sessions', async () => {
    const log = lines(24 * 20, 0);
    expect(await run.ingest([log])).toMatchObject({ late: { corrected: 0, added: 0 } });
    const corrected = log.map((line) => (line.id === 1 || line.id === 24 * 20 - 2 ? { ...line, energyWh: 4_000 } : line));
    const old: LogLine = { id: 9_999, station: 'a', connector: 1, startMs: fromMs - 48 * hour, stopMs: fromMs - 47 * hour, energyWh: 1 };
    expect(await run.ingest([[...corrected, old]])).toMatchObject({ corrected: 2, added: 1, late: { corrected: 1, added: 1, examples: ['log-0.csv:2', 'log-0.csv:482'] } });
    const { last, load, late } = await run.stitched();
    expect(last.get('a/1')).toMatchObject({ revision: 0, energyWh: 5_000 });
    expect(last.get(`a/${24 * 20 - 2}`)).toMatchObject({ revision: 1, energyWh: 4_000 });
    expect(new Set(late.map(({ transactionId }) => transactionId))).toEqual(new Set(['1', '9999']));
    expect(load.reduce((sum, { energyMilliWh }) => sum + energyMilliWh, 0)).toBe([...last.values()].reduce((sum, { energyWh }) => sum + (energyWh ?? 0) * 1000, 0));
  });
});

describe('lockSource', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingest-lock-'));
  const file = join(folder, 'ingest', 'boxes.lock');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('keeps a second ingestion of the source away until the first has ended, and no other source', async () => {
    const release = await lockSource(folder, 'boxes');
    await expect(lockSource(folder, 'boxes')).rejects.toThrow(new RegExp(`SOURCE_BUSY(.|\n)*process ${process.pid}(.|\n)*remove the file`));
    await (await lockSource(folder, 'others'))();
    await release();
    await (await lockSource(folder, 'boxes'))();
  });

  it.each([
    ['a process that is gone', { pid: 2_147_483_646, startedS: 1 }], ['an earlier process of the same number', { pid: process.pid, startedS: 1 }],
  ])('takes over what %s has left behind', async (_what, owner) => {
    mkdirSync(join(folder, 'ingest'), { recursive: true });
    writeFileSync(file, JSON.stringify(owner));
    const release = await lockSource(folder, 'boxes');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid });
    await release();
  });

  it('lets one of many win', async () => {
    writeFileSync(file, JSON.stringify({ pid: 2_147_483_646, startedS: 1 }));
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => lockSource(folder, 'boxes')));
    const won = all.filter((one) => one.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]?.value();
  });
});
