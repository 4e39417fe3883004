import { bytesToLatin1 } from './cell-bytes.ts';
import type { Cell } from './state-store.ts';

/** Changes of one store, as the scripts take them: MessagePack arrays of byte strings. */
export interface Section {
  readonly store: string;
  /** key, value, key, value... */
  readonly puts: Buffer;
  readonly deletes: Buffer;
}

export interface SectionLimits {
  readonly cellsMax: number;
  readonly bytesMax: number;
}

/** A commit's cells by store; each cell once, in its last form, so that puts and deletes can be carried out in any order. */
export interface Changes {
  readonly store: string;
  readonly cells: readonly Cell[];
}

const HEADER_BYTES = 5;
/** MessagePack `array 32` and `str 32` (Redis' decoder knows no `bin`): one form for every length. */
const ARRAY = 0xdd;
const BYTES = 0xdb;
const CELL_BYTES_EXTRA = 64;

export function groupByStore(cells: readonly Cell[]): Changes[] {
  const stores = new Map<string, Cell[]>();
  for (const cell of cells) {
    const list = stores.get(cell.store);
    if (list === undefined) stores.set(cell.store, [cell]);
    else list.push(cell);
  }
  return [...stores].map(([store, list]) => ({ store, cells: lastForms(list) }));
}

/** Cuts changes into sections within limits; a single cell may be larger than `bytesMax`. */
export function cut(changes: readonly Changes[], limits: SectionLimits): Section[] {
  const sections: Section[] = [];
  for (const { store, cells } of changes) {
    let start = 0;
    let bytes = 0;
    for (let index = 0; index < cells.length; index++) {
      const size = cellBytes(cells[index]);
      if (index > start && (index - start >= limits.cellsMax || bytes + size > limits.bytesMax)) {
        sections.push(encode(store, cells.slice(start, index)));
        start = index;
        bytes = 0;
      }
      bytes += size;
    }
    sections.push(encode(store, start === 0 ? cells : cells.slice(start)));
  }
  return sections;
}

/** What cells weigh in a script: their bytes and what Redis spends around each. */
export function weigh(changes: readonly Changes[]): { readonly cells: number; readonly bytes: number } {
  let count = 0;
  let bytes = 0;
  for (const { cells } of changes) {
    count += cells.length;
    for (const cell of cells) bytes += cellBytes(cell);
  }
  return { cells: count, bytes };
}

function cellBytes(cell: Cell | undefined): number {
  return cell === undefined ? 0 : cell.key.length + (cell.value?.length ?? 0) + CELL_BYTES_EXTRA;
}

function encode(store: string, cells: readonly Cell[]): Section {
  let putItems = 0;
  let putBytes = HEADER_BYTES;
  let deleteItems = 0;
  let deleteBytes = HEADER_BYTES;
  for (const { key, value } of cells) {
    if (value === null) {
      deleteItems += 1;
      deleteBytes += HEADER_BYTES + key.length;
    } else {
      putItems += 2;
      putBytes += 2 * HEADER_BYTES + key.length + value.length;
    }
  }
  const puts = Buffer.allocUnsafe(putBytes);
  const deletes = Buffer.allocUnsafe(deleteBytes);
  let putAt = header(puts, 0, ARRAY, putItems);
  let deleteAt = header(deletes, 0, ARRAY, deleteItems);
  for (const { key, value } of cells) {
    if (value === null) deleteAt = item(deletes, deleteAt, key);
    else putAt = item(puts, item(puts, putAt, key), value);
  }
  return { store, puts, deletes };
}

function item(target: Buffer, at: number, bytes: Uint8Array): number {
  const start = header(target, at, BYTES, bytes.length);
  target.set(bytes, start);
  return start + bytes.length;
}

function header(target: Buffer, at: number, kind: number, length: number): number {
  target[at] = kind;
  return target.writeUInt32BE(length, at + 1);
}

/** Only where puts and deletes are mixed does order matter: a later put of a key undoes its delete, and the other way round. */
function lastForms(cells: readonly Cell[]): readonly Cell[] {
  const deletedAt = new Map<string, number>();
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    if (cell !== undefined && cell.value === null) deletedAt.set(bytesToLatin1(cell.key), index);
  }
  if (deletedAt.size === 0 || deletedAt.size === cells.length) return cells;
  const putAt = new Map<string, number>();
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    if (cell === undefined || cell.value === null) continue;
    const key = bytesToLatin1(cell.key);
    if (deletedAt.has(key)) putAt.set(key, index);
  }
  if (putAt.size === 0) return cells;
  return cells.filter(({ key, value }) => {
    const name = bytesToLatin1(key);
    const putIndex = putAt.get(name);
    const deleteIndex = deletedAt.get(name);
    if (putIndex === undefined || deleteIndex === undefined) return true;
    return putIndex > deleteIndex === (value !== null);
  });
}
