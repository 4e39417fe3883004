/** A time without a change of the clock. */
export interface OffsetSpan {
  readonly fromMs: number;
  /** Exclusive; infinite after the last change. */
  readonly toMs: number;
  /** What the local clock is ahead of UTC. */
  readonly offsetMs: number;
}

/** By zone, as asked for: a zone has two changes a year, so that sessions of years ask the calendar a few times only. */
const spansOfZone = new Map<string, OffsetSpan[]>();

/** The offset of a zone (IANA name) at a time, and how long it holds; null when there is no such zone. */
export function offsetSpan(zone: string, timeMs: number): OffsetSpan | null {
  let spans = spansOfZone.get(zone);
  if (spans === undefined) {
    if (!isZone(zone)) return null;
    spans = [];
    spansOfZone.set(zone, spans);
  }
  let found = spans.find(({ fromMs, toMs }) => fromMs <= timeMs && timeMs < toMs);
  if (found === undefined) {
    found = readSpan(zone, timeMs);
    spans.push(found);
  }
  return found;
}

/** What the clock of a zone is ahead of UTC, in seconds; 0 where the zone is not known. */
export function offsetSecondsAt(timeZone: string | null, timeMs: number): number {
  return timeZone === null ? 0 : Math.round((offsetSpan(timeZone, timeMs)?.offsetMs ?? 0) / 1000);
}

function readSpan(zone: string, timeMs: number): OffsetSpan {
  const at = local(zone, timeMs);
  // The change before the next millisecond, so that a change at this very time counts.
  const since = local(zone, timeMs + 1).getTimeZoneTransition('previous');
  const until = at.getTimeZoneTransition('next');
  return {
    fromMs: since?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    toMs: until?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offsetMs: at.offsetNanoseconds / 1e6,
  };
}

function local(zone: string, timeMs: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(timeMs).toZonedDateTimeISO(zone);
}

function isZone(zone: string): boolean {
  try {
    return local(zone, 0).timeZoneId !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
