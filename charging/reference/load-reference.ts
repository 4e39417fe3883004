import type { VoltstreamError } from '../../errors.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';
import type { Log, LogProducer } from '../engine.ts';
import { EventAppender } from '../ingest/event-appender.ts';
import { quarantined } from '../ingest/quarantine.ts';
import { compareSnapshot, sourceTimeOf } from './compare.ts';
import type { Change, CompareOptions } from './compare.ts';
import { formatNamed, formatOf } from './formats/formats.ts';
import { outageExclusionKind, stationKind, tariffKind, vehicleKind } from './kinds.ts';
import type { ReferenceKind } from './kinds.ts';
import { knownVersions, sourceHeader, sourceTimeHeader } from './known-versions.ts';
import type { ReferenceFile } from './reference-file.ts';
import type { BadRow, ReferenceFormat, ReferenceRow, Snapshot } from './reference-row.ts';

export interface ReferenceLoad {
  readonly files: readonly ReferenceFile[];
  /** Name of the form of all files; null: each file's own. */
  readonly format: string | null;
  readonly log: Log;
  readonly registry: SchemaRegistry;
  readonly nowMs: number;
  /** Every version written is valid from here; null: by what the sources say. */
  readonly validFromMs: number | null;
  /** What a source no longer has is withdrawn. */
  readonly withdraw: boolean;
  /** Nothing is written. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal;
  /** The log cannot take anything at the moment (a full disk, say); it is tried again. */
  readonly retrying?: (error: VoltstreamError) => void;
  readonly onProgress?: (progress: { readonly phase: 'read' | 'compare' | 'write'; readonly what: string; readonly done: number; readonly total: number }) => void;
}

/** What became of the rows of one snapshot: added + changed + withdrawn by a row + unchanged + older + other + bad = rows. */
export interface SnapshotOutcome {
  readonly format: string;
  readonly files: readonly string[];
  /** As of when the files speak, if they say. */
  readonly sourceMs: number | null;
  readonly rows: number;
  readonly added: number;
  readonly changed: number;
  readonly withdrawn: number;
  readonly unchanged: number;
  readonly older: number;
  readonly missing: number;
  readonly other: number;
  readonly quarantined: number;
  readonly changes: readonly Omit<Change<unknown>, 'value'>[];
  readonly bad: readonly BadRow[];
}

/**
 * Loads files of reference data: reads them, compares them with what the topics hold, and appends what is new. The same files again
 * change nothing; a run that was killed goes on where it was, since what it had appended is no difference any more. Rows
 * of no use are quarantined once for each content of a file.
 *
 * Files of one form that say of when they are become snapshots of their own, oldest first; those that do not are one snapshot together.
 * Throws CONFIGURATION_INVALID when a file is of no known form.
 */
export async function loadReference(load: ReferenceLoad): Promise<readonly SnapshotOutcome[]> {
  const byFormat = Map.groupBy(load.files, (file) => (load.format === null ? formatOf(file) : formatNamed(load.format)));
  const outcomes: SnapshotOutcome[] = [];
  const producer = load.dryRun ? null : await load.log.producer();
  try {
    for (const [format, files] of byFormat) {
      if (producer !== null) await quarantineOnce(producer, format, files, load);
      outcomes.push(...await loadFormat(format, files, producer, load));
    }
  } finally {
    await producer?.close();
  }
  return outcomes;
}

function loadFormat(format: ReferenceFormat, files: readonly ReferenceFile[], producer: LogProducer | null, load: ReferenceLoad): Promise<readonly SnapshotOutcome[]> {
  switch (format.kind) {
    case 'stations':
      return loadKind(stationKind, format, snapshotsOf(format.read, files), producer, load);
    case 'vehicles':
      return loadKind(vehicleKind, format, snapshotsOf(format.read, files), producer, load);
    case 'outage-exclusions':
      return loadKind(outageExclusionKind, format, snapshotsOf(format.read, files), producer, load);
    case 'tariffs':
      return loadKind(tariffKind, format, snapshotsOf(format.read, files), producer, load);
  }
}

function snapshotsOf<Facts>(read: (files: readonly ReferenceFile[]) => readonly ReferenceRow<Facts>[], files: readonly ReferenceFile[]): readonly Snapshot<Facts>[] {
  const rows = read(files);
  const byFile = Map.groupBy(rows, (row) => row.file);
  const own: Snapshot<Facts>[] = [];
  const together: { files: string[]; rows: ReferenceRow<Facts>[] } = { files: [], rows: [] };
  for (const [file, its] of byFile) {
    const snapshot = { files: [file], rows: its };
    if (sourceTimeOf(snapshot) !== null) {
      own.push({ ...snapshot, rows: once(its) });
      continue;
    }
    together.files.push(file);
    together.rows.push(...its);
  }
  own.sort((a, b) => (sourceTimeOf(a) ?? 0) - (sourceTimeOf(b) ?? 0));
  return together.rows.length === 0 ? own : [...own, { files: together.files, rows: once(together.rows) }];
}

/** A record whose id came before, for the same time, is a bad row, unless it says the very same. Versions of one id come in the order of their times. */
function once<Facts>(rows: readonly ReferenceRow<Facts>[]): readonly ReferenceRow<Facts>[] {
  const first = new Map<string, ReferenceRow<Facts>>();
  const timeOf = (row: ReferenceRow<Facts>): number => (row.kind === 'facts' || row.kind === 'closed' ? row.validFromMs ?? 0 : 0);
  return rows.toSorted((a, b) => timeOf(a) - timeOf(b)).map((row) => {
    if (row.kind !== 'facts' && row.kind !== 'closed') return row;
    const key = `${row.validFromMs ?? ''}/${row.id}`;
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, row);
      return row;
    }
    if (row.kind === 'facts' && before.kind === 'facts' && JSON.stringify(row.facts) === JSON.stringify(before.facts)) return { kind: 'other', file: row.file, line: row.line };
    const reason = `the id ${row.id} occurred before, in ${before.file}:${before.line}`;
    return { kind: 'bad', file: row.file, line: row.line, column: 'id', reason, raw: row.kind === 'facts' ? JSON.stringify(row.facts) : row.id };
  });
}

async function loadKind<Facts, T extends { readonly validFromMs: number }>(
  kind: ReferenceKind<Facts, T>, format: ReferenceFormat, snapshots: readonly Snapshot<Facts>[], producer: LogProducer | null, load: ReferenceLoad,
): Promise<readonly SnapshotOutcome[]> {
  const known = new Map(await knownVersions(load.log, load.registry, kind.topic, kind.form));
  const options: CompareOptions = { source: format.name, nowMs: load.nowMs, validFromMs: load.validFromMs, withdraw: load.withdraw };
  const outcomes: SnapshotOutcome[] = [];
  for (const snapshot of snapshots) {
    load.onProgress?.({ phase: 'compare', what: snapshot.files.join(', '), done: 0, total: snapshot.rows.length });
    const { changes, ...counts } = compareSnapshot(snapshot, known, kind, options);
    if (producer !== null) await append(kind, format, changes, producer, load);
    const count = (wanted: Change<T>['kind']): number => changes.filter((change) => change.kind === wanted).length;
    const bad = snapshot.rows.filter((row) => row.kind === 'bad');
    outcomes.push({
      format: format.name, files: snapshot.files, sourceMs: sourceTimeOf(snapshot), rows: snapshot.rows.length,
      added: count('added'), changed: count('changed'), withdrawn: count('withdrawn'), ...counts,
      other: snapshot.rows.filter((row) => row.kind === 'other').length, quarantined: bad.length,
      changes: changes.map(({ value: _value, ...change }) => change), bad,
    });
  }
  return outcomes;
}

async function append<Facts, T extends { readonly validFromMs: number }>(
  kind: ReferenceKind<Facts, T>, format: ReferenceFormat, changes: readonly Change<T>[], producer: LogProducer, load: ReferenceLoad,
): Promise<void> {
  if (changes.length === 0) return;
  const writer = await load.registry.writer(`${kind.topic}-value`, kind.form);
  const appender = await EventAppender.open(producer, load.registry, `reference.${format.name}`);
  const source = { key: sourceHeader, value: utf8.encode(format.name) };
  for (const [index, change] of changes.entries()) {
    const headers = change.sourceMs === null ? [source] : [source, { key: sourceTimeHeader, value: utf8.encode(String(change.sourceMs)) }];
    appender.addRecord({
      topic: kind.topic, key: utf8.encode(change.id), value: change.value === null ? null : writer.encode(change.value),
      // A broker refuses times ahead of its own; a version's time lies in its value.
      timestampMs: Math.min(Math.max(0, change.validFromMs), load.nowMs), headers,
    });
    if (!appender.full && index < changes.length - 1) continue;
    load.signal?.throwIfAborted();
    await appender.flush(JSON.stringify({ atMs: load.nowMs, files: load.files.map(({ name }) => name) }), load);
    load.onProgress?.({ phase: 'write', what: kind.topic, done: index + 1, total: changes.length });
  }
}

/** Sets bad rows aside, once for each content of a file: the mark, named by the content, counts those taken. */
async function quarantineOnce(producer: LogProducer, format: ReferenceFormat, files: readonly ReferenceFile[], load: ReferenceLoad): Promise<void> {
  const snapshots: readonly Snapshot<unknown>[] = snapshotsOf<unknown>(format.read, files);
  const bad = Map.groupBy(snapshots.flatMap(({ rows }) => rows.filter((row) => row.kind === 'bad')), (row) => row.file);
  for (const file of files) {
    const rows = bad.get(file.name) ?? [];
    if (rows.length === 0) continue;
    const appender = await EventAppender.open(producer, load.registry, `reference.bad-rows.${file.contentHash}`);
    const taken = Number(await appender.mark() ?? 0);
    for (const [index, row] of rows.entries()) {
      if (index < taken) continue;
      appender.addQuarantined(quarantined(row.file, row.line, row.column, row.reason, Buffer.from(row.raw)), load.nowMs);
      if (appender.full) await appender.flush(String(index + 1), load);
    }
    if (rows.length > taken) await appender.flush(String(rows.length), load);
  }
}
