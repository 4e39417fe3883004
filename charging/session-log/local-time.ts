import { VoltstreamError } from '../../errors.ts';
import type { ClockReading } from './mapping.ts';

/** A local time as an instant. `laterMs` is the second of two instants when the clock showed this time twice. */
export interface LocalInstant {
  readonly ms: number;
  readonly laterMs: number | null;
  readonly clock: ClockReading;
}

const fieldPatterns = {
  YYYY: '(\\d{4})', MM: '(\\d{2})', DD: '(\\d{2})', HH: '(\\d{2})', mm: '(\\d{2})', ss: '(\\d{2})(?:\\.\\d+)?',
  M: '(\\d{1,2})', D: '(\\d{1,2})', H: '(\\d{1,2})', Z: '(Z|[+-]\\d{2}(?::?\\d{2})?)',
} as const;

type Field = keyof typeof fieldPatterns;

const slotOf: Readonly<Record<Field, number>> = {
  YYYY: 0, MM: 1, M: 1, DD: 2, D: 2, HH: 3, H: 3, mm: 4, ss: 5, Z: 6,
};

/**
 * Reads local times of one form and zone. Gives null for a text that does not fit or names no day of the calendar.
 *
 * A time that the clock showed twice is read as the earlier one, a time that it never showed is moved on by the hour that was
 * lost (Temporal's `compatible`); both say so in `clock`. A form with `Z` needs no zone and is always exact. `*` stands for any text.
 */
export function localTimeReader(format: string, zone: string, yearsAdded: number = 0): (text: string) => LocalInstant | null {
  const { pattern, slots } = compile(format);
  const clock = new ZoneClock(zone);
  const values = [0, 1, 1, 0, 0, 0];
  return (text) => {
    const match = pattern.exec(text);
    if (match === null) return null;
    values[3] = values[4] = values[5] = 0;
    let offset: string | null = null;
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots[index] ?? 0;
      const found = match[index + 1] ?? '';
      if (slot === 6) offset = found;
      else values[slot] = Number(found);
    }
    const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = values;
    const wallMs = calendarMs(year + yearsAdded, month, day, hour, minute, second);
    if (wallMs === null) return null;
    if (offset !== null) return { ms: wallMs - offsetMs(offset), laterMs: null, clock: 'exact' };
    return clock.at(wallMs);
  };
}

function compile(format: string): { readonly pattern: RegExp; readonly slots: readonly number[] } {
  const slots: number[] = [];
  const source = format.replaceAll(/YYYY|MM|DD|HH|mm|ss|M|D|H|Z|[^A-Za-z]|T/g, (token) => {
    if (token === '*') return '.*?';
    if (!(token in fieldPatterns)) return token.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    slots.push(slotOf[token as Field]);
    return fieldPatterns[token as Field];
  });
  const needed = [0, 1, 2].every((slot) => slots.includes(slot));
  if (!needed || new Set(slots).size !== slots.length) {
    throw new VoltstreamError('CONFIGURATION_INVALID', 'a time format must name year, month and day, each field once', { got: format });
  }
  return { pattern: new RegExp(`^${source}$`), slots };
}

function calendarMs(year: number, month: number, day: number, hour: number, minute: number, second: number): number | null {
  if (hour > 23 || minute > 59 || second > 59) return null;
  const midnight = Date.UTC(year, month - 1, day);
  const date = new Date(midnight);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return midnight + ((hour * 60 + minute) * 60 + second) * 1000;
}

function offsetMs(offset: string): number {
  if (offset === 'Z') return 0;
  const digits = offset.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) === '' ? 0 : digits.slice(2));
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}

const dayMs = 86_400_000;

/** Offsets of a zone by day: most days have one, so that a log of years asks the calendar a few hundred times only. */
class ZoneClock {
  readonly #zone: string;
  /** Offset of days that have a single one; null for days on which the clock is changed. */
  readonly #offsetOfDay = new Map<number, number | null>();

  constructor(zone: string) {
    this.#zone = zone;
  }

  /** `wallMs`: what the clock showed, as if it were UTC. */
  at(wallMs: number): LocalInstant {
    const day = Math.floor(wallMs / dayMs);
    let offset = this.#offsetOfDay.get(day);
    if (offset === undefined) {
      offset = this.#offsetOn(day);
      this.#offsetOfDay.set(day, offset);
    }
    if (offset !== null) return { ms: wallMs - offset, laterMs: null, clock: 'exact' };
    return this.#onDayOfChange(wallMs);
  }

  #offsetOn(day: number): number | null {
    const midnight = plain(day * dayMs).toZonedDateTime(this.#zone);
    return midnight.hoursInDay === 24 && midnight.hour === 0 ? midnight.offsetNanoseconds / 1e6 : null;
  }

  #onDayOfChange(wallMs: number): LocalInstant {
    const local = plain(wallMs);
    const earlier = local.toZonedDateTime(this.#zone, { disambiguation: 'earlier' }).epochMilliseconds;
    const later = local.toZonedDateTime(this.#zone, { disambiguation: 'later' }).epochMilliseconds;
    if (earlier === later) return { ms: earlier, laterMs: null, clock: 'exact' };
    const compatible = local.toZonedDateTime(this.#zone, { disambiguation: 'compatible' }).epochMilliseconds;
    // In autumn `compatible` is the earlier one of two true readings; in spring the later of two that never were.
    if (compatible === later) return { ms: later, laterMs: null, clock: 'skipped' };
    return { ms: earlier, laterMs: later, clock: 'ambiguous' };
  }
}

function plain(wallMs: number): Temporal.PlainDateTime {
  return Temporal.Instant.fromEpochMilliseconds(wallMs).toZonedDateTimeISO('UTC').toPlainDateTime();
}
