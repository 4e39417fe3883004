import { isPassing } from '../../errors.ts';
import { BackOff } from '../task/back-off.ts';

/** Claims again and again while store or log cannot be reached; any other failure is the caller's. */
export async function claimPatiently<T>(
  attempt: () => Promise<T>, signal: AbortSignal, retrying: (operation: string, error: unknown) => void,
): Promise<T> {
  const backOff = new BackOff(signal);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error)) throw error;
      retrying('claim', error);
      await backOff.wait();
    }
  }
}
