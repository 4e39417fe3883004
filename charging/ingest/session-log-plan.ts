import { createHash } from 'node:crypto';
import type { RowEdition } from '../session-log/expand.ts';
import { transactionEvents } from '../session-log/expand.ts';
import type { QuarantinedRow, SessionLogMapping, SessionLogRow } from '../session-log/mapping.ts';
import { knownAfter } from '../session-log/stations.ts';
import { contentHash, hashOf, takenRowsMax } from './taken-rows.ts';
import type { Taken, TakenRows } from './taken-rows.ts';

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
  readonly editionOf: (row: SessionLogRow) => RowEdition;
  readonly taken: readonly TakenRows[];
}

/** Pure: the same rows and the same past give the same plan. */
export function planOf(
  rows: readonly SessionLogRow[], refused: readonly QuarantinedRow[], past: Taken, mapping: SessionLogMapping,
): SessionLogPlan {
  const digest = createHash('sha256');
  const changed: SessionLogRow[] = [];
  const editions = new Map<string, RowEdition>();
  const written: TakenRows['rows'][number][] = [];
  let corrected = 0;
  for (const row of rows) {
    const identity = hashOf(row.rowId);
    const content = contentHash(row);
    const before = past.rows.get(identity);
    if (before?.content === content) continue;
    const edition = before === undefined ? { revision: 0, firstSeqNo: 0 } : { revision: before.revision + 1, firstSeqNo: before.firstSeqNo };
    if (before !== undefined) corrected += 1;
    changed.push(row);
    editions.set(row.rowId, edition);
    written.push([identity, content, edition.revision, edition.firstSeqNo + transactionEvents(row, mapping)]);
    digest.update(`${identity}${content}${edition.revision}\n`);
  }
  const aside = newlyRefused(refused, past);
  for (const { hash } of aside) digest.update(`${hash}\n`);
  const plan = digest.digest('hex').slice(0, 32);
  return {
    digest: plan,
    rows: changed,
    refused: aside.map(({ row }) => row),
    added: changed.length - corrected,
    corrected,
    unchanged: rows.length - changed.length + refused.length - aside.length,
    editionOf: (row) => editions.get(row.rowId) ?? { revision: 0, firstSeqNo: 0 },
    taken: partsOf(mapping.name, plan, written, aside.map(({ hash }) => hash), [...knownAfter(changed, past.stations)]),
  };
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
    parts.push({ source, plan, rows: rows.slice(from, to), refused: refused.slice(from, to), stations: stations.slice(from, to) });
  }
  return parts;
}
