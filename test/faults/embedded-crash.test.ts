import { afterAll, beforeAll, describe, it } from 'vitest';
import { CrashRun, randomKills, sweepPoints } from './embedded-crash.ts';
import { killPoints } from './embedded-points.ts';

/** Longer and other runs: FAULT_KILLS=200 FAULT_SEED=1. The seed stands in every failure. */
const seed = Number(process.env['FAULT_SEED'] ?? 20_260);
const kills = Number(process.env['FAULT_KILLS'] ?? 10);
const longerMs = Math.max(0, kills - 10) * 6_000;

describe.concurrent('the embedded product under kill -9', () => {
  let random: CrashRun;
  let narrow: CrashRun;
  beforeAll(async () => {
    random = new CrashRun({ rows: 2_000, sessions: 400 });
    narrow = new CrashRun({ rows: 500, sessions: 200 });
    await Promise.all([random.prepare(), narrow.prepare()]);
  }, 180_000);
  afterAll(() => {
    random.remove();
    narrow.remove();
  });

  it(`leaves every row and record exactly once after ${kills} kills at random moments`, async ({ expect }) => {
    await randomKills(random, kills, seed, 700);
    expect({ seed, problems: random.report.problems }).toEqual({ seed, problems: [] });
    expect(Object.values(random.report.kills).reduce((sum, count) => sum + count, 0)).toBe(kills);
  }, 540_000 + longerMs);

  it('leaves every row and record exactly once after kills at each named point', async ({ expect }) => {
    await sweepPoints(narrow, killPoints, kills > 10 ? [1, 2, 3, 5, 8] : [1, 3]);
    expect(narrow.report.problems).toEqual([]);
    expect(Object.values(narrow.report.kills).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(killPoints.length * 2);
  }, 540_000 + longerMs);
});
