/**
 * The whole product in one process: embedded log, LMDB state, chDB, raw events included. Dundee's events are repeated, each time a
 * year and some weeks later, until there are enough; taking them into the log is not part of the measured time. A round of
 * `--warm-up` events goes first and does not count: the engine compiles while it runs.
 * `node --max-semi-space-size=64 bench/embedded.ts --help` explains its options.
 */
import '../cli/thread-pool.ts';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { closePorts, openPorts } from '../cli/workplace.ts';
import { EventAppender } from '../charging/ingest/event-appender.ts';
import { dundeeFiles } from '../charging/session-log/dundee-files.ts';
import { dundeeMapping } from '../charging/session-log/dundee.mapping.ts';
import { expandSessionLog } from '../charging/session-log/expand.ts';
import type { SessionLogRow } from '../charging/session-log/mapping.ts';
import { readSessionLogs } from '../charging/session-log/read-session-log.ts';
import { stationsOf } from '../charging/session-log/stations.ts';
import { chargingTopics } from '../charging/topics.ts';
import { chargingTopology } from '../charging/topology.ts';
import { Application } from '../runtime/application.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import { createLogger } from '../runtime/logger.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import type { Ports } from '../runtime/ports.ts';
import { script, whole } from '../test/script-options.ts';
import { describeThreadTimes, threadTimes } from './thread-times.ts';

const values = script('node --max-semi-space-size=64 bench/embedded.ts',
  "The whole product in one process, with embedded log, LMDB and chDB: events per second, processor time by thread, memory. Dundee's events are repeated until there are "
    + 'enough; taking them into the log is not measured. Needs nothing beside Node.')
  .option('--events <number>', 'of each counted round', whole(1), 685_790)
  .option('--rounds <number>', 'counted rounds', whole(1), 3)
  .option('--warm-up <events>', 'of a round before them, which does not count; 0 leaves it out', whole(0), 50_000)
  .option('--folder <folder>', 'where each round has its data, which it removes', tmpdir())
  .option('--profile <file>', 'write a CPU profile there: the main thread in the measured time of the last round')
  .parse()
  .opts<{ readonly events: number; readonly rounds: number; readonly warmUp: number; readonly folder: string; readonly profile?: string }>();
/** Longer than the data set, so that repetitions do not overlap. */
const REPEAT_MS = 400 * 86_400_000;

async function fill(ports: Ports, rows: readonly SessionLogRow[], eventsWanted: number): Promise<number> {
  const producer = await ports.log.producer();
  const appender = await EventAppender.open(producer, ports.registry, 'bench');
  for (const place of stationsOf(rows, dundeeMapping)) appender.addStation(place);
  let events = 0;
  for (let repeat = 0; events < eventsWanted; repeat++) {
    for (const event of expandSessionLog(rows, dundeeMapping)) {
      if (events >= eventsWanted) break;
      events++;
      appender.addEvent({
        ...event, eventId: `${event.eventId}/${repeat}`, timestampMs: event.timestampMs + repeat * REPEAT_MS,
        transactionId: event.transactionId === null ? null : `${event.transactionId}/${repeat}`,
      });
      if (appender.full) await appender.flush(String(events));
    }
  }
  await appender.flush(String(events));
  await producer.close();
  return events;
}

/** Memory of the process without the pages of mapped files: LMDB maps the log, whose pages the system takes back when it needs them. */
function ownMemoryBytes(): number {
  if (process.platform !== 'linux') return process.memoryUsage.rss();
  return Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024;
}

/** Profiles the main thread until the function given back is called. */
async function profiled(): Promise<() => Promise<void>> {
  const file = values.profile;
  if (file === undefined) return () => Promise.resolve();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 1_000 });
  await session.post('Profiler.start');
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(file, JSON.stringify(profile));
    session.disconnect();
  };
}

async function round(rows: readonly SessionLogRow[], eventsWanted: number) {
  const folder = mkdtempSync(join(values.folder, 'voltstream-bench-'));
  const configuration = loadConfiguration({ flags: { data: folder } });
  const ports = await openPorts(configuration);
  await ports.log.createTopics(chargingTopics(configuration.partitions));
  const events = await fill(ports, rows, eventsWanted);
  const application = new Application({
    configuration, ports, topology: chargingTopology(), topics: [], metrics: new EngineMetrics({ nodeMetrics: false }), logger: createLogger({ level: 'error' }),
  });
  const memory: number[] = [];
  const sampler = setInterval(() => memory.push(ownMemoryBytes()), 200);
  const endProfile = await profiled();
  const threadsBefore = threadTimes();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await application.start();
  await Promise.race([application.drained(new AbortController().signal), application.failed]);
  const elapsedMs = performance.now() - startedMs;
  const cpu = process.cpuUsage(cpuBefore);
  const threads = describeThreadTimes(threadsBefore, threadTimes(), events);
  clearInterval(sampler);
  await endProfile();
  const [counts] = await ports.warehouse.query<{ events: string; sessions: string; hours: string }>(
    'SELECT (SELECT count() FROM voltstream.charging_events) AS events, (SELECT count() FROM voltstream.charging_sessions) AS sessions, (SELECT count() FROM voltstream.station_hours) AS hours',
  );
  if (Number(counts?.events) !== events) throw new Error(`wanted ${events} raw events in the table, got ${counts?.events}`);
  await application.stop();
  await closePorts(ports);
  rmSync(folder, { recursive: true, force: true });
  const half = memory.slice(0, Math.ceil(memory.length / 2));
  return {
    events, perSecond: events / elapsedMs * 1_000, cpuSecondsPerMillion: (cpu.user + cpu.system) / events,
    peakMegabytes: Math.max(...memory) / 1e6, firstHalfPeakMegabytes: Math.max(...half) / 1e6, counts, threads,
  };
}

const rows: SessionLogRow[] = [];
for await (const row of readSessionLogs(dundeeFiles(), dundeeMapping)) if (row.kind === 'row') rows.push(row);
process.stdout.write(`${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}\n`);
const rates: number[] = [];
if (values.warmUp > 0) await round(rows, values.warmUp);
for (let number = 1; number <= values.rounds; number++) {
  const result = await round(rows, values.events);
  rates.push(result.perSecond);
  process.stdout.write(
    `round ${number}: ${result.events.toLocaleString('en-US')} events, ${Math.round(result.perSecond).toLocaleString('en-US')}/s, ` +
    `${result.cpuSecondsPerMillion.toFixed(1)} CPU-s per million (all threads), peak memory ${Math.round(result.peakMegabytes)} MB ` +
    `(first half ${Math.round(result.firstHalfPeakMegabytes)} MB), rows ${JSON.stringify(result.counts)}\n` +
    `  microseconds an event by thread: ${result.threads}\n`,
  );
}
rates.sort((a, b) => a - b);
process.stdout.write(`events/s: min ${Math.round(rates[0] ?? 0)}, median ${Math.round(rates[Math.floor(rates.length / 2)] ?? 0)}, max ${Math.round(rates.at(-1) ?? 0)}\n`);
