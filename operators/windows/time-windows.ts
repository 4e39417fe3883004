import { wantMilliseconds, wantPositive, type WindowSpan } from './window-span.ts';
import { VoltstreamError } from '../../errors.ts';

/** Windows of one size that begin at multiples of `advanceMs`: `[startMs, startMs + sizeMs)`. */
export interface TimeWindows {
  readonly kind: 'tumbling' | 'hopping';
  readonly sizeMs: number;
  readonly advanceMs: number;
  /** How long after its end a window still takes records. */
  readonly graceMs: number;
}

/**
 * Windows that adjoin: each record is in exactly one.
 *
 * @example
 * tumbling({ sizeMs: 60_000, graceMs: 300_000 })
 */
export function tumbling(options: { readonly sizeMs: number; readonly graceMs: number }): TimeWindows {
  wantPositive('tumbling', 'sizeMs', options.sizeMs);
  wantMilliseconds('tumbling', 'graceMs', options.graceMs);
  return { kind: 'tumbling', sizeMs: options.sizeMs, advanceMs: options.sizeMs, graceMs: options.graceMs };
}

/**
 * Windows that overlap: one begins every `advanceMs`, each record is in up to `sizeMs / advanceMs` of them, rounded up.
 *
 * @example The last hour, every five minutes
 * hopping({ sizeMs: 3_600_000, advanceMs: 300_000, graceMs: 60_000 })
 */
export function hopping(options: { readonly sizeMs: number; readonly advanceMs: number; readonly graceMs: number }): TimeWindows {
  wantPositive('hopping', 'sizeMs', options.sizeMs);
  wantPositive('hopping', 'advanceMs', options.advanceMs);
  wantMilliseconds('hopping', 'graceMs', options.graceMs);
  if (options.advanceMs > options.sizeMs) {
    throw new VoltstreamError('TOPOLOGY_INVALID', 'hopping windows would leave out records', {
      wanted: `advanceMs at most sizeMs (${options.sizeMs})`,
      got: String(options.advanceMs),
    });
  }
  return { kind: 'hopping', sizeMs: options.sizeMs, advanceMs: options.advanceMs, graceMs: options.graceMs };
}

/** Start of the earliest window that holds the time; the others follow every `advanceMs` up to the time itself. Never negative. */
export function firstStartMs(windows: TimeWindows, timestampMs: number): number {
  const earliest = timestampMs - windows.sizeMs + windows.advanceMs;
  return earliest <= 0 ? 0 : earliest - (earliest % windows.advanceMs);
}

/** All windows that hold the time, starts ascending. */
export function windowsAt(windows: TimeWindows, timestampMs: number): WindowSpan[] {
  const spans: WindowSpan[] = [];
  for (let startMs = firstStartMs(windows, timestampMs); startMs <= timestampMs; startMs += windows.advanceMs) {
    spans.push({ startMs, endMs: startMs + windows.sizeMs });
  }
  return spans;
}
