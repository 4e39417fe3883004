import type { DurationUnit, SessionLogMapping } from './mapping.ts';
import { Unreadable } from './unreadable.ts';

type NumberForm = Pick<SessionLogMapping, 'decimalMark' | 'thousandsMark'>;

/**
 * Reads numbers as a source writes them: its decimal mark, and its mark between thousands only where one belongs (`2,418` with
 * `,`, never `2,41`). Null for anything else, exponents among it. `power` (`e6`) moves the decimal point in the text: a product
 * of the number would round 16.4398575 kWh down.
 */
export function numberReader(form: NumberForm, power: '' | 'e3' | 'e6' = ''): (text: string) => number | null {
  const decimal = escaped(form.decimalMark);
  const whole = form.thousandsMark === undefined ? '\\d+' : `(?:\\d{1,3}(?:${escaped(form.thousandsMark)}\\d{3})+|\\d+)`;
  const pattern = new RegExp(`^[+-]?${whole}(?:${decimal}\\d*)?$`);
  return (text) => {
    if (!pattern.test(text)) return null;
    const digits = form.thousandsMark === undefined ? text : text.replaceAll(form.thousandsMark, '');
    return Number(`${digits.replace(form.decimalMark, '.')}${power}`);
  };
}

/** Reads the energy column to a thousandth of a Wh, so that 22.287 kWh is 22287 Wh and not 22287.000000000004. */
export function wattHours(mapping: SessionLogMapping): (text: string | null) => number | Unreadable | null {
  const { column, unit } = mapping.columns.energy;
  const thousandths = numberReader(mapping, unit === 'kWh' ? 'e6' : 'e3');
  return (text) => {
    if (text === null) return null;
    const number = thousandths(text);
    if (number === null) return new Unreadable(column, `not a number: "${text}"`);
    return (Math.sign(number) * Math.round(Math.abs(number))) / 1e3;
  };
}

const unitMs = { seconds: 1_000, minutes: 60_000, hours: 3_600_000 } as const;

/** Reads durations in whole milliseconds; null for a text of another form. `h:mm:ss` takes any number of hours. */
export function milliseconds(unit: DurationUnit, form: NumberForm): (text: string) => number | null {
  if (unit === 'h:mm:ss') {
    return (text) => {
      const match = /^(\d+):([0-5]?\d):([0-5]?\d)$/.exec(text);
      if (match === null) return null;
      return ((Number(match[1]) * 60 + Number(match[2])) * 60 + Number(match[3])) * 1_000;
    };
  }
  const read = numberReader(form);
  return (text) => {
    const number = read(text);
    return number === null ? null : Math.round(number * unitMs[unit]);
  };
}

function escaped(mark: string): string {
  return mark === '.' ? '\\.' : mark;
}
