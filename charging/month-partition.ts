import type { ColumnValue } from './engine.ts';

const partitionsFromMs = Date.UTC(2010, 0, 1);
const partitionsToMs = Date.UTC(2070, 0, 1);

const storableMaxMs = Date.UTC(2200, 0, 1);

const dayMs = 86_400_000;
/** Months of the days asked for so far, by day since 1970: rows come in time order, and a Date for each costs more than the rest. */
const monthsByDay: (string | undefined)[] = Array.from({ length: partitionsToMs / dayMs }, () => undefined);

/** As the tables' PARTITION BY: the month of a time in UTC milliseconds as YYYYMM, times outside 2010 to 2069 together in 0. */
export function monthOf(value: ColumnValue): string {
  const timeMs = Number(value);
  if (!(timeMs >= partitionsFromMs && timeMs < partitionsToMs)) return '0';
  const day = Math.floor(timeMs / dayMs);
  return (monthsByDay[day] ??= monthOfDay(day));
}

function monthOfDay(day: number): string {
  const date = new Date(day * dayMs);
  return String(date.getUTCFullYear() * 100 + date.getUTCMonth() + 1);
}

/** What DateTime64(3) can hold, with room to spare; whole milliseconds. */
export function storableMs(timeMs: number): number {
  return Math.min(Math.max(Math.trunc(timeMs), 0), storableMaxMs);
}
