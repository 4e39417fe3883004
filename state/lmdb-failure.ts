import { statfs } from 'node:fs/promises';
import { VoltstreamError } from '../errors.ts';

/** With more than this free, a disk that takes only part of a write has another reason than being full. */
const SPARE_BYTES_MIN = 16_000_000;
/** LMDB says "input/output error" when the disk took part of a write only, as a disk does that fills up. */
const FULL = [/no space left on device/i, /MDB_MAP_FULL/, /disk quota exceeded/i, /file too large/i, /\bENOSPC\b/, /input\/output error/i];

/**
 * What an error of lmdb means for the caller. lmdb aborts the whole transaction, so that nothing was written.
 *
 * A failed asynchronous transaction says "see commitError": the true reason is a promise on the error, rejected just after.
 */
export async function lmdbFailure(error: unknown, path: string): Promise<VoltstreamError> {
  const cause = await reasonOf(error);
  const text = cause instanceof Error ? cause.message : String(cause);
  if (!FULL.some((pattern) => pattern.test(text))) {
    return new VoltstreamError('STORE_UNAVAILABLE', 'the state could not be read or written', { where: path, got: text, cause });
  }
  const spareBytes = await spareBytesOf(path);
  const details = { where: path, got: `${text}, with ${Math.floor(spareBytes / 1_000_000)} MB free`, cause };
  if (spareBytes < SPARE_BYTES_MIN) return new VoltstreamError('DISK_FULL', 'the state could not be written', details);
  return new VoltstreamError('DISK_FULL', 'the disk took only part of a write, though it is not full', {
    ...details,
    cure: 'Look at quotas, limits on the size of files, and the disk itself; processing goes on by itself.',
  });
}

async function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
  } catch (reason) {
    return reason;
  }
  return error;
}

async function spareBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
