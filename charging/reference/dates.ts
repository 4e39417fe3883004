import { localTimeReader } from '../session-log/local-time.ts';
import type { CsvRow } from './csv-rows.ts';
import { UnusableRow } from './reference-row.ts';

const formats = ['YYYY-MM-DD', 'YYYY-MM-DD HH:mm:ss', 'M/D/YYYY', 'D.M.YYYY', 'YYYY-MM-DDTHH:mm:ssZ', 'YYYY-MM-DDTHH:mm:ss'] as const;
const readers = new Map<string, ((text: string) => { readonly ms: number } | null)[]>();

/**
 * A day or time in one of the forms that sources use, as UTC milliseconds; null when the text is none of them. Two-digit years
 * are of this century. `zone` is that of times without an offset; a day begins at its midnight.
 *
 * Month and day with strokes are American, day and month with points German.
 */
export function dateOf(text: string, zone: string): number | null {
  const plain = text.replace(/ UTC$/, '').replace(/^(\d{1,2})([/.])(\d{1,2})\2(\d{2})$/, '$1$2$3$220$4');
  let forZone = readers.get(zone);
  if (forZone === undefined) {
    forZone = formats.map((format) => localTimeReader(format, zone));
    readers.set(zone, forZone);
  }
  for (const read of forZone) {
    const found = read(plain);
    if (found !== null) return found.ms;
  }
  return null;
}

/** As `dateOf` of a column; null when the column is empty, UnusableRow when it is something else. */
export function dateIn(row: CsvRow, column: string, zone: string): number | null {
  const text = row.text(column);
  if (text === null) return null;
  const found = dateOf(text, zone);
  if (found === null) throw new UnusableRow(column, `not a date: "${text}"`);
  return found;
}
