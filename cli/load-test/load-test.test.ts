import { describe, expect, it } from 'vitest';
import { loadPage } from './load-page.ts';
import { isPassed, reportText } from './load-report.ts';
import { loadReport } from './load-test.ts';
import { knowableRules } from '../../simulator/ledger/knowable.ts';

/** Some of these always happen in so many messages. */
const usual = ['lost-start', 'lost-stop', 'lost-sample', 'lost-status', 'duplicate', 'resent-number', 'out-of-order', 'offline-replay', 'clock-1970', 'meter-missing', 'malformed', 'unknown-station'];

const alone = { pods: 1, kills: 0, run: null, keep: false, remove: false } as const;

describe('a short load test, embedded, one message in ten broken', () => {
  it.each(['1', 'other'])('loses nothing, says nothing twice, and nothing wrong: seed %s', { timeout: 120_000 }, async (seed) => {
    const report = await loadReport({ environment: {} }, { profile: 'dirty-data', seed, events: 10_000, pace: { kind: 'max' }, data: null, json: null, html: null, quiet: true, ...alone });
    expect(report.verdict?.tables.flatMap(({ table, examples }) => examples.map((example) => `${table}: ${example}`))).toEqual([]);
    expect(report).toMatchObject({ complete: true, verdict: { ok: true, lost: 0, duplicated: 0, wrong: 0 } });
    expect(report.messages).toBeGreaterThanOrEqual(10_000);
    expect(report.verdict?.sessions).toBe(report.sessions);
    // Not because nothing was looked at.
    const compared = new Map(report.verdict?.tables.map((one) => [one.table, one.compared]));
    expect(compared.get('charging_sessions')).toBeGreaterThan(200);
    for (const table of ['station_hours', 'station_minutes', 'station_days', 'prices of charging_sessions', 'connector_status', 'charging_visits', 'charging_events']) expect(compared.get(table)).toBeGreaterThan(100);
    expect(Object.keys(report.verdict?.faults ?? {})).toEqual(expect.arrayContaining(usual));
    expect(compared.get('dead_letters')).toBe(report.verdict?.faults['malformed']);
    expect(Object.keys(knowableRules)).toEqual(expect.arrayContaining(Object.keys(report.verdict?.faults ?? {})));
    // All of it became visible, and the page has it all.
    expect(report.samples.at(-1)?.visible).toBe(report.messages);
    expect(isPassed(report)).toBe(true);
    expect(reportText(report)).toContain('0 lost, 0 duplicated, 0 wrong');
    const page = loadPage(report);
    expect(page.match(/<svg/g)?.length).toBe(5);
    expect(page).not.toMatch(/(src|href|url)\s*[=(]/);
  });
});
