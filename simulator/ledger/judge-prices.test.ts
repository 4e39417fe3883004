import { expect, it } from 'vitest';
import type { Tariff } from '../../schemas/generated/tariff.ts';
import { PriceJudge } from './judge-prices.ts';
import type { PriceAnswer } from './judge-prices.ts';
import { LedgerBook } from './ledger-book.ts';
import type { LedgerSession } from './ledger.ts';

const midnightMs = Date.UTC(2025, 0, 1);
const hub: Tariff = {
  tariffId: 'hub', currency: 'EUR', validFromMs: 0, startFeeMicro: 350_000, energyPerKwhMicro: 690_000, chargingPerMinuteMicro: 0, idlePerMinuteMicro: 100_000, idleFreeMinutes: 10,
  energyStepWh: 1, timeStepSeconds: 1, rates: [],
};
const home: Tariff = {
  ...hub, tariffId: 'home', startFeeMicro: 0, energyPerKwhMicro: 320_000, idlePerMinuteMicro: 0,
  rates: [{ fromMinute: 1_320, toMinute: 360, weekdays: [], energyPerKwhMicro: 240_000, chargingPerMinuteMicro: null, idlePerMinuteMicro: null }],
};

/** Half an hour, 10,007 Wh. */
function session(stationId: string, faults: LedgerSession['faults'] = []) {
  return {
    sessionId: `${stationId}/1-1`, transactionId: '1-1', stationId, siteId: 'site', evseId: 1, connectorId: 1, idToken: 't', vehicle: 1, model: 'Any', fromSoc: 20, toSoc: 40, startMs: midnightMs,
    stopMs: midnightMs + 1_800_000, energyWh: 10_007, stopReason: 'EVDisconnected', readings: [[midnightMs, 0], [midnightMs + 1_800_000, 10_007]], faults, touched: [], messages: 2, received: 2,
  } as const;
}

const row = (station: string, change: Partial<PriceAnswer> = {}): PriceAnswer =>
  ({ station, id: `${station}/1-1`, tariff: 'hub', currency: 'EUR', cost: 35 + 690, startFee: 35, energy: 690, charging: 0, idle: 0, ...change });

function judged(one: ReturnType<typeof session>, answer: PriceAnswer): PriceJudge {
  const book = new LedgerBook({ startMs: midnightMs, endMs: midnightMs + 86_400_000, registers: 'lifetime' });
  book.add(one);
  book.sort();
  const judge = new PriceJudge(book, new Map([['hub', hub], ['home', home], ['free', null]]));
  judge.station(one.stationId, [answer]);
  return judge;
}

it('finds nothing where prices are right, to the cent, half up', () => {
  // 10,007 Wh at 0.69 are 6.90483.
  expect(judged(session('hub-00001-01'), row('hub-00001-01')).result).toMatchObject({ compared: 1, wrong: 0 });
  // Between all at night and all by day.
  expect(judged(session('home-00001-01'), row('home-00001-01', { tariff: 'home', startFee: 0, energy: 300, cost: 300 })).result).toMatchObject({ compared: 1, wrong: 0 });
  expect(judged(session('free-00001-01'), row('free-00001-01', { tariff: null, currency: null, cost: null, startFee: null, energy: null, charging: null, idle: null })).result)
    .toMatchObject({ compared: 1, wrong: 0 });
});

it.each<readonly [string, Partial<PriceAnswer>, string]>([
  ['another tariff', { tariff: 'home' }, 'tariff home, not hub'],
  ['another currency', { currency: 'GBP' }, 'currency GBP, not EUR'],
  ['no price', { cost: null, energy: null }, 'energy null, not 690'],
  ['a cent of energy', { energy: 691, cost: 726 }, 'energy 691, not 690'],
  ['no fee', { startFee: 0, cost: 690 }, 'start fee 0, not 35'],
  ['more idle time than there was', { idle: 202, cost: 927 }, 'idle time 202, not from 0 to 200'],
  ['a total that its parts are not', { cost: 726 }, 'cost 726, not 725, as its parts are'],
])('finds %s', (_what, change, complaint) => {
  expect(judged(session('hub-00001-01'), row('hub-00001-01', change)).result.examples.join()).toContain(complaint);
});

it('compares only what is known: no fault, and a station with one tariff', () => {
  for (const one of [session('hub-00001-01', ['duplicate']), session('depot-00001-01')]) {
    expect(judged(one, row(one.stationId, { cost: 1 })).result).toMatchObject({ compared: 0, notKnowable: 1, wrong: 0 });
  }
});
