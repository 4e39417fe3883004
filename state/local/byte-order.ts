import type { KeyIdentity } from './key-identity.ts';

/** Below this, comparing is as fast as counting. */
const COUNTED_MIN = 128;
/** Characters looked at behind those that all have in common: 100,000 decimal numbers differ within 5. */
const UNITS_MAX = 8;
/** A place for texts that have ended, which come first, and one for each character up to U+00FF. */
const PLACES = 257;

/**
 * Sorts `items` by the bytes of their keys, in place or anew, and gives them sorted; equal ones keep their order.
 *
 * Many are sorted by counting characters behind the beginning that all have in common, last one first, which costs each item
 * the same few steps; only what is equal in all of these is compared. Characters from U+0100 on are left to comparing.
 */
export function inByteOrder<T>(items: T[], identityOf: (item: T) => string, compare: KeyIdentity<unknown>['compare']): T[] {
  if (items.length < 2) return items;
  const byComparing = (left: T, right: T): number => compare(identityOf(left), identityOf(right));
  if (items.length < COUNTED_MIN) return items.sort(byComparing);
  const identities = items.map(identityOf);
  const from = commonLength(identities);
  const columns = unitColumns(identities, from);
  if (columns === null) return items.sort(byComparing);
  const order = countedOrder(columns, items.length);
  const sorted: T[] = [];
  for (let at = 0; at < order.length; at += 1) sorted.push(items[order[at] as number] as T);
  // With fewer columns the longest text ends within them: equal ones are equal.
  if (columns.length === UNITS_MAX) sortRuns(sorted, order, columns, byComparing);
  return sorted;
}

/** How many characters all texts begin with alike. */
function commonLength(texts: readonly string[]): number {
  const first = texts[0] as string;
  let common = first.length;
  for (let at = 1; at < texts.length && common > 0; at += 1) {
    const text = texts[at] as string;
    let alike = 0;
    while (alike < common && text.charCodeAt(alike) === first.charCodeAt(alike)) alike += 1;
    common = alike;
  }
  return common;
}

/** For each of the characters looked at, that of each text plus 1, 0 behind its end; null when one is above U+00FF. */
function unitColumns(texts: readonly string[], from: number): Uint16Array[] | null {
  let longest = 0;
  for (let at = 0; at < texts.length; at += 1) longest = Math.max(longest, (texts[at] as string).length);
  const columns = Array.from({ length: Math.min(UNITS_MAX, longest - from) }, () => new Uint16Array(texts.length));
  for (let at = 0; at < texts.length; at += 1) {
    const text = texts[at] as string;
    for (let index = 0; index < columns.length && from + index < text.length; index += 1) {
      const unit = text.charCodeAt(from + index);
      if (unit >= PLACES - 1) return null;
      (columns[index] as Uint16Array)[at] = unit + 1;
    }
  }
  return columns;
}

/** Places of the texts in their order by the columns. */
function countedOrder(columns: readonly Uint16Array[], length: number): Uint32Array {
  let order = Uint32Array.from({ length }, (_, at) => at);
  let spare = new Uint32Array(length);
  const starts = new Uint32Array(PLACES);
  for (let index = columns.length - 1; index >= 0; index -= 1) {
    const column = columns[index] as Uint16Array;
    starts.fill(0);
    for (let at = 0; at < length; at += 1) (starts[column[at] as number] as number) += 1;
    if (starts[column[0] as number] === length) continue;
    let start = 0;
    for (let place = 0; place < PLACES; place += 1) {
      const count = starts[place] as number;
      starts[place] = start;
      start += count;
    }
    for (let at = 0; at < length; at += 1) {
      const item = order[at] as number;
      const place = column[item] as number;
      const to = starts[place] as number;
      spare[to] = item;
      starts[place] = to + 1;
    }
    [order, spare] = [spare, order];
  }
  return order;
}

/** Compares what no column tells apart. */
function sortRuns<T>(sorted: T[], order: Uint32Array, columns: readonly Uint16Array[], byComparing: (left: T, right: T) => number): void {
  const isAlike = (left: number, right: number): boolean => columns.every((column) => column[left] === column[right]);
  for (let from = 0; from < sorted.length;) {
    let to = from + 1;
    while (to < sorted.length && isAlike(order[from] as number, order[to] as number)) to += 1;
    if (to > from + 1) {
      const run = sorted.slice(from, to).sort(byComparing);
      for (let at = 0; at < run.length; at += 1) sorted[from + at] = run[at] as T;
    }
    from = to;
  }
}
