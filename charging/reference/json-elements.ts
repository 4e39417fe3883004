import { VoltstreamError } from '../../errors.ts';
import { numberOf } from './csv-rows.ts';
import type { ReferenceFile } from './reference-file.ts';
import type { ReferenceRow } from './reference-row.ts';
import { UnusableRow } from './reference-row.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** One object of a file of many, read by paths such as `AddressInfo.Town`. */
export interface JsonElement {
  readonly file: string;
  /** Line of JSON lines; number of the element of an array. */
  readonly line: number;
  readonly value: JsonObject;
  readonly raw: string;
  /** What lies at a path; undefined when nothing does, or null. */
  at(path: string): unknown;
  /** Text or number at a path as trimmed text; null when there is none or it is empty. */
  text(path: string): string | null;
  needed(path: string): string;
  number(path: string, lowest: number, highest: number): number | null;
  /** Objects of the list at a path; none when there is none. */
  list(path: string): readonly JsonObject[];
}

/** The objects of a file that is one JSON array, or of the array at `path` of its object. Throws CONFIGURATION_INVALID. */
export function jsonElements(file: ReferenceFile, format: string, path: string | null = null): readonly JsonElement[] {
  let found: unknown;
  try {
    found = JSON.parse(file.text);
  } catch (error) {
    throw notOfForm(file, format, error instanceof Error ? error.message : String(error));
  }
  if (path !== null) found = isObject(found) ? found[path] : undefined;
  if (!Array.isArray(found)) throw notOfForm(file, format, path === null ? 'no JSON array' : `no array "${path}"`);
  return found.map((value: unknown, index) => elementOf(file.name, index + 1, isObject(value) ? value : {}, JSON.stringify(value)));
}

function notOfForm(file: ReferenceFile, format: string, got: string): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', `the file is not of the form ${format}`, {
    where: file.name, got, cure: 'Choose the form that belongs to the file with --format.',
  });
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function elementOf(file: string, line: number, value: JsonObject, raw: string): JsonElement {
  const at = (path: string): unknown => path.split('.').reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] ?? undefined : undefined), value);
  const text = (path: string): string | null => {
    const found = at(path);
    if (found === undefined) return null;
    if (typeof found !== 'string' && typeof found !== 'number') throw new UnusableRow(path, `neither text nor number: ${JSON.stringify(found).slice(0, 80)}`);
    return String(found).trim() || null;
  };
  return {
    file, line, value, raw, at, text,
    needed: (path) => {
      const found = text(path);
      if (found === null) throw new UnusableRow(path, 'it is missing');
      return found;
    },
    number: (path, lowest, highest) => {
      const found = text(path);
      return found === null ? null : numberOf(path, found, lowest, highest);
    },
    list: (path) => {
      const found = at(path) ?? [];
      if (!Array.isArray(found) || !found.every(isObject)) throw new UnusableRow(path, 'not a list of objects');
      return found;
    },
  };
}

/** Reads each element by a function that may throw UnusableRow; such elements are bad rows. */
export function readElements<Facts>(elements: readonly JsonElement[], read: (element: JsonElement) => ReferenceRow<Facts>): readonly ReferenceRow<Facts>[] {
  return elements.map((element) => {
    try {
      return read(element);
    } catch (error) {
      if (!(error instanceof UnusableRow)) throw error;
      return { kind: 'bad', file: element.file, line: element.line, column: error.column, reason: error.message, raw: element.raw };
    }
  });
}
