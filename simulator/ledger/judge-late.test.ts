import { describe, expect, it } from 'vitest';
import { judgeLate } from './judge-late.ts';
import type { LateAnswer } from './judge-late.ts';
import { LedgerBook } from './ledger-book.ts';
import { at } from './testing/small-network.ts';

const dayMs = 86_400_000;
/** When nothing more of the first day is taken. */
const closedMs = at('00:00') + 2 * dayMs;

/** A session from 8 to 9 without its stop, and one that follows; the free connector between them is told unless `faults` say otherwise. */
function bookOf(nextStartMs: number, faults: readonly ['lost-status'] | readonly []): LedgerBook {
  const book = new LedgerBook({ startMs: at('00:00'), endMs: at('00:00') + 9 * dayMs, registers: 'lifetime' });
  const place = { stationId: 's-1', evseId: 1, connectorId: 1 };
  const session = (number: number, startMs: number, kinds: readonly 'lost-stop'[]) => book.add({
    ...place, sessionId: `s-1/1-${number}`, transactionId: `1-${number}`, siteId: 's', idToken: 'token', vehicle: number, model: 'Any', fromSoc: 20, toSoc: 40, startMs, stopMs: startMs + 3_600_000,
    energyWh: 10, stopReason: 'EVDisconnected', readings: [[startMs, 0], [startMs + 3_600_000, 10]], faults: kinds, touched: kinds.map((kind) => [1, kind] as const), messages: 2, received: 2 - kinds.length,
  });
  session(1, at('08:00'), ['lost-stop']);
  session(2, nextStartMs, []);
  book.addStatus({ ...place, status: 'Available', fromMs: at('09:00'), toMs: nextStartMs, faults });
  book.sort();
  return book;
}

const ended: LateAnswer = { station: 's-1', step: 'station-load', event: 's-1/9', time: at('08:45'), milliWh: 0 };

describe('late records beside the ledger', () => {
  const unseen = bookOf(closedMs, ['lost-status']);

  it('may say that a session has ended of which nothing had told the end', () => {
    expect(judgeLate(unseen, [ended])[0]).toMatchObject({ compared: 1, wrong: 0 });
  });

  it.each<readonly [string, LedgerBook, readonly LateAnswer[]]>([
    ['say so twice', unseen, [ended, { ...ended, event: 's-1/10' }]],
    ['have energy', unseen, [{ ...ended, milliWh: 1 }]],
    ['be of another step', unseen, [{ ...ended, step: 'sessions' }]],
    ['be of a time without a session', unseen, [{ ...ended, time: at('09:30') }]],
    ['be of another station', unseen, [{ ...ended, station: 's-2' }]],
    ['be of a session whose connector was told to be free', bookOf(closedMs, []), [ended]],
    ['come while the day was open', bookOf(closedMs - 1, ['lost-status']), [ended]],
  ])('may not %s', (_, book, rows) => {
    expect(judgeLate(book, rows)[0]).toMatchObject({ wrong: 1 });
  });

  it('have their energy told by station', () => {
    expect(judgeLate(unseen, [{ ...ended, milliWh: 3 }, { ...ended, milliWh: 4 }])[1]).toEqual(new Map([['s-1', 7]]));
  });
});
