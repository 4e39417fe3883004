import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import type { SessionRow } from '../../charging/stitching/session-row.ts';
import type { Interruption, LogLine, Stitched } from './log-run.ts';
import { LogRun, LogRunPlace } from './log-run.ts';

const minute = 60_000;
const fromMs = Date.UTC(2024, 4, 1);
/** Three days: nothing is as old as what is forgotten. */
const spanMinutes = 3 * 24 * 60;
const overMs = Date.UTC(2024, 9, 1);

const said = fc.record({
  connector: fc.integer({ min: 1, max: 2 }), start: fc.nat({ max: spanMinutes }), stay: fc.option(fc.integer({ min: -30, max: 600 }), { freq: 8 }),
  energyWh: fc.option(fc.integer({ min: -200, max: 30_000 }), { freq: 8 }),
});
const station = fc.constantFrom('a', 'b');
const interruption = fc.option(fc.record({ append: fc.nat({ max: 6 }), taken: fc.boolean() }), { freq: 2 });

/** Some rows are corrected, some are new, and a part of the log, in any order and in one or two files, is ingested. */
const step = fc.record({
  corrected: fc.array(fc.tuple(fc.nat({ max: 7 }), said), { maxLength: 3 }),
  added: fc.array(fc.tuple(station, said), { maxLength: 4 }),
  leftOut: fc.nat({ max: 255 }), seed: fc.nat(), cut: fc.nat({ max: 8 }), interruption,
});

function lineOf(id: number, box: string, { connector, start, stay, energyWh }: { connector: number; start: number; stay: number | null; energyWh: number | null }): LogLine {
  const startMs = fromMs + start * minute;
  return { id, station: box, connector, startMs, stopMs: stay === null ? null : startMs + stay * minute, energyWh: stay === null ? null : energyWh };
}

function sums({ load }: Stitched) {
  const sum = (of: (change: Stitched['load'][number]) => number): number => load.reduce((total, change) => total + of(change), 0);
  return {
    milliWh: sum((change) => change.energyMilliWh), occupiedMs: sum((change) => change.occupied * (change.toMs - change.fromMs)),
    chargingMs: sum((change) => change.charging * (change.toMs - change.fromMs)), started: sum((change) => change.sessionsStarted),
    ended: sum((change) => change.sessionsEnded),
  };
}

function sumsOf(last: ReadonlyMap<string, SessionRow>) {
  const sum = (of: (row: SessionRow) => number): number => [...last.values()].reduce((total, row) => total + of(row), 0);
  return {
    milliWh: sum((row) => Math.round((row.energyWh ?? 0) * 1000)), occupiedMs: sum((row) => Math.max(0, (row.stopMs ?? row.startMs) - row.startMs)),
    chargingMs: sum((row) => row.chargingMs ?? 0), started: last.size, ended: sum((row) => (row.stopMs === null ? 0 : 1)),
  };
}

/**
 * What a session says, but for how it was told. Neighbours are seen as they were when they were told: of `overlap`, and of when a session
 * without a stop ended, a correction of another row takes nothing back.
 */
function saidOf(last: ReadonlyMap<string, SessionRow>) {
  const told = ['corrected', 'duplicate', 'out-of-order', 'overlap', 'station-known-later'];
  return [...last.values()].map((row) => {
    const { revision: _revision, duplicates: _duplicates, openedMs: _openedMs, ...rest } = row;
    const flags = row.flags.filter((flag) => !told.includes(flag));
    if (!flags.includes('missing-stop')) return { ...rest, flags };
    return { sessionId: row.sessionId, startMs: row.startMs, energyWh: row.energyWh, connectorId: row.connectorId, flags };
  }).sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
}

function shuffled(lines: readonly LogLine[], seed: number): readonly LogLine[] {
  return [...lines].sort((a, b) => Math.sin(seed + a.id * 7) - Math.sin(seed + b.id * 7));
}

describe('ingestSessionLog and stitchSessions', () => {
  const place = new LogRunPlace();
  beforeAll(() => place.registry.open());
  afterAll(() => place.close());

  it('end with the sessions of the last edition, whatever was ingested before, in any order and pieces, interrupted anywhere', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(station, said), { minLength: 1, maxLength: 5 }), fc.array(step, { maxLength: 4 }), async (first, steps) => {
      const [run, wanted] = [await LogRun.open(place), await LogRun.open(place)];
      try {
        let lines = first.map(([box, one], id) => lineOf(id, box, one));
        const take = async (files: readonly (readonly LogLine[])[], at: Interruption | null): Promise<void> => {
          await run.ingest(files, at);
        };
        for (const { corrected, added, leftOut, seed, cut, interruption: at } of steps) {
          for (const [id, one] of corrected) lines = lines.map((line) => (line.id === id ? lineOf(id, line.station, one) : line));
          lines = [...lines, ...added.map(([box, one], index) => lineOf(lines.length + index, box, one))];
          const some = shuffled(lines, seed).filter((line) => (leftOut >> (line.id % 8) & 1) === 0);
          await take([some.slice(0, cut), some.slice(cut)].filter((file) => file.length > 0), at);
        }
        await run.ingest([lines]);
        const before = (await run.events()).length;
        expect(await run.ingest([shuffled(lines, 1)])).toMatchObject({ added: 0, corrected: 0, unchanged: lines.length, events: 0 });
        expect((await run.events()).length).toBe(before);
        await wanted.ingest([lines]);
        const [got, alone] = [await run.stitched(overMs), await wanted.stitched(overMs)];
        expect(saidOf(got.last)).toEqual(saidOf(alone.last));
        expect(sums(got)).toEqual(sumsOf(got.last));
        expect(got.late).toEqual([]);
      } finally {
        await run.close();
        await wanted.close();
      }
    }), propertyRuns(60));
  }, 3_600_000);
});
