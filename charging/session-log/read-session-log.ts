import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { parse as parseText } from 'csv-parse/sync';
import { VoltstreamError } from '../../errors.ts';
import { localTimeReader } from './local-time.ts';
import { milliseconds, numberReader, wattHours } from './numbers.ts';
import { rowChecker } from './row-checks.ts';
import type { LocalInstant } from './local-time.ts';
import type { QuarantinedRow, SessionLogMapping, SessionLogRow, StopAfter, TimeColumns } from './mapping.ts';
import { Unreadable } from './unreadable.ts';

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
 * (in any of the files), or a text that does not fit its column's form. Broken quoting quarantines the row, too. Where the
 * identity is station, connector and start, rows of one file that share them and differ otherwise are numbered: two outlets
 * may share a name, and a minute is long.
 *
 * Throws CONFIGURATION_INVALID when a file lacks a column of the mapping.
 */
export async function* readSessionLogs(
  files: readonly string[],
  mapping: SessionLogMapping,
): AsyncGenerator<SessionLogRow | QuarantinedRow> {
  const firstSeen = new Map<string, SessionLogRow>();
  for (const file of files) {
    for await (const row of readFile(file, mapping)) yield row.kind === 'quarantined' ? row : once(row, firstSeen, mapping);
  }
}

function once(row: SessionLogRow, firstSeen: Map<string, SessionLogRow>, mapping: SessionLogMapping): SessionLogRow | QuarantinedRow {
  const numbered = mapping.columns.id === null;
  for (let number = 1; ; number += 1) {
    const own = number === 1 ? row : { ...row, rowId: `${row.rowId}-${number}` };
    const before = firstSeen.get(own.rowId);
    if (before === undefined) {
      firstSeen.set(own.rowId, own);
      return own;
    }
    if (numbered && before.file === row.file && !sameContent(before, row)) continue;
    const reason = `the id ${own.rowId} occurred before, in ${before.file}:${before.line}`;
    return { kind: 'quarantined', file: row.file, line: row.line, column: mapping.columns.id ?? 'id', reason, raw: row.rowId };
  }
}

/** What a row says, whatever file and line it stands on: a later edition that says the same changes nothing. */
export function contentOf(row: SessionLogRow): string {
  return JSON.stringify([
    row.stationId, row.connectorId, row.startMs, row.stopMs, row.energyWh, row.site, row.model, row.idToken, row.vehicleModel,
    row.socFrom, row.socTo,
  ]);
}

function sameContent(a: SessionLogRow, b: SessionLogRow): boolean {
  return contentOf(a) === contentOf(b);
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

function rowReader(header: readonly string[], mapping: SessionLogMapping, file: string) {
  const { columns } = mapping;
  const textOf = columnFinder(header, mapping, file);
  const id = columns.id === null ? null : textOf(columns.id);
  const stationColumns = typeof columns.station === 'string' ? [columns.station] : columns.station;
  const stations = stationColumns.map(textOf);
  const connector = connectorOf(mapping, textOf);
  const start = timeOf(columns.start, mapping, textOf);
  const stop = 'after' in columns.stop ? stopAfter(columns.stop, mapping, textOf) : timeOf(columns.stop, mapping, textOf);
  const energy = textOf(columns.energy.column);
  const [socFrom, socTo] = [columns.socFrom ?? null, columns.socTo ?? null].map((column) => percent(column, mapping, textOf)) as [Percent, Percent];
  const energyOf = wattHours(mapping);
  const doubtsOf = rowChecker(mapping, textOf);
  const [site, model, idToken, vehicleModel] = [columns.site, columns.model, columns.idToken, columns.vehicleModel]
    .map((column) => (column === null ? () => null : textOf(column))) as [TextOf, TextOf, TextOf, TextOf];

  const toRow = (record: readonly string[], line: number): SessionLogRow | Unreadable => {
    if (record.length !== header.length) {
      return new Unreadable('', `${record.length} columns instead of the header's ${header.length}`);
    }
    const named = firstOf(stations, record);
    if (named === null) return new Unreadable(stationColumns.join(' '), 'no station');
    const stationId = `${mapping.stationPrefix ?? ''}${named}`;
    const number = connector(record);
    if (number === null) return new Unreadable(columns.connector ?? '', 'not a connector number');
    const startAt = start(record);
    if (startAt instanceof Unreadable) return startAt;
    const stopAt = stop(record, startAt);
    if (stopAt instanceof Unreadable) return stopAt;
    if (startAt === null && stopAt === null) return new Unreadable(columns.start.columns.join(' '), 'neither start nor stop');
    const energyWh = energyOf(energy(record));
    if (energyWh instanceof Unreadable) return energyWh;
    const rowId = id === null ? `${stationId}-${number}-${startAt?.ms ?? stopAt?.ms}` : ownId(id(record));
    if (rowId === null) return new Unreadable(columns.id ?? '', 'no id');
    const modelName = model(record);
    if (outletOf(mapping, modelName) === null) return new Unreadable(columns.model ?? '', `unknown model ${modelName ?? '(none)'}`);
    const vehicle = vehicleModel(record);
    const [from, to] = [socFrom(record), socTo(record)];
    if (from instanceof Unreadable) return from;
    if (to instanceof Unreadable) return to;
    const startMs = startAt?.ms ?? null;
    const stopMs = stopNotBefore(startAt, stopAt);
    return {
      kind: 'row', file, line, rowId, stationId, connectorId: number, startMs, stopMs, energyWh,
      site: site(record), model: modelName, idToken: idToken(record),
      vehicleModel: vehicle === null || mapping.noVehicle.includes(vehicle) ? null : vehicle,
      socFrom: from, socTo: to, doubts: doubtsOf(record, startMs, stopMs),
      startClock: startAt?.clock ?? 'exact', stopClock: stopAt?.clock ?? 'exact',
    };
  };
  return (record: readonly string[], line: number, raw: string): SessionLogRow | QuarantinedRow => {
    const row = toRow(record, line);
    if (!(row instanceof Unreadable)) return row;
    return { kind: 'quarantined', file, line, column: row.column, reason: row.reason, raw: raw.trimEnd() };
  };
}

/** Chargers send these transaction ids when they have none; to a session log they are ids as any other. */
function ownId(id: string | null): string | null {
  return id === '0' || id === '-1' ? `#${id}` : id;
}

function firstOf(texts: readonly TextOf[], record: readonly string[]): string | null {
  for (const text of texts) {
    const found = text(record);
    if (found !== null) return found;
  }
  return null;
}

function connectorOf(mapping: SessionLogMapping, textOf: (column: string) => TextOf): (record: readonly string[]) => number | null {
  if (mapping.columns.connector === null) return () => 1;
  const text = textOf(mapping.columns.connector);
  return (record) => {
    const found = text(record);
    if (found === null) return null;
    const number = mapping.connectors?.[found] ?? Number(found);
    return Number.isInteger(number) && number >= 1 && number <= outletsMax ? number : null;
  };
}

/** Outlet numbers are 32 bits wide everywhere behind; a higher one is no number of an outlet. */
const outletsMax = 2_147_483_647;

type Percent = (record: readonly string[]) => number | Unreadable | null;

function percent(column: string | null, mapping: SessionLogMapping, textOf: (column: string) => TextOf): Percent {
  if (column === null) return () => null;
  const text = textOf(column);
  const read = numberReader(mapping);
  return (record) => {
    const found = text(record);
    return found === null ? null : read(found) ?? new Unreadable(column, `not a number: "${found}"`);
  };
}

function stopAfter(
  stop: StopAfter,
  mapping: SessionLogMapping,
  textOf: (column: string) => TextOf,
): (record: readonly string[], start: LocalInstant | null) => LocalInstant | Unreadable | null {
  const text = textOf(stop.after);
  const read = milliseconds(stop.unit, mapping);
  return (record, start) => {
    const found = text(record);
    if (found === null || start === null) return null;
    const ms = stop.zero?.includes(found) === true ? 0 : read(found);
    if (ms === null) return new Unreadable(stop.after, `not a duration in ${stop.unit}: "${found}"`);
    return { ms: start.ms + ms, laterMs: null, clock: 'exact' };
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
