import { parentPort, workerData } from 'node:worker_threads';
import { assertInvariant } from '../errors.ts';
import { ingestSessionLog } from '../charging/ingest/ingest-session-log.ts';
import { lockSource } from '../charging/ingest/source-lock.ts';
import { dundeeFiles } from '../charging/session-log/dundee-files.ts';
import { dundeeMapping } from '../charging/session-log/dundee.mapping.ts';
import type { Configuration } from '../runtime/configuration.ts';
import { logAndRegistryOf } from '../runtime/ports.ts';
import type { SampleReply } from './sample-thread.ts';

const port = parentPort;
assertInvariant(port !== null, 'this file runs in a worker thread');
const abort = new AbortController();
port.on('message', () => abort.abort(new Error('stopped')));
const reply = (message: SampleReply): void => port.postMessage(message);

const configuration = workerData as Configuration;
const { log, registry } = await logAndRegistryOf(configuration);
let release: (() => Promise<void>) | null = null;
try {
  if (configuration.log.kind === 'embedded') release = await lockSource(configuration.dataFolder, dundeeMapping.name);
  await log.open();
  await registry.open();
  const producer = await log.producer();
  try {
    const outcome = await ingestSessionLog({
      files: await dundeeFiles(), mapping: dundeeMapping, producer, registry, log, nowMs: Date.now, signal: abort.signal,
      retrying: ({ code, message }) => reply({ kind: 'retrying', code, message }),
      onProgress: ({ toCome }) => reply({ kind: 'progress', toCome }),
    });
    reply({ kind: 'done', outcome });
  } finally {
    await producer.close();
  }
} catch (error) {
  reply({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
} finally {
  await registry.close();
  await log.close();
  await release?.();
  port.close();
}
