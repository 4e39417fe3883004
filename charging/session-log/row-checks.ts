import type { RowCheck, SessionLogMapping } from './mapping.ts';
import { milliseconds, numberReader } from './numbers.ts';

type Columns = (column: string) => (record: readonly string[]) => string | null;
type Test = (record: readonly string[], startMs: number | null, stopMs: number | null) => boolean;

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/**
 * Gives the names of the mapping's checks that a row fails, in the mapping's order. A column without a value, or one that cannot
 * be read by the check, fails nothing: `present` is the check for those.
 */
export function rowChecker(mapping: SessionLogMapping, textOf: Columns) {
  const checks = (mapping.checks ?? []).map((check) => ({ name: check.name, holds: testOf(check, mapping, textOf) }));
  const none: readonly string[] = [];
  return (record: readonly string[], startMs: number | null, stopMs: number | null): readonly string[] => {
    if (checks.length === 0) return none;
    const failed = checks.filter(({ holds }) => !holds(record, startMs, stopMs)).map(({ name }) => name);
    return failed.length === 0 ? none : failed;
  };
}

function testOf(check: RowCheck, mapping: SessionLogMapping, textOf: Columns): Test {
  switch (check.kind) {
    case 'duration': {
      const text = textOf(check.column);
      const read = milliseconds(check.unit, mapping);
      return (record, startMs, stopMs) => {
        const said = text(record);
        const ms = said === null ? null : read(said);
        return ms === null || startMs === null || stopMs === null || Math.abs(stopMs - startMs - ms) <= check.toleranceS * 1_000;
      };
    }
    case 'weekday': {
      const text = textOf(check.column);
      return (record, startMs) => {
        const said = text(record);
        return said === null || startMs === null || weekdays[local(startMs, mapping.zone).dayOfWeek - 1] === said.slice(0, 3).toLowerCase();
      };
    }
    case 'timeOfDay': {
      const text = textOf(check.column);
      return (record, startMs) => {
        const hours = check.hours[text(record) ?? ''];
        if (hours === undefined || startMs === null) return true;
        const [from, to] = hours;
        const { hour } = local(startMs, mapping.zone);
        return from < to ? hour >= from && hour < to : hour >= from || hour < to;
      };
    }
    case 'ascending': {
      const read = numberReader(mapping);
      const parts = check.of.map((part) => (typeof part === 'number' ? () => part : numberIn(textOf(part), read)));
      return (record) => {
        const numbers = parts.map((part) => part(record)).filter((number) => number !== null);
        return numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? number));
      };
    }
    case 'present': {
      const texts = check.columns.map(textOf);
      return (record) => texts.every((text) => text(record) !== null);
    }
  }
}

function numberIn(text: (record: readonly string[]) => string | null, read: (text: string) => number | null) {
  return (record: readonly string[]): number | null => {
    const found = text(record);
    return found === null ? null : read(found);
  };
}

function local(ms: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
}
