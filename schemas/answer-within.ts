/** Longest wait for an answer, and what then counts as one. */
export interface AnswerLimit {
  readonly timeoutMs: number;
  /** The failure when no answer has come within the time. */
  readonly silent: () => Error;
  /** Ends the wait with its reason; nothing is asked once it is aborted, since nobody would be there for the failure. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks, and waits no longer than the limit says. An answer or a failure that comes later is not heard: what was asked may have happened
 * all the same. An aborted wait rejects with the signal's reason.
 */
export async function answerWithin<T>({ timeoutMs, silent, signal }: AnswerLimit, ask: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const { promise: end, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(silent()), timeoutMs);
  const aborted = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    return await Promise.race([ask(), end]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}
