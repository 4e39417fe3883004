import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import type { SessionLogMapping, StopAfter, TimeColumns } from './session-log/mapping.ts';
import { classifyRows } from './verify-dundee.ts';
import type { DundeeRow } from './verify-dundee.ts';

/**
 * Reads session logs of any mapping for `verify`. On purpose it shares no code with what reads them for ingestion (times go through
 * Temporal, energies are moved by their decimal point in the text), so that a mistake there is not made here, too; what it has in
 * common with it is the mapping.
 *
 * Rows that ingestion cannot read, or whose identity occurred before, are of the class `unreadable`: they must have no session of
 * their own.
 */
export async function readForVerification(files: readonly string[], mapping: SessionLogMapping): Promise<readonly DundeeRow[]> {
  const rows: Readable[] = [];
  const taken = new Map<string, string>();
  let unreadable = 0;
  for (const file of files) {
    const content = await readFile(file);
    const text = (file.endsWith('.gz') ? gunzipSync(content) : content).toString('utf8');
    const [header = [], ...records] = parse(text, { bom: true, delimiter: mapping.delimiter, relax_column_count: true, skip_empty_lines: true }) as string[][];
    const names = header.map((name, index) => (name.trim() === '' ? `#${index + 1}` : name.trim()));
    for (const cells of records) {
      const record = Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
      const row = cells.length === names.length ? rowOf(record, mapping) : null;
      const id = row === null ? null : freeIdentity(row, taken, mapping, basename(file));
      if (row === null || id === null) unreadable += 1;
      else rows.push({ ...row, id });
    }
  }
  return [...classifyRows(rows), ...Array.from({ length: unreadable }, (_, index) => unreadableRow(index))];
}

type Readable = Omit<DundeeRow, 'rowClass'>;

function unreadableRow(index: number): DundeeRow {
  return { id: `\0unreadable ${index}`, stationId: '', connectorId: 0, startMs: 0, stopMs: null, energyWh: null, clockWentBack: false, rowClass: 'unreadable' };
}

/** Null when the row says the same as one before, or names an id that is taken. */
function freeIdentity(row: Readable, taken: Map<string, string>, mapping: SessionLogMapping, file: string): string | null {
  const content = JSON.stringify([file, row]);
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? row.id : `${row.id}-${number}`;
    const before = taken.get(id);
    if (before === undefined) {
      taken.set(id, content);
      return id;
    }
    const sameFile = before.startsWith(`[${JSON.stringify(file)},`);
    if (mapping.columns.id !== null || before === content || !sameFile) return null;
  }
}

type Text = (column: string) => string;

function rowOf(record: Readonly<Record<string, string>>, mapping: SessionLogMapping): Readable | null {
  const { columns } = mapping;
  const text: Text = (column) => {
    const found = (record[column] ?? '').trim();
    return mapping.noValue.includes(found) ? '' : found;
  };
  const station = [columns.station].flat().map(text).find((one) => one !== '');
  const connector = columns.connector === null ? 1 : mapping.connectors?.[text(columns.connector)] ?? Number(text(columns.connector));
  if (station === undefined || !Number.isInteger(connector) || connector < 1 || connector > 2 ** 31 - 1) return null;
  if (columns.id !== null && text(columns.id) === '') return null;
  try {
    const start = timeOf(columns.start, text, mapping);
    if (start === null) return null;
    const stop = 'after' in columns.stop ? stopAfter(start, columns.stop, text, mapping) : timeOf(columns.stop, text, mapping);
    const startMs = instantOf(start, 'compatible');
    let stopMs = stop === null ? null : instantOf(stop, 'compatible');
    // The hour that comes twice: of its two readings take the one that is not before the start.
    if (stop !== null && stopMs !== null && stopMs < startMs && instantOf(stop, 'later') >= startMs) stopMs = instantOf(stop, 'later');
    const stationId = `${mapping.stationPrefix ?? ''}${station}`;
    return {
      id: columns.id === null ? `${stationId}-${connector}-${startMs}` : text(columns.id).replace(/^(0|-1)$/, '#$1'),
      stationId, connectorId: connector, startMs, stopMs,
      clockWentBack: stop !== null && start.zone !== null && stop.zone !== null && Temporal.PlainDateTime.compare(stop.local, start.local) < 0,
      energyWh: text(columns.energy.column) === '' ? null : energyOf(text(columns.energy.column), mapping),
    };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

interface Time {
  readonly local: Temporal.PlainDateTime;
  /** Null: the text gives its offset. */
  readonly zone: string | null;
  readonly offset: string | null;
}

function instantOf(time: Time, disambiguation: 'compatible' | 'later'): number {
  if (time.zone === null) return Temporal.Instant.from(`${time.local.toString()}${time.offset ?? 'Z'}`).epochMilliseconds;
  return time.local.toZonedDateTime(time.zone, { disambiguation }).epochMilliseconds;
}

/** Reads the text along the form, part by part; throws RangeError where it does not fit. */
function timeOf(time: TimeColumns, text: Text, mapping: SessionLogMapping): Time | null {
  const parts = time.columns.map(text);
  if (parts.every((part) => part === '')) return null;
  const fields: Record<string, string> = {};
  let rest = parts.join(' ');
  const tokens = time.format.split(/(YYYY|MM|DD|HH|mm|ss|M|D|H|Z|\*)/).filter((token) => token !== '');
  for (const [index, token] of tokens.entries()) {
    const form = { YYYY: /^\d{4}/, MM: /^\d\d/, DD: /^\d\d/, HH: /^\d\d/, mm: /^\d\d/, ss: /^\d\d(\.\d+)?/, M: /^\d\d?/, D: /^\d\d?/, H: /^\d\d?/, Z: /^(Z|[+-]\d\d(:?\d\d)?)$/ }[token];
    if (token === '*') {
      rest = rest.slice(Math.max(0, rest.indexOf(tokens[index + 1] ?? '')));
      continue;
    }
    const found = form === undefined ? (rest.startsWith(token) ? token : null) : form.exec(rest)?.[0] ?? null;
    if (found === null) throw new RangeError(`${token} in ${rest}`);
    if (form !== undefined) fields[token] = found;
    rest = rest.slice(found.length);
  }
  if (rest !== '') throw new RangeError(rest);
  const local = Temporal.PlainDateTime.from({
    year: Number(fields['YYYY']) + (time.yearsAdded ?? 0), month: Number(fields['MM'] ?? fields['M']), day: Number(fields['DD'] ?? fields['D']),
    hour: Number(fields['HH'] ?? fields['H'] ?? 0), minute: Number(fields['mm'] ?? 0), second: Math.floor(Number(fields['ss'] ?? 0)),
  }, { overflow: 'reject' });
  const offset = fields['Z'] ?? null;
  return { local, zone: offset === null ? time.zone ?? mapping.zone : null, offset };
}

function stopAfter(start: Time, stop: StopAfter, text: Text, mapping: SessionLogMapping): Time | null {
  const said = text(stop.after);
  if (said === '') return null;
  const [hours = '0', minutes = '0', seconds = '0'] = said.split(':');
  const lasted = stop.zero?.includes(said) === true
    ? Temporal.Duration.from({ seconds: 0 })
    : stop.unit === 'h:mm:ss'
      ? Temporal.Duration.from({ hours: Number(hours), minutes: Number(minutes), seconds: Number(seconds) })
      : Temporal.Duration.from({ milliseconds: Math.round(plainNumber(said, mapping) * { seconds: 1_000, minutes: 60_000, hours: 3_600_000 }[stop.unit]) });
  const utc = Temporal.Instant.fromEpochMilliseconds(instantOf(start, 'compatible')).add(lasted).toZonedDateTimeISO('UTC').toPlainDateTime();
  return { local: utc, zone: null, offset: 'Z' };
}

function plainNumber(text: string, mapping: SessionLogMapping): number {
  const number = Number(decimalText(text, mapping));
  if (!Number.isFinite(number)) throw new RangeError(text);
  return number;
}

function decimalText(text: string, mapping: SessionLogMapping): string {
  const joined = mapping.thousandsMark === undefined ? text : text.split(mapping.thousandsMark).join('');
  return joined.split(mapping.decimalMark).join('.');
}

/** By moving the decimal point in the text; rounded to a thousandth of a Wh by its digits. */
function energyOf(text: string, mapping: SessionLogMapping): number {
  const plain = decimalText(text, mapping);
  if (!/^[+-]?\d+(\.\d*)?$/.test(plain)) throw new RangeError(text);
  const [whole = '', fraction = ''] = plain.split('.');
  const places = mapping.columns.energy.unit === 'kWh' ? 6 : 3;
  const digits = BigInt(`${whole.replace(/^[+-]/, '')}${fraction.padEnd(places, '0').slice(0, places)}`) + (Number(fraction[places] ?? '0') >= 5 ? 1n : 0n);
  return (Number(digits) * (whole.startsWith('-') ? -1 : 1)) / 1_000;
}
