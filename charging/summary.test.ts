import { describe, expect, it } from 'vitest';
import { askSummary, summaryQueries, summaryText } from './summary.ts';
import type { SummaryAnswers } from './summary.ts';

const answers: SummaryAnswers = {
  totals: [{ sessions: '67110', stations: '67', sites: '34', energy_wh: 583_192_054, first_day: '2017-09-01', last_day: '2018-09-06', median_wh: 7120, median_minutes: 44.6 }],
  sites: [{ site: 'Lochee Charging Hub, Dundee', sessions: '12000', energy_wh: 120_000_000 }, { site: 'Small', sessions: '3', energy_wh: null }],
  closedBy: [{ closed_by: 'TransactionEnded', sessions: '66781' }, { closed_by: 'NextStart', sessions: '324' }],
  flags: [{ flag: 'missing-stop', sessions: '329' }],
  load: [
    { unit: 'day', rows: '9000', energy_wh: 583_182_324 }, { unit: 'hour', rows: '50000', energy_wh: 583_182_324 },
  ],
  late: [{ step: 'station-load', records: '1', energy_wh: 9730 }],
  deadLetters: [{ reason: 'EVENT_UNBELIEVABLE', records: '4' }],
  events: [{ events: '685790' }],
};
const run = { processedEvents: 685_790, elapsedMs: 9500, colour: false };

describe('the summary', () => {
  it('reads well', () => {
    expect(summaryText(answers, run)).toBe(`67,110 charging sessions, 583.2 MWh
67 stations at 34 sites, 1 September 2017 to 6 September 2018; half of the sessions take more than 7.1 kWh and last more than 45 minutes

Busiest sites                  sessions      energy
  Lochee Charging Hub, Dundee    12,000   120.0 MWh  ####################
  Small                               3     0.0 MWh  #

Closed by
  its own stop                          66,781
  the next start on the connector          324

Flags
  missing-stop                             329

Energy, kept by session and by time
  in sessions                         583,192,054 Wh
  in 50,000 hours, and late           583,192,054 Wh
  in 9,000 days, and late             583,192,054 Wh
  of it in 1 late records                   9,730 Wh

Set aside
  dead letters: EVENT_UNBELIEVABLE           4
  late records                               1

685,790 events are in the table; 685,790 were processed in 9.5 s, 72,188 a second.`);
  });

  it('has escape sequences only where they are wanted', () => {
    expect(summaryText(answers, run)).not.toContain('\u001b');
    expect(summaryText(answers, { ...run, colour: true })).toContain('\u001b[1mFlags\u001b[0m');
  });

  it('says that there was nothing to do, or that there is nothing yet', () => {
    expect(summaryText(answers, { ...run, processedEvents: 0 })).toContain('there was nothing new to do');
    expect(summaryText({ ...answers, totals: [] }, run)).toBe('There are no sessions yet.');
    expect(summaryText({ ...answers, flags: [], deadLetters: [], late: [], load: [], events: [] }, run)).toContain('Flags\n  none');
  });

  it('asks its queries one after another', async () => {
    const asked: string[] = [];
    let open = 0;
    const query = async <Row>(sql: string): Promise<readonly Row[]> => {
      open += 1;
      expect(open).toBe(1);
      asked.push(sql);
      await Promise.resolve();
      open -= 1;
      return [];
    };
    await askSummary(query, 'db');
    expect(asked.toSorted()).toEqual(Object.values(summaryQueries('db')).toSorted());
  });
});
