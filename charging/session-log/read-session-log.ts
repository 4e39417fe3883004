import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { parse as parseText } from 'csv-parse/sync';
import { VoltstreamError } from '../../errors.ts';
import { localTimeReader } from './local-time.ts';
import type { LocalInstant } from './local-time.ts';
import type { QuarantinedRow, SessionLogMapping, SessionLogRow, TimeColumns } from './mapping.ts';

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
  readonly raw: string;
}

/**
 * Reads session logs (CSV, plain or gzip) of one source, row by row, without holding a file.
 *
 * Each row comes out once: as a row in our units, or as quarantined with file, line, column and reason. A row is quarantined
 * when it has another number of columns than the header, no station, neither start nor stop, an id that occurred before
 * (in any of the files), or a text that does not fit its column's form. Broken quoting quarantines the row, too.
 *
 * Throws CONFIGURATION_INVALID when a file lacks a column of the mapping.
 */
export async function* readSessionLogs(
  files: readonly string[],
  mapping: SessionLogMapping,
): AsyncGenerator<SessionLogRow | QuarantinedRow> {
  const firstSeen = new Map<string, string>();
  for (const file of files) {
    for await (const row of readFile(file, mapping)) {
      if (row.kind === 'quarantined') {
        yield row;
        continue;
      }
      const before = firstSeen.get(row.rowId);
      if (before === undefined) {
        firstSeen.set(row.rowId, `${row.file}:${row.line}`);
        yield row;
      } else {
        const { line } = row;
        const reason = `the id ${row.rowId} occurred before, in ${before}`;
        yield { kind: 'quarantined', file: row.file, line, column: mapping.columns.id ?? 'id', reason, raw: row.rowId };
      }
    }
  }
}

async function* readFile(path: string, mapping: SessionLogMapping): AsyncGenerator<SessionLogRow | QuarantinedRow> {
  const file = basename(path);
  const skipped: { readonly reason: string; readonly raw: string }[] = [];
  const source = createReadStream(path);
  const parser = parse({
    ...csvForm(mapping), info: true, raw: true, skip_records_with_error: true,
    on_skip: (error, raw) => {
      skipped.push({ reason: error?.message ?? 'broken CSV', raw: raw ?? '' });
      return undefined;
    },
  });
  const unpacked = path.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => parser.destroy(error));
  unpacked.on('error', (error) => parser.destroy(error));
  unpacked.pipe(parser);
  let read: ReturnType<typeof rowReader> | null = null;
  let lines = 0;
  let countedTwice = 0;
  for await (const { record, info, raw } of parser as AsyncIterable<CsvRecord>) {
    const inside = raw.trim();
    // csv-parse counts a line that ends with CR LF inside quotes as two.
    if (inside.includes('\n')) countedTwice += inside.match(/\r\n/g)?.length ?? 0;
    lines = info.lines - countedTwice;
    if (read === null) {
      read = rowReader(record, mapping, file);
      continue;
    }
    const row = read(record, lines - (inside.match(/\n/g)?.length ?? 0), raw);
    if (row.kind === 'quarantined' && inside.includes('\n')) yield* lineByLine(row.reason, inside, lines, file, mapping, read);
    else yield row;
  }
  for (const { reason, raw } of skipped) {
    if (read !== null) yield* lineByLine(reason, raw, lines + raw.trimEnd().split('\n').length, file, mapping, read);
  }
}

function csvForm(mapping: SessionLogMapping) {
  return { bom: true, delimiter: mapping.delimiter, relax_column_count: true, relax_quotes: true, skip_empty_lines: true } as const;
}

/**
 * A quote that is never closed swallows the rows behind it. Where that gives nothing readable, the first line is set aside,
 * and each of the others read for itself.
 */
function* lineByLine(
  reason: string,
  raw: string,
  lastLine: number,
  file: string,
  mapping: SessionLogMapping,
  read: ReturnType<typeof rowReader>,
): Generator<SessionLogRow | QuarantinedRow> {
  const lines = raw.trimEnd().split(/\r?\n/);
  for (const [index, text] of lines.entries()) {
    const line = lastLine - lines.length + 1 + index;
    const aside: QuarantinedRow = { kind: 'quarantined', file, line, column: '', reason, raw: text };
    if (index === 0) {
      yield aside;
      continue;
    }
    try {
      const record = (parseText(text, csvForm(mapping)) as string[][])[0];
      if (record !== undefined) yield read(record, line, text);
    } catch (error) {
      yield { ...aside, reason: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** A column's text, or null; with the place in the header worked out once. */
type TextOf = (record: readonly string[]) => string | null;

class Unreadable {
  readonly column: string;
  readonly reason: string;

  constructor(column: string, reason: string) {
    this.column = column;
    this.reason = reason;
  }
}

function rowReader(header: readonly string[], mapping: SessionLogMapping, file: string) {
  const { columns } = mapping;
  const textOf = columnFinder(header, mapping, file);
  const id = columns.id === null ? null : textOf(columns.id);
  const station = textOf(columns.station);
  const connector = columns.connector === null ? null : textOf(columns.connector);
  const start = timeOf(columns.start, mapping, textOf);
  const stop = timeOf(columns.stop, mapping, textOf);
  const energy = textOf(columns.energy.column);
  const [site, model, idToken, vehicleModel] = [columns.site, columns.model, columns.idToken, columns.vehicleModel]
    .map((column) => (column === null ? () => null : textOf(column))) as [TextOf, TextOf, TextOf, TextOf];

  const toRow = (record: readonly string[], line: number): SessionLogRow | Unreadable => {
    if (record.length !== header.length) {
      return new Unreadable('', `${record.length} columns instead of the header's ${header.length}`);
    }
    const stationId = station(record);
    if (stationId === null) return new Unreadable(columns.station, 'no station');
    const number = connector === null ? 1 : Number(connector(record));
    if (!Number.isInteger(number) || number < 1) return new Unreadable(columns.connector ?? '', 'not a connector number');
    const startAt = start(record);
    if (startAt instanceof Unreadable) return startAt;
    const stopAt = stop(record);
    if (stopAt instanceof Unreadable) return stopAt;
    if (startAt === null && stopAt === null) return new Unreadable(columns.start.columns.join(' '), 'neither start nor stop');
    const energyWh = wattHours(energy(record), mapping);
    if (energyWh instanceof Unreadable) return energyWh;
    const rowId = id === null ? `${stationId}-${number}-${startAt?.ms ?? stopAt?.ms}` : id(record);
    if (rowId === null) return new Unreadable(columns.id ?? '', 'no id');
    const modelName = model(record);
    if (outletOf(mapping, modelName) === null) return new Unreadable(columns.model ?? '', `unknown model ${modelName ?? '(none)'}`);
    const vehicle = vehicleModel(record);
    return {
      kind: 'row', file, line, rowId, stationId, connectorId: number,
      startMs: startAt?.ms ?? null, stopMs: stopNotBefore(startAt, stopAt), energyWh,
      site: site(record), model: modelName, idToken: idToken(record),
      vehicleModel: vehicle === null || mapping.noVehicle.includes(vehicle) ? null : vehicle,
      startClock: startAt?.clock ?? 'exact', stopClock: stopAt?.clock ?? 'exact',
    };
  };
  return (record: readonly string[], line: number, raw: string): SessionLogRow | QuarantinedRow => {
    const row = toRow(record, line);
    if (!(row instanceof Unreadable)) return row;
    return { kind: 'quarantined', file, line, column: row.column, reason: row.reason, raw: raw.trimEnd() };
  };
}

/** In the hour that comes twice, a stop that would lie before its start is in the second of the two. */
function stopNotBefore(start: LocalInstant | null, stop: LocalInstant | null): number | null {
  if (stop === null) return null;
  return start !== null && stop.laterMs !== null && stop.ms < start.ms ? stop.laterMs : stop.ms;
}

/** What the mapping says of a model; null when it says nothing. */
export function outletOf(mapping: SessionLogMapping, model: string | null) {
  return (model === null ? mapping.defaultOutlet : mapping.models[model] ?? null) ?? mapping.defaultOutlet;
}

function columnFinder(header: readonly string[], mapping: SessionLogMapping, file: string): (column: string) => TextOf {
  const names = header.map((name, index) => (name.trim() === '' ? `#${index + 1}` : name.trim()));
  const noValue = new Set(['', ...mapping.noValue]);
  return (column) => {
    const index = names.indexOf(column);
    if (index < 0) {
      if (mapping.optional.includes(column)) return () => null;
      throw new VoltstreamError('CONFIGURATION_INVALID', `the file has no column "${column}" of the mapping ${mapping.name}`, {
        where: file, got: names.join(', '), cure: 'Choose the mapping that belongs to the file with --mapping, or mend the header.',
      });
    }
    return (record) => {
      const text = (record[index] ?? '').trim();
      return noValue.has(text) ? null : text;
    };
  };
}

function timeOf(
  time: TimeColumns,
  mapping: SessionLogMapping,
  textOf: (column: string) => TextOf,
): (record: readonly string[]) => LocalInstant | Unreadable | null {
  const texts = time.columns.map(textOf);
  const read = localTimeReader(time.format, time.zone ?? mapping.zone, time.yearsAdded ?? 0);
  const column = time.columns.join(' ');
  return (record) => {
    const parts = texts.map((text) => text(record));
    if (parts.every((part) => part === null)) return null;
    const text = parts.map((part) => part ?? '').join(' ');
    return read(text) ?? new Unreadable(column, `not a time of the form ${time.format}: "${text}"`);
  };
}

function wattHours(text: string | null, mapping: SessionLogMapping): number | Unreadable | null {
  if (text === null) return null;
  const { column, unit } = mapping.columns.energy;
  const plain = mapping.decimalMark === ',' ? text.replace(',', '.') : text;
  if (!/^[+-]?\d+(\.\d*)?$/.test(plain)) return new Unreadable(column, `not a number: "${text}"`);
  // Whole thousandths of a Wh, so that 22.287 kWh is 22287 Wh and not 22287.000000000004.
  return Math.round(Number(plain) * (unit === 'kWh' ? 1e6 : 1e3)) / 1e3;
}
