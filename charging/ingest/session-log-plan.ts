import { createHash } from 'node:crypto';
import { earliestEventMs, latestEventMs } from '../session-event.ts';
import type { RowEdition } from '../session-log/expand.ts';
import { heardUntil } from '../session-log/expand.ts';
import type { QuarantinedRow, SessionLogMapping, SessionLogRow } from '../session-log/mapping.ts';
import { knownAfter } from '../session-log/stations.ts';
import { contentHash, hashOf, identityOf, takenRowsMax, tupleOf } from './taken-rows.ts';
import type { Taken, TakenRow, TakenRows } from './taken-rows.ts';

/** How long sessions take corrections, by their station's time: the settings of the stitching. */
export interface CorrectionLimits {
  readonly settleMs: number;
  readonly finishedForMs: number;
  readonly inactiveMs: number;
}

/** Rows whose events will be late records, as far as it is known until when their stations were heard of. */
export interface LateRows {
  readonly corrected: number;
  readonly added: number;
  /** The first of them, as file:line. */
  readonly examples: readonly string[];
}

/** What an ingestion is to append: the rows that are new or say something else than before. Made of the files and of what was taken. */
export interface SessionLogPlan {
  /** Hash of all that decides the sequence of records: an interrupted ingestion goes on only with the very same. */
  readonly digest: string;
  readonly rows: readonly SessionLogRow[];
  readonly refused: readonly QuarantinedRow[];
  readonly added: number;
  readonly corrected: number;
  /** Rows, quarantined ones among them, that were taken before as they are. */
  readonly unchanged: number;
  readonly late: LateRows;
  readonly editionOf: (row: SessionLogRow) => RowEdition;
  readonly heardOf: (stationId: string) => number;
  readonly taken: readonly TakenRows[];
}

export const lateExamplesMax = 5;

/** Pure: the same rows and the same past give the same plan. */
export function planOf(
  rows: readonly SessionLogRow[], refused: readonly QuarantinedRow[], past: Taken, mapping: SessionLogMapping, limits: CorrectionLimits,
): SessionLogPlan {
  const digest = createHash('sha256');
  const changed: SessionLogRow[] = [];
  const editions = new Map<SessionLogRow, RowEdition>();
  const written: TakenRows['rows'][number][] = [];
  const late = { corrected: 0, added: 0, examples: [] as string[] };
  const heardOf = (stationId: string): number => past.stations.get(stationId)?.heardMs ?? 0;
  let corrected = 0;
  for (const row of rows) {
    const identity = identityOf(row);
    const content = contentHash(row);
    const before = past.rows.get(identity);
    if (before?.content === content && !before.partly) continue;
    const taken = nextOf(row, content, before);
    if (taken.revision > 0) corrected += 1;
    changed.push(row);
    editions.set(row, taken);
    const gone = isLate(taken, before, heardOf(row.stationId), limits);
    if (gone) {
      late[taken.edition > 0 ? 'corrected' : 'added'] += 1;
      if (late.examples.length < lateExamplesMax) late.examples.push(`${row.file}:${row.line}`);
    }
    // What comes late changes no session: when it is forgotten still goes by its earlier times.
    const times = gone && before !== undefined ? { firstMs: before.firstMs, lastMs: before.lastMs, stopped: before.stopped } : {};
    written.push(tupleOf(identity, { ...taken, ...times }));
    digest.update(`${identity}${content}${taken.revision}\n`);
  }
  const aside = newlyRefused(refused, past);
  for (const { hash } of aside) digest.update(`${hash}\n`);
  const plan = digest.digest('hex').slice(0, 32);
  const editionOf = (row: SessionLogRow): RowEdition => editions.get(row) ?? { revision: 0, edition: 0 };
  const stations = knownAfter(changed, mapping, past.stations, heardUntil(changed, editionOf, heardOf));
  return {
    digest: plan, rows: changed, refused: aside.map(({ row }) => row), added: changed.length - corrected, corrected,
    unchanged: rows.length - changed.length + refused.length - aside.length, late, editionOf, heardOf,
    taken: partsOf(mapping.name, plan, written, aside.map(({ hash }) => hash), [...stations]),
  };
}

function nextOf(row: SessionLogRow, content: string, before: TakenRow | undefined): Omit<TakenRow, 'partly'> {
  const times = [row.startMs, row.stopMs].filter((time) => time !== null);
  const own = { content, firstMs: Math.min(...times), lastMs: Math.max(...times), stopped: row.stopMs !== null };
  if (before === undefined) return { ...own, revision: 0, edition: 0 };
  // The very same again: what was sent of it before is dropped by its event ids.
  if (before.content === content) return { ...own, revision: before.revision, edition: before.edition };
  return { ...own, revision: before.revision + 1, edition: before.edition + (isBelievable(before.firstMs) || isBelievable(before.lastMs) ? 1 : 0) };
}

/** Whether an event of this time becomes part of a session; else it is a dead letter, and nothing is known that a correction replaces. */
function isBelievable(timeMs: number): boolean {
  return timeMs >= earliestEventMs && timeMs < latestEventMs;
}

/** Whether the session that a row corrects is forgotten by now; or a new row is too old for its station. */
function isLate(own: Omit<TakenRow, 'partly'>, before: TakenRow | undefined, heardMs: number, limits: CorrectionLimits): boolean {
  if (own.edition === 0 || before === undefined) return own.firstMs < heardMs - limits.finishedForMs && isBelievable(own.lastMs);
  const overMs = before.lastMs + (before.stopped ? limits.settleMs : limits.inactiveMs);
  return Math.max(heardMs, own.firstMs) >= overMs + limits.finishedForMs;
}

/** A refused row is known by its text, wherever it stands; the same text again in one file is another row. */
function newlyRefused(refused: readonly QuarantinedRow[], past: Taken): readonly { readonly row: QuarantinedRow; readonly hash: string }[] {
  const times = new Map<string, number>();
  return refused.flatMap((row) => {
    const text = `${row.file}\0${row.column}\0${row.raw}`;
    const time = (times.get(text) ?? 0) + 1;
    times.set(text, time);
    const hash = hashOf(`${text}\0${time}`);
    return past.refused.has(hash) ? [] : [{ row, hash }];
  });
}

function partsOf(
  source: string, plan: string, rows: TakenRows['rows'], refused: readonly string[], stations: TakenRows['stations'],
): readonly TakenRows[] {
  const parts: TakenRows[] = [];
  const longest = Math.max(rows.length, refused.length, stations.length);
  for (let from = 0; from < longest; from += takenRowsMax) {
    const to = from + takenRowsMax;
    parts.push({ source, plan, rows: rows.slice(from, to), refused: refused.slice(from, to), stations: stations.slice(from, to), ends: null });
  }
  return parts;
}
