import { expect, it } from 'vitest';
import { DayJudge } from './judge-days.ts';
import type { DayAnswer } from './judge-days.ts';
import { LedgerBook } from './ledger-book.ts';

const midnightMs = Date.UTC(2025, 0, 1);
const at = (clock: string): number => Date.parse(`2025-01-01T${clock}Z`);

/** A session of 12 kWh from 23:30 to half past midnight, evenly. */
function book(): LedgerBook {
  const kept = new LedgerBook({ startMs: midnightMs, endMs: midnightMs + 2 * 86_400_000, registers: 'lifetime' });
  const session = {
    sessionId: 's-1/1-1', transactionId: '1-1', stationId: 's-1', siteId: 's', evseId: 1, connectorId: 1, idToken: 't', vehicle: 1, model: 'Any', fromSoc: 20, toSoc: 40, startMs: at('23:30'),
    stopMs: at('23:30') + 3_600_000, energyWh: 12_000, stopReason: 'EVDisconnected', readings: [[at('23:30'), 0], [at('23:30') + 3_600_000, 12_000]], faults: [], touched: [], messages: 2, received: 2,
  } as const;
  kept.add(session);
  kept.sort();
  return kept;
}

const day = (number: number, started: number, ended: number): DayAnswer =>
  ({ station: 's-1', day: midnightMs + number * 86_400_000, milliWh: 6_000_000, occupied: 1_800_000, started, ended, peak: 200_000 });
const right: readonly DayAnswer[] = [day(0, 1, 0), day(1, 0, 1)];

function found(rows: readonly DayAnswer[], hoursMilliWh = 12_000_000): readonly string[] {
  const judge = new DayJudge(book());
  judge.station('s-1', rows, hoursMilliWh);
  return judge.results.flatMap(({ examples }) => examples);
}

it('finds nothing where days are as their hours', () => expect(found(right)).toEqual([]));

it.each<readonly [string, readonly DayAnswer[], string]>([
  ['a lost day', right.slice(1), 'lost: s-1 2025-01-01'],
  ['a day said twice', [...right, day(1, 0, 1)], 'duplicated: s-1 2025-01-02 has another row'],
  ['energy of the day before', [{ ...day(0, 1, 0), milliWh: 7_000_000 }, { ...day(1, 0, 1), milliWh: 5_000_000 }], 'wrong: s-1 2025-01-01: energy 7000000 mWh, not 6000000'],
  ['another fullest minute', [{ ...day(0, 1, 0), peak: 100_000 }, day(1, 0, 1)], 'wrong: s-1 2025-01-01: fullest minute 100000 mWh, not 200000'],
  ['time it was not occupied', [{ ...day(0, 1, 0), occupied: 1_800_001 }, day(1, 0, 1)], 'wrong: s-1 2025-01-01: occupied 1800001 ms, not 1800000'],
  ['a start that was the day before', [day(0, 0, 0), day(1, 1, 1)], 'wrong: s-1 2025-01-01: 0 sessions started, not 1'],
  ['a stop that was the day behind', [day(0, 1, 1), day(1, 0, 0)], 'wrong: s-1 2025-01-01: 1 sessions ended, not 0'],
  ['a day that never was', [...right, { ...day(2, 0, 0), milliWh: 1_000, peak: 0, occupied: 0 }], 'wrong: s-1 2025-01-03: energy 1000 mWh, not 0'],
])('finds %s', (_what, rows, example) => expect(found(rows)).toContain(example));

it('finds energy that days and hours do not share', () => expect(found(right, 12_000_001)).toEqual(['wrong: s-1: 12000000 mWh in days, 12000001 in hours']));
