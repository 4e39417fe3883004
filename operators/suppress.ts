import { VoltstreamError } from '../errors.ts';
import { wantMilliseconds } from './windows/window-span.ts';

/** How much a suppression may hold back. Left out: as much as comes. */
export interface BufferLimits {
  /** Keys (of windowed tables: windows) that wait. */
  readonly maxRecords?: number;
  /** Bytes of them, as they are kept in the state, keys and times included. */
  readonly maxBytes?: number;
}

/** A buffer that, when it is full, lets go of what has waited longest (`emit-early`, the default), or stops the task. */
export interface EagerBuffer extends BufferLimits {
  readonly whenFull?: 'emit-early' | 'stop';
}

/** A buffer that stops the task when it is full, with the error BUFFER_FULL: nothing may leave it too early. */
export interface StrictBuffer extends BufferLimits {
  readonly whenFull?: 'stop';
}

export interface UntilTimeLimit {
  readonly kind: 'time-limit';
  readonly limitMs: number;
  readonly buffer: EagerBuffer;
}

export interface UntilWindowCloses {
  readonly kind: 'window-closes';
  readonly buffer: StrictBuffer;
}

/**
 * Holds a key's changes back until stream time is `limitMs` further than at the first of them, then sends the last one. Later
 * changes do not make it wait longer. What is due at the same moment leaves in the order of (time of the first change, key bytes).
 * Rules of Kafka Streams 4.2 (KTableSuppressProcessor, `Suppressed.untilTimeLimit`; KIP-328).
 *
 * @example At most one change of a station in ten seconds
 * untilTimeLimit(10_000, { maxRecords: 100_000 })
 */
export function untilTimeLimit(limitMs: number, buffer: EagerBuffer = {}): UntilTimeLimit {
  wantMilliseconds('untilTimeLimit', 'limitMs', limitMs);
  checkLimits('untilTimeLimit', buffer);
  return { kind: 'time-limit', limitMs, buffer };
}

/**
 * Holds a window's result back until the window closes, then sends it, once; in the order of (end, key bytes). Windows that were
 * taken back, as sessions that others have absorbed, are never seen. Rules of Kafka Streams 4.2 (KTableSuppressProcessor,
 * `Suppressed.untilWindowCloses`; KIP-328).
 *
 * @example
 * untilWindowCloses({ maxBytes: 64 * 2 ** 20 })
 */
export function untilWindowCloses(buffer: StrictBuffer = {}): UntilWindowCloses {
  checkLimits('untilWindowCloses', buffer);
  return { kind: 'window-closes', buffer };
}

function checkLimits(where: string, buffer: BufferLimits): void {
  for (const [name, limit] of [['maxRecords', buffer.maxRecords], ['maxBytes', buffer.maxBytes]] as const) {
    if (limit === undefined || (Number.isSafeInteger(limit) && limit > 0)) continue;
    throw new VoltstreamError('TOPOLOGY_INVALID', `${name} is not a limit`, { where, wanted: 'a whole number, 1 or more', got: String(limit) });
  }
}
