import { VoltstreamError } from '../errors.ts';

const FULL = [/no space left on device/i, /MDB_MAP_FULL/, /disk quota exceeded/i, /\bENOSPC\b/];

/**
 * What an error of lmdb means for the caller. lmdb aborts the whole transaction, so that nothing was written.
 *
 * A failed asynchronous transaction says "see commitError": the true reason is a promise on the error, rejected just after.
 */
export async function lmdbFailure(error: unknown, path: string): Promise<VoltstreamError> {
  const cause = await reasonOf(error);
  const text = cause instanceof Error ? cause.message : String(cause);
  if (FULL.some((pattern) => pattern.test(text))) {
    return new VoltstreamError('DISK_FULL', 'the state could not be written', { where: path, got: text, cause });
  }
  return new VoltstreamError('STORE_UNAVAILABLE', 'the state could not be written', { where: path, got: text, cause });
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
