import { parse } from 'csv-parse/sync';
import { VoltstreamError } from '../../errors.ts';
import type { ReferenceFile } from './reference-file.ts';
import { UnusableRow } from './reference-row.ts';
import type { BadRow, ReferenceRow } from './reference-row.ts';

type Delimiter = ',' | ';' | '\t';

interface CsvLine {
  readonly line: number;
  readonly cells: readonly string[];
  readonly raw: string;
  /** Why it cannot be split into cells; null when it can. */
  readonly broken: string | null;
}

/** A row by the names of its columns. */
export interface CsvRow {
  readonly line: number;
  /** Text of a column, trimmed; null when it is empty or the file has no such column. Of columns of one name the last. */
  text(column: string): string | null;
  /** As `text`, but throws UnusableRow when there is none. */
  needed(column: string): string;
  /** A number within bounds, or null; throws UnusableRow for anything else. A decimal comma is read as a point. */
  number(column: string, lowest: number, highest: number): number | null;
}

export interface CsvTable {
  readonly header: readonly string[];
  readonly lines: readonly CsvLine[];
  readonly file: string;
}

/** Lines that may stand before the header: registers begin with a title, the date and a legal note. */
const linesBeforeHeaderMax = 30;

/**
 * The table of a CSV file, whose header is the first line with all of these columns; null when there is none. The delimiter is
 * the one that makes that header.
 */
export function csvTable(file: ReferenceFile, columns: readonly string[]): CsvTable | null {
  const found = findHeader(file, columns);
  if (found === null) return null;
  return { header: found.header, file: file.name, lines: csvLines(file.text.slice(found.bodyAt), found.delimiter, found.bodyLine) };
}

/** Whether a file has a header with all of these columns; reads no further. */
export function hasCsvHeader(file: ReferenceFile, columns: readonly string[]): boolean {
  return findHeader(file, columns) !== null;
}

function findHeader(file: ReferenceFile, columns: readonly string[]) {
  const head = file.text.slice(0, 200_000).split('\n', linesBeforeHeaderMax);
  let bodyAt = 0;
  for (const [index, text] of head.entries()) {
    bodyAt += text.length + 1;
    for (const delimiter of [',', ';', '\t'] as const) {
      const header = splitHeader(text, delimiter);
      if (columns.every((column) => header.includes(column))) return { header, delimiter, bodyAt, bodyLine: index + 2 };
    }
  }
  return null;
}

/** As `csvTable`, but throws CONFIGURATION_INVALID when the file has no such header. */
export function neededCsvTable(file: ReferenceFile, format: string, columns: readonly string[]): CsvTable {
  const table = csvTable(file, columns);
  if (table !== null) return table;
  throw new VoltstreamError('CONFIGURATION_INVALID', `the file is not of the form ${format}`, {
    where: file.name, wanted: `a header with ${columns.join(', ')}`, got: file.text.slice(0, 200).split('\n', 1)[0] ?? '',
    cure: 'Choose the form that belongs to the file with --format.',
  });
}

function splitHeader(text: string, delimiter: Delimiter): readonly string[] {
  if (!text.includes(delimiter)) return [];
  const line = csvLines(text, delimiter, 1)[0];
  return line === undefined || line.broken !== null ? [] : line.cells.map((cell) => cell.trim());
}

/** A quote that is never closed swallows what follows: its line is broken, and the lines behind it are read anew. */
function csvLines(text: string, delimiter: Delimiter, firstLine: number): readonly CsvLine[] {
  const lines: CsvLine[] = [];
  const skipped: { readonly reason: string; readonly raw: string }[] = [];
  const records = parse(text, {
    delimiter, info: true, raw: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, skip_records_with_error: true,
    on_skip: (error, raw) => {
      skipped.push({ reason: error?.message ?? 'broken CSV', raw: raw ?? '' });
      return undefined;
    },
  }) as unknown as readonly { readonly record: readonly string[]; readonly raw: string }[];
  let at = 0;
  let line = firstLine;
  const placeOf = (raw: string): number => {
    const found = text.indexOf(raw, at);
    line += newLines(text.slice(at, found));
    at = found;
    return line;
  };
  for (const { record, raw } of records) {
    const own = raw.replace(/^[\r\n]+/, '');
    lines.push({ line: placeOf(own), cells: record, raw: own.trimEnd(), broken: null });
  }
  for (const { reason, raw } of skipped) {
    const own = raw.replace(/^[\r\n]+/, '');
    const [first = '', ...rest] = own.split('\n');
    // Skipped ones are told apart from the others: their place is looked for from the beginning.
    const place = firstLine + newLines(text.slice(0, Math.max(0, text.indexOf(own))));
    lines.push({ line: place, cells: [], raw: first.trimEnd(), broken: reason });
    if (rest.length > 0) lines.push(...csvLines(rest.join('\n'), delimiter, place + 1));
  }
  return lines;
}

function newLines(text: string): number {
  let count = 0;
  for (let index = text.indexOf('\n'); index >= 0; index = text.indexOf('\n', index + 1)) count++;
  return count;
}

/** Reads each line by a function that may throw UnusableRow; such lines, and broken ones, are bad rows. */
export function readCsv<Facts>(table: CsvTable, read: (row: CsvRow) => ReferenceRow<Facts>): readonly ReferenceRow<Facts>[] {
  const places = new Map(table.header.map((name, index) => [name, index] as const));
  return table.lines.map((line) => {
    const bad = (column: string, reason: string): BadRow => ({ kind: 'bad', file: table.file, line: line.line, column, reason, raw: line.raw });
    if (line.broken !== null) return bad('', line.broken);
    if (line.cells.length !== table.header.length) return bad('', `${line.cells.length} columns instead of the header's ${table.header.length}`);
    try {
      return read(csvRow(line, places));
    } catch (error) {
      if (error instanceof UnusableRow) return bad(error.column, error.message);
      throw error;
    }
  });
}

function csvRow({ cells, line }: CsvLine, places: ReadonlyMap<string, number>): CsvRow {
  const text = (column: string): string | null => {
    const place = places.get(column);
    const found = place === undefined ? '' : cells[place]?.trim() ?? '';
    return found === '' ? null : found;
  };
  return {
    line, text,
    needed: (column) => {
      const found = text(column);
      if (found === null) throw new UnusableRow(column, 'it is empty');
      return found;
    },
    number: (column, lowest, highest) => {
      const found = text(column);
      return found === null ? null : numberOf(column, found, lowest, highest);
    },
  };
}

/** A number from text, with a point or a decimal comma; throws UnusableRow. */
export function numberOf(column: string, text: string, lowest: number, highest: number): number {
  const plain = text.replace(',', '.');
  if (!/^[+-]?\d+(\.\d*)?$/.test(plain)) throw new UnusableRow(column, `not a number: "${text}"`);
  const value = Number(plain);
  if (value < lowest || value > highest) throw new UnusableRow(column, `not from ${lowest} to ${highest}: ${text}`);
  return value;
}
