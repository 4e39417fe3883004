import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../../errors.ts';
import { VoltstreamError } from '../../errors.ts';
import type { Configuration } from '../../runtime/configuration.ts';

export type LiveReply =
  | { readonly kind: 'sent'; readonly messages: number }
  /** The log cannot take it at the moment; it is tried again. */
  | { readonly kind: 'retrying'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: Error };

/**
 * Simulates the stations of profile `live` as time passes, in a thread of its own, into the log, until the signal comes. Goes on where an earlier process was,
 * and catches up what has happened meanwhile.
 */
export async function simulateLive(
  configuration: Configuration, signal: AbortSignal, sent: (messages: number) => void, retrying: (error: unknown) => void,
): Promise<void> {
  if (signal.aborted) return;
  const worker = new Worker(new URL('./live-worker.ts', import.meta.url), { workerData: configuration });
  const stop = (): void => worker.postMessage('stop');
  signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (reply: LiveReply) => {
        if (reply.kind === 'sent') sent(reply.messages);
        else if (reply.kind === 'retrying') retrying(new VoltstreamError(reply.code, 'live stations could not be told further', { got: reply.message }));
        else if (reply.kind === 'done') resolve();
        else reject(reply.error);
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the thread of live stations ended with code ${code}`)));
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
