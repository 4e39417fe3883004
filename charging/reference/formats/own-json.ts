import { dateOf } from '../dates.ts';
import { elementOf, isObject, jsonElements } from '../json-elements.ts';
import type { JsonElement } from '../json-elements.ts';
import type { ReferenceFile } from '../reference-file.ts';
import type { BadRow } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';

/** Whether a file is JSON, an array or one object a line, in whose beginning all of these texts stand and none of those. */
export function looksLikeJson(file: ReferenceFile, texts: readonly string[], others: readonly string[] = []): boolean {
  if (!/^\s*[[{]/.test(file.text)) return false;
  const head = file.text.slice(0, 100_000);
  return texts.every((text) => head.includes(text)) && !others.some((text) => head.includes(text));
}

/** Objects of a JSON array, one a line, or a single one; lines that are none are bad rows. */
export function ownElements(file: ReferenceFile, format: string): { readonly elements: readonly JsonElement[]; readonly bad: readonly BadRow[] } {
  if (/^\s*\[/.test(file.text)) return { elements: jsonElements(file, format), bad: [] };
  const single = wholeObject(file);
  if (single !== null) return { elements: [elementOf(file.name, 1, single, JSON.stringify(single))], bad: [] };
  const elements: JsonElement[] = [];
  const bad: BadRow[] = [];
  for (const [index, raw] of file.text.split(/\r?\n/).entries()) {
    if (raw.trim() === '') continue;
    try {
      const value: unknown = JSON.parse(raw);
      if (isObject(value)) elements.push(elementOf(file.name, index + 1, value, raw));
      else bad.push({ kind: 'bad', file: file.name, line: index + 1, column: '', reason: 'not an object', raw });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      bad.push({ kind: 'bad', file: file.name, line: index + 1, column: '', reason: error.message, raw });
    }
  }
  return { elements, bad };
}

/** The object that the file is as a whole; null when it is none. */
export function wholeObject(file: ReferenceFile): Readonly<Record<string, unknown>> | null {
  try {
    const found: unknown = JSON.parse(file.text);
    return isObject(found) ? found : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** A field that nobody reads is a slip of the pen, and what it was meant to say would be lost. */
export function refuseOthers({ value }: JsonElement, fields: readonly string[]): void {
  const other = Object.keys(value).find((name) => !fields.includes(name));
  if (other !== undefined) throw new UnusableRow(other, `there is no such field; there are ${fields.join(', ')}`);
}

/** Since when the record holds: `validFromMs`, or `validFrom` as a day (midnight UTC) or a time; undefined when neither is there. */
export function validFromOf(element: JsonElement): number | undefined {
  const text = element.text('validFrom');
  const milliseconds = element.text('validFromMs');
  if (text !== null && milliseconds !== null) throw new UnusableRow('validFrom', 'it is there twice, as validFromMs, too');
  if (milliseconds !== null) return wholeIn('validFromMs', milliseconds, 0, 253_402_300_799_999);
  return text === null ? undefined : timeIn('validFrom', text);
}

/** A day (midnight UTC) or a time since 1970; one without an offset is UTC. */
export function timeIn(column: string, text: string): number {
  const found = dateOf(text.replace(/\.\d+(?=Z?$)/, ''), 'UTC');
  if (found === null || found < 0) throw new UnusableRow(column, `not a day or time since 1970: "${text}"`);
  return found;
}

/** A whole number from text. */
export function wholeIn(column: string, text: string, lowest: number, highest: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= lowest && value <= highest)) throw new UnusableRow(column, `not a whole number from ${lowest} to ${highest}: "${text}"`);
  return value;
}

/** One of some texts, or null when there is none. */
export function oneOf<T extends string>(element: JsonElement, path: string, values: readonly T[]): T | null {
  const text = element.text(path);
  if (text === null) return null;
  const found = values.find((value) => value === text);
  if (found === undefined) throw new UnusableRow(path, `not one of ${values.join(', ')}: "${text}"`);
  return found;
}

/** True or false; `otherwise` when nothing is there. */
export function flagIn(element: JsonElement, path: string, otherwise: boolean): boolean {
  const found = element.at(path) ?? otherwise;
  if (typeof found !== 'boolean') throw new UnusableRow(path, `neither true nor false: ${JSON.stringify(found)}`);
  return found;
}

/** Reads an object inside an element; what is wrong with it is told by its whole path. */
export function nested<T>(element: JsonElement, value: Readonly<Record<string, unknown>>, path: string, read: (inner: JsonElement) => T): T {
  try {
    return read(elementOf(element.file, element.line, value, element.raw));
  } catch (error) {
    if (error instanceof UnusableRow) throw new UnusableRow(`${path}.${error.column}`, error.message);
    throw error;
  }
}

/** The objects of a list, each read by a function. */
export function listOf<T>(element: JsonElement, path: string, read: (inner: JsonElement) => T): readonly T[] {
  return element.list(path).map((value, index) => nested(element, value, `${path}.${index}`, read));
}
