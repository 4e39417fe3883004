import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { questions } from '../charging/views/questions.ts';
import { startHttpServer } from '../console/http-server.ts';
import type { HttpServer } from '../console/http-server.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import { migrate } from '../runtime/migrations.ts';
import { ChdbWarehouse } from '../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { report } from './report.ts';
import type { ReportOptions } from './report.ts';
import { announce } from './workplace.ts';

const folder = mkdtempSync(join(tmpdir(), 'voltstream-report-'));
const data = join(folder, 'data');
const warehouse = new ChdbWarehouse({ folder: join(data, 'clickhouse') });
let printed = '';

/** What the command prints. */
async function run(options: Partial<ReportOptions> = {}, where: string = data): Promise<string> {
  printed = '';
  await report({ file: undefined, environment: {}, flags: { data: where } }, { sections: [], part: {}, json: false, showSql: null, ...options });
  return printed;
}

const json = async (options: Partial<ReportOptions>): Promise<Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>> =>
  JSON.parse(await run({ ...options, json: true })) as Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

beforeAll(async () => {
  await warehouse.open();
  await migrate(warehouse, { folder: join(import.meta.dirname, '..', 'deploy', 'clickhouse'), database: 'voltstream' });
  // Two cities on two sides of the earth, a session at each hour of 2024-07-01 UTC, and one of them with a price.
  await warehouse.command(`INSERT INTO voltstream.charging_sessions (station_id, session_id, opened_time, start_time, stop_time, utc_offset_seconds, city, operator, site_id, evse_id, energy_wh, currency, cost_minor, successful, flags)
    SELECT if(number % 2 = 0, 'a', 'b'), toString(number), t, t, t + 1800, if(number % 2 = 0, 7200, -25200), if(number % 2 = 0, 'Cologne', 'Boulder'), 'Operator', 'Site', 1, 10000,
      if(number = 2, 'EUR', NULL), if(number = 2, 590, NULL), 1, if(number = 3, ['overlap'], [])
    FROM (SELECT number, toDateTime64('2024-07-01 00:00:00', 3, 'UTC') + number * 3600 AS t FROM numbers(24))`);
  await warehouse.close();
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((piece: string | Uint8Array) => {
    printed += String(piece);
    return true;
  });
});
afterEach(() => { vi.restoreAllMocks(); });

function laws(): void {
  it('tells all that is known, and nothing of what is not', async () => {
    const text = await run();
    expect(text).toMatch(/^The network\n {2}24 sessions, 0\.2 MWh, 30 June 2024 to 2 July 2024\n/);
    for (const title of ['Today', 'An average session', 'By hour of the day', 'By weekday', 'By month', 'Busiest stations', 'Utilisation by city', 'Cost per kWh by city', 'Recent sessions', 'Flags of sessions', 'Set aside']) {
      expect(text).toContain(`\n\n${title}`);
    }
    expect(text).not.toContain('Shares of the network');
    expect(text).not.toContain('\u001b');
  });

  it('gives JSON with numbers as numbers, by question', async () => {
    const answers = await json({ sections: ['network', 'weekdays'] });
    expect(Object.keys(answers)).toEqual(['network_totals', 'sessions_by_weekday']);
    expect(answers['network_totals']).toMatchObject([{ sessions: 24, stations_used: 2, energy_wh: 240_000, first_day: '2024-06-30' }]);
  });

  it('tells of a part: a city, days by the clock at the site', async () => {
    expect(await json({ sections: ['network'], part: { city: 'Cologne', fromDay: '2024-07-02' } })).toMatchObject({ network_totals: [{ sessions: 1, first_day: '2024-07-02' }] });
    expect(await json({ sections: ['network'], part: { city: 'Boulder', toDay: '2024-06-30' } })).toMatchObject({ network_totals: [{ sessions: 3, last_day: '2024-06-30' }] });
    expect(await json({ sections: ['sessions'], part: { city: 'Boulder', toDay: '2024-06-30' } })).toMatchObject({ success_rates: [{ month: '2024-06-01', attempts: 3, attempt_rate: 1 }] });
    expect(Object.keys(await json({ sections: ['quality'], part: { operator: 'Operator' } }))).toEqual(['session_flags']);
    expect(await run({ sections: ['hours', 'recent'], part: { city: 'Nowhere', site: 'x' } })).toBe('Nothing is known of city Nowhere, site x.\n');
  });
}

describe('voltstream report', () => {
  describe('alone on a data folder', () => {
    laws();
  });

  describe('beside the process that works on it', () => {
    let server: HttpServer;
    let withdraw: () => Promise<void>;
    beforeAll(async () => {
      await warehouse.open();
      server = await startHttpServer({
        host: '127.0.0.1', port: 0, metrics: new EngineMetrics({ nodeMetrics: false }), notReadyBecause: () => [],
        status: () => Promise.reject(new Error('nobody asks')), query: (sql, format) => warehouse.queryText(sql, format),
      });
      withdraw = await announce(data, server.url);
    });
    afterAll(async () => {
      await withdraw();
      await server.close();
      await warehouse.close();
    });
    laws();

    it('shows the SQL of every question, which ClickHouse answers', async () => {
      for (const { name, sentence } of questions) {
        const sql = await run({ showSql: name, part: { city: 'Cologne' } });
        expect(sql).toMatch(new RegExp(`^-- ${sentence.replaceAll(/[.?()]/g, '\\$&')}\nSELECT `));
        expect(await warehouse.query(sql)).toBeInstanceOf(Array);
      }
    });
  });

  it('has a clear sentence for a folder in which nothing is', async () => {
    const empty = join(folder, 'empty');
    expect(await run({}, empty)).toBe(`There is nothing in ${empty} yet: voltstream run fills it, with the shipped sessions or with what voltstream ingest takes.\n`);
    expect(await run({ json: true }, empty)).toBe('{}\n');
  });

  it.each([
    [{ sections: ['weekends'] }, /no such section[\s\S]*network, status[\s\S]*weekends/],
    [{ showSql: 'sessions' }, /no such question[\s\S]*sessions_by_weekday/],
    [{ part: { fromDay: '2024-02-30' } }, /this is no day[\s\S]*--from/],
    [{ part: { toDay: 'yesterday' } }, /this is no day[\s\S]*--to/],
    [{ part: { fromDay: '2024-02-03', toDay: '2024-02-02' } }, /ends before it begins/],
  ] as const)('refuses %o', async (options, message) => {
    await expect(run(options)).rejects.toThrow(message);
  });
});
