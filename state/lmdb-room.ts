import { statfsSync } from 'node:fs';
import { VoltstreamError } from '../errors.ts';

/**
 * What is left free beside an LMDB folder, bytes: several of the largest transactions, or what other programs may take while one is
 * written.
 *
 * LMDB must not meet the end of the disk. When a write finds no room at all, lmdb-js 3.5.6 (`mdb_page_flush` in its mdb.c) prints a
 * message of up to 120 characters, with sizes it has never set, into 100 bytes of memory: this breaks the heap of the process.
 */
export const lmdbSpareBytes = 32_000_000;

/** Values that do not fill their pages, and the pages of the tree above them. */
const bytesOnDiskPerByte = 2;

/** Free bytes of the disk that holds `path`, for a process without privileges. */
export function freeBytesOf(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/**
 * Throws DISK_FULL, before anything is written, when the disk would have less than `spareBytes` free after a transaction of so many
 * bytes of keys and values. Asking costs some microseconds. It does not see quotas of a user nor limits on the size of files.
 */
export function assertRoom(path: string, bytes: number, spareBytes = lmdbSpareBytes): void {
  const wanted = bytes * bytesOnDiskPerByte + spareBytes;
  const free = freeBytesOf(path);
  if (free >= wanted) return;
  throw new VoltstreamError('DISK_FULL', 'nothing was written, since too little room would be left', {
    where: path, wanted: `${megabytes(wanted)} free`, got: megabytes(free),
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
