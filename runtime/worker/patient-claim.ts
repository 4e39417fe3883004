import { VoltstreamError } from '../../errors.ts';
import { BackOff } from '../task/back-off.ts';

/** Whether a claim that failed may succeed later without anybody's help but the world's: a server that is away, a disk that is full. */
export function claimMayPass(error: unknown): boolean {
  return error instanceof VoltstreamError && claimFailuresThatPass.has(error.code);
}

const claimFailuresThatPass: ReadonlySet<string> = new Set(['STORE_UNAVAILABLE', 'LOG_UNAVAILABLE', 'DISK_FULL']);

/** Claims again and again while store, log or disk cannot be reached; any other failure is the caller's. */
export async function claimPatiently<T>(
  attempt: () => Promise<T>, signal: AbortSignal, retrying: (operation: string, error: unknown) => void,
): Promise<T> {
  const backOff = new BackOff(signal);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!claimMayPass(error)) throw error;
      retrying('claim', error);
      await backOff.wait();
    }
  }
}
