import { VoltstreamError } from '../../errors.ts';
import type { Cell, CellRange } from '../../state/state-store.ts';
import type { ReadPage, StoreReader } from './store-reader.ts';

export interface PageOptions {
  /** Entries of a page at most, 1 to 10,000; 1,000 when left out. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** Entries in the order of their keys, over all tasks. */
export interface StatePage<E> {
  readonly entries: readonly E[];
  /** The commit of each task that the page shows; another number on the next page means that commits came in between. */
  readonly sequences: Readonly<Record<string, number>>;
  /** For `after`, or null when this was the last page. */
  readonly next: string | null;
}

export const pageLimitDefault = 1_000;
export const pageLimitMax = 10_000;

/**
 * One page of a store over all its tasks: of each task what one commit left, never half of it. Tasks have commits of their own,
 * so that the page shows each of them at another moment.
 */
export async function statePage<E>(
  reader: StoreReader, range: CellRange, options: PageOptions, entryOf: (cell: Cell, page: ReadPage) => E,
): Promise<StatePage<E>> {
  const limit = checkedLimit(options.limit);
  const tasks = await reader.tasks();
  const cursor = options.after === undefined ? null : parseCursor(options.after);
  const pages = await Promise.all(tasks.map((task, partition) => reader.page(task, { ...behind(range, cursor, partition), limit })));
  const found = pages.flatMap((page, partition) => page.cells.map((cell) => ({ cell, page, partition })));
  found.sort((left, right) => Buffer.compare(left.cell.key, right.cell.key) || left.partition - right.partition);
  const taken = found.slice(0, limit);
  const last = taken.at(-1);
  const more = found.length > limit || pages.some((page) => page.cells.length === limit);
  return {
    entries: taken.map(({ cell, page }) => entryOf(cell, page)),
    sequences: Object.fromEntries(pages.map((page) => [page.task, page.sequence])),
    next: more && last !== undefined ? `${last.partition}.${Buffer.from(last.cell.key).toString('base64url')}` : null,
  };
}

/** Bounds that hold one key only. */
export function onlyKey(key: Uint8Array): CellRange {
  return { from: key, to: Buffer.concat([key, Uint8Array.of(0)]) };
}

interface Cursor {
  readonly partition: number;
  readonly key: Buffer;
}

/** The same key may be in several tasks: those of higher partitions come after the cursor. */
function behind(range: CellRange, cursor: Cursor | null, partition: number): CellRange {
  if (cursor === null) return range;
  const from = partition > cursor.partition ? cursor.key : Buffer.concat([cursor.key, Uint8Array.of(0)]);
  return range.from !== undefined && Buffer.compare(range.from, from) > 0 ? range : { ...range, from };
}

function parseCursor(after: string): Cursor {
  const match = /^(\d+)\.([A-Za-z0-9_-]*)$/.exec(after);
  if (match === null) throw refused('a page begins after what an earlier one has given', 'the "next" of an earlier page', after);
  return { partition: Number(match[1]), key: Buffer.from(match[2] ?? '', 'base64url') };
}

function checkedLimit(limit: number = pageLimitDefault): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= pageLimitMax) return limit;
  throw refused('a page has another limit than it may', `1 to ${pageLimitMax}`, String(limit));
}

export function refused(what: string, wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('QUERY_REFUSED', what, { wanted, got, cure: 'Change the query as the message says.' });
}
