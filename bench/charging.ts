/**
 * The charging topology alone: Dundee's events through the very task that production runs, with commits, and with rows encoded
 * into their outboxes; no log, no store, no warehouse. Processor time, so that it stays comparable on a busy machine. What
 * comes out is digested, so that two commits can be told to give the same rows, byte for byte.
 * `node --max-semi-space-size=64 bench/charging.ts --help` explains its options.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { dundeeFiles } from '../charging/session-log/dundee-files.ts';
import { dundeeMapping } from '../charging/session-log/dundee.mapping.ts';
import { expandSessionLog } from '../charging/session-log/expand.ts';
import { readSessionLogs } from '../charging/session-log/read-session-log.ts';
import { stationsOf } from '../charging/session-log/stations.ts';
import { chargingTopology, eventsTopic, stationsTopic } from '../charging/topology.ts';
import { sinkEncoders } from '../runtime/delivery/sink-encoders.ts';
import type { LogRecord } from '../runtime/log/log.ts';
import { batchGapBytes } from '../runtime/sinks/clickhouse/row-buffer.ts';
import { visitBatch } from '../runtime/task/outbox.ts';
import { FailurePolicies } from '../runtime/task/error-policy.ts';
import { restoreAll } from '../runtime/task/restore-all.ts';
import { TaskCore } from '../runtime/task/task-core.ts';
import type { WireReader } from '../schemas/codec.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { FileRegistry } from '../schemas/file-registry.ts';
import { chargingEvent } from '../schemas/generated/charging-event.ts';
import { station } from '../schemas/generated/station.ts';
import { script, whole } from '../test/script-options.ts';

const { rounds, commit: recordsPerCommit, events: eventsMax } = script('node --max-semi-space-size=64 bench/charging.ts',
  "The charging topology without log, store and tables: processor time an event for steps and rows, decoding and commits, of the events of Dundee's sessions. Prints a "
    + 'digest of all rows, by which two commits of the code can be compared. Needs nothing beside Node.')
  .option('--rounds <number>', 'each begins with empty state; the first is still being compiled', whole(1), 3)
  .option('--commit <records>', 'events between two commits', whole(1), 20_000)
  .option('--events <number>', 'so many at most: there are 685,790', whole(1), 1_000_000)
  .parse()
  .opts<{ readonly rounds: number; readonly commit: number; readonly events: number }>();
const folder = mkdtempSync(join(tmpdir(), 'voltstream-bench-'));
const registry = new FileRegistry({ folder });
await registry.open();

interface Topics {
  readonly stations: readonly LogRecord[];
  readonly events: readonly LogRecord[];
}

async function makeTopics(): Promise<Topics> {
  const rows = (await Array.fromAsync(readSessionLogs(dundeeFiles(), dundeeMapping))).filter((row) => row.kind === 'row');
  const events: LogRecord[] = [];
  const eventWriter = await registry.writer(`${eventsTopic}-value`, chargingEvent);
  const stationWriter = await registry.writer(`${stationsTopic}-value`, station);
  for (const event of expandSessionLog(rows, dundeeMapping)) {
    if (events.length >= eventsMax) break;
    events.push({
      offset: events.length, timestampMs: Math.max(0, event.timestampMs), key: utf8.encode(event.stationId),
      value: eventWriter.encode(event), headers: null,
    });
  }
  const stations = stationsOf(rows, dundeeMapping).map((place, offset) => (
    { offset, timestampMs: place.validFromMs, key: utf8.encode(place.stationId), value: stationWriter.encode(place), headers: null }));
  return { stations, events };
}

/** Processor time of all threads, collectors included. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** The ids that a fresh registry gives to the schemas of the two topics. */
async function loadSchemas(readers: readonly WireReader<unknown>[]): Promise<void> {
  for (const reader of readers) for (const schemaId of [1, 2]) await reader.load(schemaId);
}

/** Reads all events once, as the task does before its first step: to be taken off. */
async function decodeMs(topics: Topics): Promise<number> {
  const keys = registry.reader(utf8);
  const reader = registry.reader(chargingEvent);
  await loadSchemas([reader]);
  const begin = cpuMs();
  let lowestMs = Number.POSITIVE_INFINITY;
  for (const { key, value } of topics.events) {
    if (keys.decode(key as Uint8Array) === '') throw new Error('an event has a station');
    lowestMs = Math.min(lowestMs, reader.decode(value as Uint8Array).timestampMs);
  }
  if (lowestMs === Number.POSITIVE_INFINITY) throw new Error('there are events');
  return cpuMs() - begin;
}

async function newTask(): Promise<TaskCore> {
  const topology = chargingTopology().build();
  const part = topology.subTopologies.find((one) => one.sources.some((source) => source.topic === eventsTopic));
  if (part === undefined) throw new Error(`no part reads ${eventsTopic}`);
  const sinks = topology.deadLetters === null ? part.sinks : [...part.sinks, topology.deadLetters];
  const readers = new Map(part.sources.map((source) => (
    [source.name, { key: registry.reader(source.form.key), value: registry.reader(source.form.value) }])));
  await loadSchemas([...readers.values()].map((one) => one.value));
  const core = new TaskCore({
    part, partition: 0, partitions: 1, run: 1, readers, encoders: (await sinkEncoders(sinks, registry, Date.now))(1), droppedState: [],
    globalStores: new Map(topology.globalTables.map(({ store }) => [store.name, store.create()])),
    deadLetters: topology.deadLetters, failures: new FailurePolicies(topology), maxTaskIdleMs: 0, wallClock: false, sealPolicyOf: () => ({ rowsMax: 1, bytesMax: 1, ageMs: 0 }),
  });
  restoreAll(core, []);
  return core;
}

function give(core: TaskCore, topic: string, records: readonly LogRecord[], from: number, to: number): void {
  core.accept({ topic, partition: 0, requestedPosition: from, records: records.slice(from, to), nextPosition: Math.min(to, records.length), endOffset: records.length });
}

interface Measured {
  readonly processMs: number;
  readonly commitMs: number;
  readonly cells: number;
  readonly cellBytes: number;
  readonly rows: ReadonlyMap<string, number>;
  readonly digest: string;
}

async function round(topics: Topics): Promise<Measured> {
  const core = await newTask();
  for (const queue of core.queues) queue.start(0, queue.source.topic === eventsTopic ? topics.events.length : topics.stations.length);
  give(core, stationsTopic, topics.stations, 0, topics.stations.length);
  const { subTopologies, deadLetters } = chargingTopology().build();
  const sinks = [...subTopologies.flatMap((part) => part.sinks), ...(deadLetters === null ? [] : [deadLetters])];
  const tables = new Set(sinks.filter(({ sink }) => sink.kind === 'warehouse').map(({ name }) => name));
  const digests = new Map([...core.outboxes.keys()].map((sink) => [sink, createHash('sha256')]));
  const rows = new Map<string, number>();
  let processMs = 0;
  let commitMs = 0;
  let cells = 0;
  let cellBytes = 0;
  for (let at = 0; at < topics.events.length; at += recordsPerCommit) {
    give(core, eventsTopic, topics.events, at, at + recordsPerCommit);
    const begin = cpuMs();
    while (core.process(1_000, 0) > 0);
    const processed = cpuMs();
    const content = core.takeCommit(0, true);
    commitMs += cpuMs() - processed;
    processMs += processed - begin;
    cells += content.cells.length;
    for (const cell of content.cells) cellBytes += cell.key.length + (cell.value?.length ?? 0);
    for (const { sink, batch } of content.sealed) {
      // The room for `_batch` behind a row says nothing.
      const gapBytes = tables.has(sink) ? batchGapBytes : 0;
      visitBatch(batch, (_ordinal, group, bytes, start, end) => {
        digests.get(sink)?.update(group).update(bytes.subarray(start, end - gapBytes));
        rows.set(sink, (rows.get(sink) ?? 0) + 1);
      });
      core.outboxes.get(sink)?.acknowledge(batch);
    }
  }
  const digest = createHash('sha256');
  for (const [sink, one] of digests) digest.update(sink).update(one.digest());
  for (const step of core.stepCounts()) digest.update(`${step.step} ${step.recordsIn} ${step.recordsOut}`);
  return { processMs, commitMs, cells, cellBytes, rows, digest: digest.digest('hex').slice(0, 16) };
}

try {
  const topics = await makeTopics();
  const micros = (ms: number): string => (ms * 1_000 / topics.events.length).toFixed(2).padStart(6);
  process.stdout.write(`${topics.events.length.toLocaleString('en-US')} events, ${cpus()[0]?.model ?? '?'}, Node ${process.version}; CPU-us per event\n`);
  for (let number = 0; number < rounds; number += 1) {
    const decoding = await decodeMs(topics);
    const { processMs, commitMs, cells, cellBytes, rows, digest } = await round(topics);
    process.stdout.write(
      `steps and rows ${micros(processMs - decoding)}, decoding ${micros(decoding)}, commits ${micros(commitMs)} `
      + `(${cells.toLocaleString('en-US')} cells, ${(cellBytes / 1e6).toFixed(1)} MB); `
      + `${[...rows].map(([sink, count]) => `${sink} ${count}`).join(', ')}; digest ${digest}\n`,
    );
  }
} finally {
  await registry.close();
  rmSync(folder, { recursive: true, force: true });
}
