import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { eventsTopic } from '../../charging/topology.ts';
import { chargingTopics } from '../../charging/topics.ts';
import type { LogProducer, OutboundRecord } from '../../charging/engine.ts';
import { VoltstreamError, assertInvariant, isPassing } from '../../errors.ts';
import type { Configuration } from '../../runtime/configuration.ts';
import { logAndRegistryOf } from '../../runtime/ports.ts';
import { SLICE_MS } from '../../simulator/district-group.ts';
import { readProfile } from '../../simulator/read-profile.ts';
import type { Slice } from '../../simulator/simulation.ts';
import { simulate } from '../../simulator/simulation.ts';
import type { LiveReply } from './live-thread.ts';
import { referenceRecords, schemaIds } from './reference-records.ts';
import { sliceRecords } from './slice-records.ts';

/** So long before now the first of all runs begins, so that there are sessions under way at once. */
const WARM_UP_MS = 3 * 3_600_000;
/** A process that was away longer than that begins anew, with stations of other names: simulating all that it has missed would take too long. */
const AWAY_MAX_MS = 7 * 86_400_000;
const DAYS_MAX = 3_660;
/** Messages are told in steps of this length. */
const STEP_MS = 1_000;
const RETRY_MS = 1_000;

/** When the live network began, and when it was told of last. */
interface LiveRun {
  readonly startMs: number;
  readonly toldMs: number;
}

const port = parentPort;
assertInvariant(port !== null, 'this file runs in a worker thread');
const abort = new AbortController();
port.on('message', () => abort.abort(new Error('stopped')));
const reply = (message: LiveReply): void => port.postMessage(message);

/** Waits, or less where somebody wants us to stop; false then. */
async function waited(lengthMs: number): Promise<boolean> {
  if (lengthMs > 0 && !abort.signal.aborted) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lengthMs);
      abort.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
  }
  return !abort.signal.aborted;
}

async function runOf(path: string): Promise<LiveRun> {
  const nowMs = Date.now();
  const anew = { startMs: nowMs - WARM_UP_MS - (nowMs % SLICE_MS), toldMs: nowMs };
  try {
    const before = JSON.parse(await readFile(path, 'utf8')) as LiveRun;
    return nowMs - before.toldMs > AWAY_MAX_MS ? anew : before;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return anew;
    throw error;
  }
}

/** Tells slices as their time comes, each message in the second in which it is received. */
class LiveTeller {
  readonly #producer: LogProducer;
  readonly #writer: string;

  constructor(producer: LogProducer, writer: string) {
    this.#producer = producer;
    this.#writer = writer;
  }

  /** False: somebody wants us to stop. A slice that is told in part is told again by the next run, and known by its ids. */
  async tell(slice: Slice, first: readonly OutboundRecord[]): Promise<boolean> {
    const records = [...first, ...sliceRecords(slice).toSorted((left, right) => left.timestampMs - right.timestampMs)];
    for (let at = 0; at < records.length;) {
      const dueMs = (records[at] as OutboundRecord).timestampMs;
      if (!(await waited(Math.min(slice.timeMs, dueMs) - Date.now()))) return false;
      const untilMs = Math.max(dueMs, Date.now()) + STEP_MS;
      let end = at;
      while (end < records.length && (records[end] as OutboundRecord).timestampMs < untilMs) end += 1;
      if (slice.timeMs <= Date.now()) end = records.length;
      const isLast = end === records.length;
      if (!(await this.#append(records.slice(at, end), String(isLast ? slice.number + 1 : slice.number)))) return false;
      at = end;
    }
    return waited(slice.timeMs - Date.now());
  }

  async #append(records: readonly OutboundRecord[], position: string): Promise<boolean> {
    for (;;) {
      try {
        await this.#producer.append(records, { writer: this.#writer, position });
        reply({ kind: 'sent', messages: records.filter(({ topic }) => topic === eventsTopic).length });
        return true;
      } catch (error) {
        if (!isPassing(error)) throw error;
        reply({ kind: 'retrying', code: error instanceof VoltstreamError ? error.code : 'LOG_UNAVAILABLE', message: error instanceof Error ? error.message : String(error) });
        if (!(await waited(RETRY_MS))) return false;
      }
    }
  }
}

const configuration = workerData as Configuration;
const { log, registry } = await logAndRegistryOf(configuration);
try {
  await log.open();
  await registry.open();
  await log.createTopics(chargingTopics(configuration.partitions));
  const path = join(configuration.dataFolder, 'live-simulation.json');
  const { startMs } = await runOf(path);
  await writeFile(path, JSON.stringify({ startMs, toldMs: Date.now() } satisfies LiveRun));
  // Stations of a network that began anew are others.
  const profile = { ...readProfile('live'), sitePrefix: `live-${new Date(startMs).toISOString().slice(2, 10).replaceAll('-', '')}-` };
  const producer = await log.producer();
  try {
    const writer = `live/${startMs}`;
    const mark = await producer.mark(writer);
    let first = mark === null ? await referenceRecords(registry, profile, startMs) : [];
    const form = { kind: 'records', ids: await schemaIds(registry) } as const;
    for await (const slice of simulate({ profile, seed: 'live', startMs, days: DAYS_MAX, form, ledger: false, workers: 0 })) {
      if (abort.signal.aborted) break;
      if (slice.number < Number(mark ?? 0)) continue;
      if (!(await new LiveTeller(producer, writer).tell(slice, first))) break;
      first = [];
      if (slice.timeMs > Date.now() - 2 * SLICE_MS) await writeFile(path, JSON.stringify({ startMs, toldMs: Date.now() } satisfies LiveRun));
    }
  } finally {
    await producer.close();
  }
  reply({ kind: 'done' });
} catch (error) {
  reply({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
} finally {
  await registry.close();
  await log.close();
  port.close();
}
