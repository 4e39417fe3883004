import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dundeeFiles } from '../../charging/session-log/dundee-files.ts';
import { dundeeMapping } from '../../charging/session-log/dundee.mapping.ts';
import { readSessionLogs } from '../../charging/session-log/read-session-log.ts';
import { LocalTime } from '../../simulator/network/local-time.ts';
import { readProfile } from '../../simulator/read-profile.ts';
import { observe } from '../../simulator/testing/observed-run.ts';
import { kolmogorovSmirnovOfTwo } from '../../simulator/testing/statistics.ts';
import { fit } from './fit.ts';

const folder = mkdtempSync(join(tmpdir(), 'voltstream-fit-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface One {
  readonly startMs: number;
  readonly minutes: number;
  readonly energyWh: number;
}

/** Part of all by a number. */
function parts(all: readonly One[], size: number, of: (startMs: number) => number): readonly number[] {
  const counts = Array.from({ length: size }, () => 0);
  for (const { startMs } of all) counts[of(startMs)] = (counts[of(startMs)] as number) + 1;
  return counts.map((count) => count / all.length);
}

/** Half of the sum of differences: the part of the sessions that would have to move. */
const moved = (left: readonly number[], right: readonly number[]): number => left.reduce((sum, part, at) => sum + Math.abs(part - (right[at] as number)), 0) / 2;

describe('a profile fitted to the sessions of Dundee', () => {
  it('simulates the hours, weekdays, stays and energies that these have', async () => {
    const out = join(folder, 'dundee.json');
    const files = dundeeFiles().slice(0, 1);
    await fit({ files, mapping: 'dundee', out, force: false, json: false });
    const source: One[] = [];
    for await (const row of readSessionLogs(files, dundeeMapping)) {
      if (row.kind === 'quarantined' || row.startMs === null || row.stopMs === null || row.energyWh === null) continue;
      const minutes = (row.stopMs - row.startMs) / 60_000;
      if (minutes >= 1 && minutes <= 20_160 && row.energyWh >= 0 && row.energyWh <= 120_000) source.push({ startMs: row.startMs, minutes, energyWh: row.energyWh });
    }
    const profile = readProfile(out);
    expect(profile.sites.map(({ current, powerMaxW }) => `${current} ${powerMaxW}`)).toEqual(['AC 22000', 'AC 7000', 'DC 50000']);
    const made = observe(profile, 56).sessions.map(({ startMs, stopMs, energyWh }): One => ({ startMs, minutes: (stopMs - startMs) / 60_000, energyWh }));
    const local = new LocalTime('Europe/London');
    // Of so many the parts of 24 hours differ by about 0.02 by chance alone.
    expect(made.length).toBeGreaterThan(4_000);
    expect(moved(parts(made, 24, (ms) => local.hour(ms)), parts(source, 24, (ms) => local.hour(ms)))).toBeLessThan(0.04);
    expect(moved(parts(made, 7, (ms) => local.weekday(ms)), parts(source, 7, (ms) => local.weekday(ms)))).toBeLessThan(0.04);
    expect(kolmogorovSmirnovOfTwo(made.map(({ minutes }) => minutes), source.map(({ minutes }) => minutes))).toBeLessThan(0.05);
    expect(kolmogorovSmirnovOfTwo(made.map(({ energyWh }) => energyWh), source.map(({ energyWh }) => energyWh))).toBeLessThan(0.1);
    // As many a day as there were.
    const days = (Math.max(...source.map(({ startMs }) => startMs)) - Math.min(...source.map(({ startMs }) => startMs))) / 86_400_000;
    expect(made.length / 56 / (source.length / days)).toBeGreaterThan(0.9);
    expect(made.length / 56 / (source.length / days)).toBeLessThan(1.1);
  }, 120_000);

  it('needs a mapping, a file to write to, and sessions', async () => {
    const options = { files: dundeeFiles().slice(0, 1), mapping: 'dundee', out: join(folder, 'x.json'), force: false, json: false };
    await expect(fit({ ...options, mapping: null })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', where: '--mapping' });
    await expect(fit({ ...options, out: null })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', where: '--out' });
    await expect(fit({ ...options, mapping: 'atlantis' })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    await expect(fit({ ...options, files: [] })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', where: '--fit' });
  });
});
