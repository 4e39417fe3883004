const HOUR_MS = 3_600_000;
const QUARTER_MS = HOUR_MS / 4;
const DAY_MS = 24 * HOUR_MS;
const WEEK_HOURS = 7 * 24;
/** 1 January 1970 was a Thursday. */
const SINCE_MONDAY_MS = 3 * DAY_MS;

/** The clock on the wall of a zone, by quarters of an hour: offsets are looked up once for each and remembered. */
export class LocalTime {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();
  #lastQuarter = Number.NaN;
  #lastOffsetMs = 0;

  /** An IANA zone; RangeError for one that is not known. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-GB', {
      timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    });
  }

  /** The hour, 0 to 23. */
  hour(timeMs: number): number {
    return Math.floor((((timeMs + this.offsetMs(timeMs)) % DAY_MS) + DAY_MS) % DAY_MS / HOUR_MS);
  }

  /** Monday is 0. */
  weekday(timeMs: number): number {
    return (((Math.floor((timeMs + this.offsetMs(timeMs) + SINCE_MONDAY_MS) / DAY_MS)) % 7) + 7) % 7;
  }

  /** 0 to 167, from Monday at 0:00 on; for times since 1970. */
  hourOfWeek(timeMs: number): number {
    return Math.floor((timeMs + this.offsetMs(timeMs) + SINCE_MONDAY_MS) / HOUR_MS) % WEEK_HOURS;
  }

  /** Local minus UTC. Zones change theirs at quarters of an hour at the earliest. */
  offsetMs(timeMs: number): number {
    const quarter = Math.floor(timeMs / QUARTER_MS);
    if (quarter !== this.#lastQuarter) {
      this.#lastOffsetMs = this.#offsets.get(quarter) ?? this.#lookUp(quarter);
      this.#lastQuarter = quarter;
    }
    return this.#lastOffsetMs;
  }

  #lookUp(quarter: number): number {
    const atMs = quarter * QUARTER_MS;
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(atMs)) parts[type] = Number(value);
    const wallMs = Date.UTC(parts['year'] ?? 0, (parts['month'] ?? 1) - 1, parts['day'], parts['hour'], parts['minute'], parts['second']);
    const offsetMs = wallMs - atMs;
    this.#offsets.set(quarter, offsetMs);
    return offsetMs;
  }
}

const zones = new Map<string, LocalTime>();

/** The clock of a zone, one for all who ask in this thread. */
export function localTime(timeZone: string): LocalTime {
  const local = zones.get(timeZone) ?? new LocalTime(timeZone);
  zones.set(timeZone, local);
  return local;
}
