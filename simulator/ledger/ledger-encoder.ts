import { GrowingBuffer } from '../messages/segment.ts';
import { readingSinceMs, readingWh } from './ledger.ts';
import type { Ledger, LedgerFault, LedgerStatus, SessionEntry } from './ledger.ts';

/** What one district has written in one slice of time: JSON lines of each kind. */
export interface LedgerSegment {
  readonly sessions: Uint8Array;
  readonly statuses: Uint8Array;
  readonly faults: Uint8Array;
}

const [OPEN, COMMA, CLOSE] = [91, 44, 93];

/** The ledger as JSON lines, one file a kind. */
export class LedgerEncoder implements Ledger {
  readonly #sessions = new GrowingBuffer();
  readonly #statuses = new GrowingBuffer();
  readonly #faults = new GrowingBuffer();

  /** Readings are most of it, and whole numbers: these are written as they are, all else by JSON.stringify. */
  session({ readings, faults, touched, messages, received, ...head }: SessionEntry): void {
    const into = this.#sessions;
    into.text(JSON.stringify(head).slice(0, -1));
    into.text(',"readings":[');
    for (let at = 0; at < readings.length; at += 1) {
      const packed = readings[at] as number;
      if (at > 0) into.uint8(COMMA);
      into.uint8(OPEN);
      into.digits(head.startMs + readingSinceMs(packed));
      into.uint8(COMMA);
      into.digits(readingWh(packed));
      into.uint8(CLOSE);
    }
    into.text(`],${JSON.stringify({ faults, touched, messages, received }).slice(1)}\n`);
  }

  status(interval: LedgerStatus): void {
    this.#statuses.text(`${JSON.stringify(interval)}\n`);
  }

  fault(fault: LedgerFault): void {
    this.#faults.text(`${JSON.stringify(fault)}\n`);
  }

  take(): LedgerSegment {
    return { sessions: this.#sessions.take(), statuses: this.#statuses.take(), faults: this.#faults.take() };
  }
}

/** For runs that nobody will verify. */
export const noLedger: Ledger = { session: () => undefined, status: () => undefined, fault: () => undefined };
