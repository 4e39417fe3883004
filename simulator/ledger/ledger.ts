import { assertInvariant } from '../../errors.ts';
import type { FaultKind } from '../profile.ts';

/**
 * What is true, apart from what is sent: written while the network is simulated, read by `verify`. Times are UTC milliseconds, energies whole Wh as the
 * connector's register shows them (its fraction is never told, so nobody can know it).
 */
export interface Ledger {
  session(session: SessionEntry): void;
  status(interval: LedgerStatus): void;
  fault(fault: LedgerFault): void;
}

/** A transaction, as it was. */
export interface LedgerSession {
  readonly sessionId: string;
  readonly transactionId: string;
  readonly stationId: string;
  readonly siteId: string;
  readonly evseId: number;
  readonly connectorId: number;
  readonly idToken: string;
  readonly vehicle: number;
  /** Of the vehicle, as the shipped models are called. */
  readonly model: string;
  /** State of charge at the start and at the stop, in percent to a millionth: what the battery has gained is what the meter has counted, times the efficiency. */
  readonly fromSoc: number;
  readonly toSoc: number;
  readonly startMs: number;
  readonly stopMs: number;
  readonly energyWh: number;
  readonly stopReason: string;
  /** Register readings that were told, or meant to be: [time, Wh since the start], from the start to the stop, with both. */
  readonly readings: readonly (readonly [number, number])[];
  /** Kinds of faults that have touched any of its messages, or the status at its end, each once. */
  readonly faults: readonly FaultKind[];
  /** Its messages that a fault has touched, by their place among `readings`. */
  readonly touched: readonly (readonly [number, FaultKind])[];
  /** Messages that were meant to be sent, and those that the back end received, copies left out. */
  readonly messages: number;
  readonly received: number;
}

/** A session as a simulation writes it down, with its readings one number each: see `packedReading`. */
export interface SessionEntry extends Omit<LedgerSession, 'readings'> {
  readonly readings: readonly number[];
}

/** Wh of a reading are below this, about a million: no battery takes so much. */
const WH_LIMIT = 2 ** 20;
/** The longest session: what is left of a number's 53 bits, and a bit less. */
export const SESSION_MS_MAX = 90 * 86_400_000;

/** A reading as one number, as a million open sessions have dozens each: milliseconds since the start, and Wh since the start in the last 20 bits. */
export function packedReading(sinceMs: number, wh: number): number {
  assertInvariant(sinceMs >= 0 && sinceMs <= SESSION_MS_MAX && wh >= 0 && wh < WH_LIMIT, `a reading of ${wh} Wh after ${sinceMs} ms`);
  return sinceMs * WH_LIMIT + wh;
}

export function readingSinceMs(packed: number): number {
  return Math.floor(packed / WH_LIMIT);
}

export function readingWh(packed: number): number {
  return packed % WH_LIMIT;
}

/** A connector's state over time, as it was: one interval behind the other; the one that lasts at the end is not written. */
export interface LedgerStatus {
  readonly stationId: string;
  readonly evseId: number;
  readonly connectorId: number;
  readonly status: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** What has happened to what was told of it: to the message at its begin, to the one at its end, or to the connection meanwhile. */
  readonly faults: readonly FaultKind[];
}

/** One injected fault. */
export interface LedgerFault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly stationId: string;
  /** Of the message or session that it has touched, where it is one. */
  readonly eventId: string | null;
  readonly sessionId: string | null;
  /** When the back end got what the fault made of the message: the copy, the late one, the bytes. Null: never, or not yet when it was written. */
  readonly receivedMs: number | null;
}
