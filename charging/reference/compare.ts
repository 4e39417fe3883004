import type { KnownHistory, KnownVersion } from './known-versions.ts';
import { insertVersion } from './known-versions.ts';
import type { ReferenceRow, Snapshot } from './reference-row.ts';

/** One field of a record that is other than before; values as JSON texts. */
export interface FieldChange {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** A version to be appended. */
export interface Change<T> {
  readonly kind: 'added' | 'changed' | 'withdrawn';
  readonly id: string;
  readonly validFromMs: number;
  /** Null deletes. */
  readonly value: T | null;
  readonly sourceMs: number | null;
  /** Of `changed`. */
  readonly fields: readonly FieldChange[];
}

export interface Comparison<T> {
  readonly changes: readonly Change<T>[];
  readonly unchanged: number;
  /** Records of which the topic knows something newer. */
  readonly older: number;
  /** Known to be loaded by this form, of a region that the snapshot speaks of, and not in it. */
  readonly missing: number;
}

/** What differs between kinds of reference data. */
export interface Comparing<Facts, T> {
  /** A version from facts; what the source does not speak of stays as it was. */
  readonly versionOf: (facts: Facts, validFromMs: number, before: T | null) => T;
  /** The version of something that is no longer there; null deletes it. */
  readonly withdrawnOf: (before: T, validFromMs: number) => T | null;
  readonly isWithdrawn: (value: T) => boolean;
  /** The region that a record belongs to: what is missing is looked for in regions of the snapshot only. */
  readonly regionOf: (value: T) => string;
}

export interface CompareOptions {
  readonly source: string;
  readonly nowMs: number;
  /** Every version written is valid from here; null: by what the source says. */
  readonly validFromMs: number | null;
  /** What the snapshot lacks is withdrawn. */
  readonly withdraw: boolean;
}

/**
 * What a snapshot changes. Pure. `known` is brought up to date, so that a later snapshot is compared with this one.
 *
 * A record that says from when on it holds is the version of that time; the rules behind are for those that do not say.
 *
 * The first version of a record is valid since the source says it is there, else for ever. A change is valid from the time of
 * the source's record, else from now, but never from before the newest version. With `validFromMs` a record is compared with the version
 * in force then, so that the past can be corrected. Without it a record whose source time is before that of the newest one known
 * is left alone: an old file, loaded late.
 */
export function compareSnapshot<Facts, T extends { readonly validFromMs: number }>(
  snapshot: Snapshot<Facts>, known: Map<string, KnownHistory<T>>, comparing: Comparing<Facts, T>, options: CompareOptions,
): Comparison<T> {
  const changes: Change<T>[] = [];
  const counts = { unchanged: 0, older: 0, missing: 0 };
  const seen = new Set<string>();
  const regions = new Set<string>();
  const write = (change: Change<T>): void => {
    changes.push(change);
    const before = known.get(change.id);
    known.set(change.id, {
      versions: insertVersion(before?.versions ?? [], change), source: options.source,
      sourceMs: change.sourceMs === null ? before?.sourceMs ?? null : Math.max(change.sourceMs, before?.sourceMs ?? change.sourceMs),
    });
  };
  for (const row of snapshot.rows) {
    if (row.kind !== 'facts' && row.kind !== 'closed') continue;
    seen.add(row.id);
    if (row.kind === 'facts') regions.add(comparing.regionOf(comparing.versionOf(row.facts, 0, known.get(row.id)?.versions.at(-1)?.value ?? null)));
    const found = changeOf(row, known.get(row.id), comparing, options);
    if (found === 'unchanged' || found === 'older') counts[found]++;
    else write(found);
  }
  const sourceMs = sourceTimeOf(snapshot);
  for (const [id, history] of known) {
    // A file that is older than the record cannot know it.
    if (history.sourceMs !== null && sourceMs !== null && sourceMs < history.sourceMs) continue;
    const newest = history.versions.at(-1)?.value ?? null;
    if (seen.has(id) || history.source !== options.source || newest === null || comparing.isWithdrawn(newest) || !regions.has(comparing.regionOf(newest))) continue;
    counts.missing++;
    if (options.withdraw) write(withdrawal(id, newest, history.versions, sourceMs, comparing, options));
  }
  return { changes, ...counts };
}

/** The newest time that a snapshot's records name: it is as of then. */
export function sourceTimeOf(snapshot: Snapshot<unknown>): number | null {
  let newest: number | null = null;
  for (const row of snapshot.rows) {
    if ((row.kind === 'facts' || row.kind === 'closed') && row.sourceMs !== null && (newest === null || row.sourceMs > newest)) newest = row.sourceMs;
  }
  return newest;
}

type Told<Facts> = Extract<ReferenceRow<Facts>, { readonly kind: 'facts' | 'closed' }>;

function changeOf<Facts, T extends { readonly validFromMs: number }>(
  row: Told<Facts>, history: KnownHistory<T> | undefined, comparing: Comparing<Facts, T>, given: CompareOptions,
): Change<T> | 'unchanged' | 'older' {
  const options = row.validFromMs === undefined ? given : { ...given, validFromMs: row.validFromMs };
  const versions = history?.versions ?? [];
  const older = options.validFromMs === null && row.sourceMs !== null && history?.sourceMs !== undefined && history.sourceMs !== null && row.sourceMs < history.sourceMs;
  if (older) return 'older';
  const before = inForce(versions, options.validFromMs);
  const present = before?.value ?? null;
  if (row.kind === 'closed') {
    if (present === null || comparing.isWithdrawn(present)) return 'unchanged';
    return withdrawal(row.id, present, versions, row.sourceMs, comparing, options);
  }
  const firstMs = options.validFromMs ?? row.sinceMs ?? 0;
  if (before === null) {
    const value = comparing.versionOf(row.facts, Math.max(0, firstMs), versions.at(0)?.value ?? null);
    return { kind: 'added', id: row.id, validFromMs: value.validFromMs, value, sourceMs: row.sourceMs, fields: [] };
  }
  const validFromMs = changeTime(before, row.sourceMs, options);
  const value = comparing.versionOf(row.facts, validFromMs, present);
  const fields = present === null ? [] : differences(present, value);
  // A version with a time of its own is kept even where it changes nothing yet: one from between may come later.
  const repeats = row.validFromMs === undefined || before.validFromMs === row.validFromMs;
  if (present !== null && fields.length === 0 && repeats) return 'unchanged';
  return { kind: present === null ? 'added' : 'changed', id: row.id, validFromMs, value, sourceMs: row.sourceMs, fields };
}

function withdrawal<Facts, T extends { readonly validFromMs: number }>(
  id: string, present: T, versions: readonly KnownVersion<T>[], sourceMs: number | null, comparing: Comparing<Facts, T>, options: CompareOptions,
): Change<T> {
  const before = inForce(versions, options.validFromMs) ?? versions.at(-1);
  const validFromMs = changeTime(before ?? null, sourceMs, options);
  return { kind: 'withdrawn', id, validFromMs, value: comparing.withdrawnOf(present, validFromMs), sourceMs, fields: [] };
}

function changeTime(before: KnownVersion<unknown> | null, sourceMs: number | null, options: CompareOptions): number {
  return options.validFromMs ?? Math.max(sourceMs ?? options.nowMs, before?.validFromMs ?? 0);
}

/** The version in force at a time; the newest one without a time. */
function inForce<T>(versions: readonly KnownVersion<T>[], atMs: number | null): KnownVersion<T> | null {
  return versions.findLast((version) => atMs === null || version.validFromMs <= atMs) ?? null;
}

/** Fields in which two versions differ, but for the time from which they are valid. */
export function differences(before: object, after: object): readonly FieldChange[] {
  const old = before as Readonly<Record<string, unknown>>;
  return Object.entries(after).flatMap(([field, value]) => {
    const texts = { before: JSON.stringify(old[field] ?? null), after: JSON.stringify(value ?? null) };
    return field === 'validFromMs' || texts.before === texts.after ? [] : [{ field, ...texts }];
  });
}
