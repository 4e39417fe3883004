import { Worker } from 'node:worker_threads';
import type { SessionLogOutcome } from '../charging/ingest/ingest-session-log.ts';
import type { ErrorCode } from '../errors.ts';
import { VoltstreamError } from '../errors.ts';
import type { Configuration } from '../runtime/configuration.ts';

export type SampleReply =
  | { readonly kind: 'progress'; readonly toCome: number }
  /** The log cannot take it at the moment; it is tried again. */
  | { readonly kind: 'retrying'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'done'; readonly outcome: SessionLogOutcome }
  | { readonly kind: 'failed'; readonly error: Error };

/**
 * Takes the shipped data set in a thread of its own, so that reading, expanding and encoding it costs the processing nothing. A
 * killed process leaves a mark in the log behind, from which the next start goes on.
 */
export async function takeSample(
  configuration: Configuration, signal: AbortSignal, toCome: (records: number) => void, retrying: (error: unknown) => void,
): Promise<SessionLogOutcome> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('./sample-worker.ts', import.meta.url), { workerData: configuration });
  const stop = (): void => worker.postMessage('stop');
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<SessionLogOutcome>((resolve, reject) => {
      worker.on('message', (reply: SampleReply) => {
        if (reply.kind === 'progress') toCome(reply.toCome);
        else if (reply.kind === 'retrying') retrying(new VoltstreamError(reply.code, 'the data set could not be taken further', { got: reply.message }));
        else if (reply.kind === 'done') resolve(reply.outcome);
        else reject(reply.error);
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the thread that takes the data set ended with code ${code}`)));
    });
  } finally {
    signal.removeEventListener('abort', stop);
    toCome(0);
  }
}
