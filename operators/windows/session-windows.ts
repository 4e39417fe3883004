import { wantMilliseconds, wantPositive } from './window-span.ts';

/**
 * Windows of activity: a session holds the records of a key between which there is never a silence of more than `gapMs`:
 * `[startMs, endMs]`, from its first record to its last, both inclusive.
 */
export interface SessionWindows {
  readonly kind: 'session';
  readonly gapMs: number;
  /** How long after its end plus the gap a session still takes records. */
  readonly graceMs: number;
}

/**
 * Sessions that end by a silence of more than `gapMs`; a record between two of them makes them one.
 *
 * @example
 * sessions({ gapMs: 1_800_000, graceMs: 60_000 })
 */
export function sessions(options: { readonly gapMs: number; readonly graceMs: number }): SessionWindows {
  wantPositive('sessions', 'gapMs', options.gapMs);
  wantMilliseconds('sessions', 'graceMs', options.graceMs);
  return { kind: 'session', gapMs: options.gapMs, graceMs: options.graceMs };
}
