import { GrowingBuffer } from '../messages/segment.ts';
import type { Ledger, LedgerFault, LedgerSession, LedgerStatus } from './ledger.ts';

/** What one district has written in one slice of time: JSON lines of each kind. */
export interface LedgerSegment {
  readonly sessions: Uint8Array;
  readonly statuses: Uint8Array;
  readonly faults: Uint8Array;
}

/** The ledger as JSON lines, one file a kind. */
export class LedgerEncoder implements Ledger {
  readonly #sessions = new GrowingBuffer();
  readonly #statuses = new GrowingBuffer();
  readonly #faults = new GrowingBuffer();

  session(session: LedgerSession): void {
    this.#sessions.text(`${JSON.stringify(session)}\n`);
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
