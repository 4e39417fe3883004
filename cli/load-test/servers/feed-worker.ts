/** Simulates, writes the ledger, and feeds the log of a load test. */
import { parentPort, workerData } from 'node:worker_threads';
import { assertInvariant } from '../../../errors.ts';
import { logAndRegistryOf } from '../../../runtime/ports.ts';
import { simulate } from '../../../simulator/simulation.ts';
import { LedgerFolder } from '../../simulate/ledger-folder.ts';
import { schemaIds } from '../../simulate/reference-records.ts';
import { Feed } from '../feed.ts';
import { LogFeed } from '../log-feed.ts';
import type { FeedOrder, FeedReply } from './feed-thread.ts';

const port = parentPort;
assertInvariant(port !== null, 'this file runs in a worker thread');
const abort = new AbortController();
port.on('message', () => abort.abort(new Error('stopped')));
const reply = (message: FeedReply): void => port.postMessage(message);

const { configuration, profile, seed, days, pace, slicesAtOnce, waitingMax, ledgerFolder, about, through } = workerData as FeedOrder;
const done = new Int32Array(through);
const { log, registry } = await logAndRegistryOf(configuration);
try {
  await log.open();
  await registry.open();
  const feed: Feed = new Feed({ pace, waitingMax, waiting: () => feed.sent - Atomics.load(done, 0) });
  const into = new LogFeed(await log.producer(), configuration.partitions, (counts) => reply({ kind: 'due', counts, epochMs: performance.timeOrigin + feed.dueMs }));
  const output = await LedgerFolder.open(ledgerFolder, about, into);
  const form = { kind: 'records', ids: await schemaIds(registry) } as const;
  reply({ kind: 'started', epochMs: performance.timeOrigin + performance.now() });
  const telling = setInterval(() => reply({ kind: 'sent', messages: feed.sent, sessions: feed.sessions }), 100);
  const complete = await feed.run(simulate({ profile, seed, days, form, ledger: true, workers: 1, slicesAtOnce }), output, abort.signal);
  clearInterval(telling);
  reply({ kind: 'sent', messages: feed.sent, sessions: feed.sessions });
  reply({ kind: 'done', complete });
} catch (error) {
  reply({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
} finally {
  await registry.close();
  await log.close();
  port.close();
}
