import { setTimeout as sleep } from 'node:timers/promises';
import { EventAppender } from '../../charging/ingest/event-appender.ts';
import { quarantined } from '../../charging/ingest/quarantine.ts';
import { dundeeFiles } from '../../charging/session-log/dundee-files.ts';
import { dundeeMapping } from '../../charging/session-log/dundee.mapping.ts';
import { expandSessionLog } from '../../charging/session-log/expand.ts';
import type { SessionLogRow } from '../../charging/session-log/mapping.ts';
import { readSessionLogs } from '../../charging/session-log/read-session-log.ts';
import { stationsOf } from '../../charging/session-log/stations.ts';
import { outageExclusionsTopic } from '../../charging/reference/reference-topics.ts';
import { eventsTopic } from '../../charging/topology.ts';
import { isPassing } from '../../errors.ts';
import type { Log, LogProducer, OutboundRecord } from '../../runtime/log/log.ts';
import { Partitioner } from '../../runtime/log/partitioner.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { OutageExclusion } from '../../schemas/generated/outage-exclusion.ts';
import { outageExclusion } from '../../schemas/generated/outage-exclusion.ts';

/** Longer than the data set, so that repetitions do not overlap. */
const repeatMs = 400 * 86_400_000;
/** Told at once: as a charger's back end received it. Such events make rows of live sessions, history does not. */
const receivedAfterMs = 2_000;

/** One event in so many is not as it should be; primes, so that they meet in all ways. */
const every = { again: 97, late: 3_989, strange: 499, unbelievable: 1_499, malformed: 2_503, faulted: 1_201 } as const;

/** What goes into the topic of events: an event, or bytes that are none. */
export type InputRecord = { readonly kind: 'event'; readonly event: ChargingEvent } | { readonly kind: 'bytes'; readonly key: string; readonly timestampMs: number };

let rows: Promise<readonly SessionLogRow[]> | null = null;

/** Dundee's rows, read once a process. */
function dundeeRows(): Promise<readonly SessionLogRow[]> {
  rows ??= Array.fromAsync(readSessionLogs(dundeeFiles(), dundeeMapping)).then((all) => all.filter((row) => row.kind === 'row'));
  return rows;
}

function* repeatedYears(all: readonly SessionLogRow[]): Generator<ChargingEvent> {
  for (let repeat = 0; ; repeat++) {
    for (const event of expandSessionLog([...all], dundeeMapping)) {
      const timestampMs = event.timestampMs + repeat * repeatMs;
      yield {
        ...event, eventId: `${event.eventId}/${repeat}`, timestampMs, receivedMs: repeat % 2 === 0 ? timestampMs + receivedAfterMs : null,
        transactionId: event.transactionId === null ? null : `${event.transactionId}/${repeat}`,
      };
    }
  }
}

/**
 * One session of each station, as soon as it has a site, at the very beginning of the input: all stations are known before partitions drift apart. Until a station is known, nobody waits for it
 * with visits, and what they are would depend on how far the others have come.
 */
function* firstSessions(all: readonly SessionLogRow[]): Generator<ChargingEvent> {
  const minute = 60_000;
  const rowsOf = Map.groupBy(all, (row) => row.stationId);
  for (const { stationId, validFromMs: fromMs } of stationsOf(all, dundeeMapping)) {
    const [row] = rowsOf.get(stationId) ?? [];
    if (row === undefined) continue;
    const [template] = expandSessionLog([row], dundeeMapping);
    if (template === undefined) continue;
    const event = { ...template, receivedMs: null, transactionId: 'first', idToken: `first of ${stationId}`, meterWh: null, seqNo: null, stopReason: null };
    yield { ...event, eventId: `${stationId}/first/0`, type: 'TransactionStarted', timestampMs: fromMs };
    yield { ...event, eventId: `${stationId}/first/1`, type: 'TransactionEnded', timestampMs: fromMs + minute };
    yield { ...event, eventId: `${stationId}/first/2`, type: 'Heartbeat', transactionId: null, idToken: null, timestampMs: fromMs + 30 * minute };
  }
}

/**
 * Exactly `events` records: a session of each station, Dundee's events, repeated by years, and among them what real chargers send, too: events that come twice or very
 * late, of stations that nobody knows, with a clock of 1970, and bytes that are no event. The same for the same number.
 */
export function* inputRecords(all: readonly SessionLogRow[], events: number, plain = false): Generator<InputRecord> {
  const late: { readonly dueAt: number; readonly event: ChargingEvent }[] = [];
  const lateBy = Math.max(1_000, Math.floor(events / 5));
  let given = 0;
  let number = 0;
  for (const event of plain ? [] : firstSessions(all)) {
    if (given++ === events) return;
    yield { kind: 'event', event };
  }
  for (const event of repeatedYears(all)) {
    number++;
    if (plain) {
      if (number > events) return;
      yield { kind: 'event', event };
      continue;
    }
    const found: InputRecord[] = [];
    if (number % every.late === 0) late.push({ dueAt: number + lateBy, event });
    else found.push({ kind: 'event', event });
    if (number % every.again === 0) found.push({ kind: 'event', event });
    if (number % every.strange === 0) found.push({ kind: 'event', event: { ...event, eventId: `${event.eventId}/strange`, stationId: `strange-${number % 7}` } });
    if (number % every.unbelievable === 0) found.push({ kind: 'event', event: { ...event, eventId: `${event.eventId}/1970`, timestampMs: number, receivedMs: null } });
    if (number % every.faulted === 0) {
      const { stationId, evseId, connectorId, timestampMs, receivedMs } = event;
      const nothing = { transactionId: null, seqNo: null, offline: false, idToken: null, partner: null, vehicleModel: null, meterWh: null, meterExportWh: null, powerW: null, soc: null, chargingState: null, triggerReason: null, stopReason: null };
      found.push({ kind: 'event', event: {
        ...nothing, stationId, evseId, connectorId, timestampMs, receivedMs, eventId: `${event.eventId}/faulted`, type: 'StatusChanged', status: 'Faulted',
        errorCode: 'GroundFailure', edition: 0,
      } });
    }
    if (number % every.malformed === 0) found.push({ kind: 'bytes', key: event.stationId, timestampMs: event.timestampMs });
    while (late[0] !== undefined && late[0].dueAt <= number) found.push({ kind: 'event', event: (late.shift() as { event: ChargingEvent }).event });
    for (const record of found) {
      if (given++ === events) return;
      yield record;
    }
  }
}

/** So many come first and are processed before the rest comes: every partition has some, and every station has told of a session. */
export function firstEvents(events: number): number {
  return Math.min(events / 10, 5_000);
}

export interface FeedOptions {
  readonly events: number;
  readonly log: Log;
  readonly registry: SchemaRegistry;
  /** Events a second; Infinity as fast as the log takes them. */
  readonly perSecond: number;
  /** Without what is not as it should be. */
  readonly plain?: boolean;
}

const recordsAtOnceMax = 5_000;

/** Brings the input into the log: first what everything else rests on, then events at a measured pace, with pauses on demand. */
export class InputFeed {
  readonly #options: FeedOptions;
  #closed: PromiseWithResolvers<void> | null = null;
  #appending: Promise<void> = Promise.resolve();
  /** Records of the topic of events. */
  appended = 0;
  /** Since when, by `performance.now()`; 0 before. */
  startedMs = 0;
  done = false;
  #abandoned = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /**
   * Stations, findings, a quarantined line, exclusions: no task may see events before the stations, or the order of arrival would matter.
   */
  async prelude(): Promise<void> {
    const { log, registry } = this.#options;
    const producer = new ExactProducer(log, await log.producer());
    try {
      const appender = await EventAppender.open(producer, registry, 'chaos-prelude');
      const all = await dundeeRows();
      const stations = stationsOf(all, dundeeMapping);
      const fromMs = stations[0]?.validFromMs ?? 0;
      for (const place of stations) appender.addStation(place);
      for (const check of ['missing-stop', 'unreadable']) {
        appender.addFinding({ source: 'chaos', batch: '1', check, rowsChecked: all.length, rowsFailed: 0, examples: [], checkedMs: fromMs });
      }
      appender.addQuarantined(quarantined('chaos.csv', 1, 'start', 'no time', Buffer.from('planted')), fromMs);
      const exclusions = await registry.writer(`${outageExclusionsTopic}-value`, outageExclusion);
      for (const [index, { stationId }] of stations.entries()) {
        const exclusion: OutageExclusion = {
          exclusionId: `exclusion-${index}`, stationId, evseId: null, siteId: null, operator: null, fromMs, toMs: fromMs + 3_600_000,
          reason: 'ScheduledMaintenance', note: null, withdrawn: false, validFromMs: fromMs,
        };
        appender.addRecord({ topic: outageExclusionsTopic, key: utf8.encode(exclusion.exclusionId), value: exclusions.encode(exclusion), timestampMs: fromMs });
      }
      await appender.flush('1');
    } finally {
      await producer.close();
    }
  }

  /** Appends all events; resolves when the last one is in the log. */
  async run(): Promise<void> {
    const { log, registry, events, perSecond, plain } = this.#options;
    const all = await dundeeRows();
    const producer = new ExactProducer(log, await log.producer());
    try {
      const atOnce = Math.min(recordsAtOnceMax, Math.max(50, Math.floor(perSecond / 10)));
      const appender = await EventAppender.open(producer, registry, 'chaos', atOnce);
      this.startedMs = performance.now();
      for (const record of inputRecords(all, events, plain)) {
        if (record.kind === 'event') appender.addEvent(record.event);
        else appender.addRecord({ topic: eventsTopic, key: utf8.encode(record.key), value: new Uint8Array([7, 7, 7]), timestampMs: record.timestampMs });
        if (!appender.full) continue;
        await this.#append(appender);
        if (this.#abandoned) return;
      }
      await this.#append(appender);
      this.done = true;
    } finally {
      await producer.close();
    }
  }

  /** From the next append on nothing more comes in; resolves when none is under way: the log may go away then. */
  async pause(): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>();
    await this.#appending;
  }

  /** The rest is not wanted any more; does nothing when all is in. */
  abandon(): void {
    this.#abandoned = true;
    this.resume();
  }

  resume(): void {
    this.#closed?.resolve();
    this.#closed = null;
  }

  async #append(appender: EventAppender): Promise<void> {
    while (this.#closed !== null) await this.#closed.promise;
    this.#appending = appender.flush('');
    await this.#appending;
    this.appended = appender.appended;
    const dueMs = this.startedMs + this.appended / this.#options.perSecond * 1_000;
    await sleep(Math.max(0, dueMs - performance.now()));
  }
}

/** Appends each record once though the log goes away meanwhile: it looks how many of each partition have come. Keeps no marks. */
class ExactProducer implements LogProducer {
  readonly #log: Log;
  readonly #producer: LogProducer;
  readonly #partitioner = new Partitioner();
  /** Ends of partitions, as far as we have written. */
  readonly #ends = new Map<string, Map<number, number>>();

  constructor(log: Log, producer: LogProducer) {
    this.#log = log;
    this.#producer = producer;
  }

  async append(records: readonly OutboundRecord[]): Promise<void> {
    const places: { readonly topic: string; readonly partition: number; readonly record: OutboundRecord }[] = [];
    for (const record of records) {
      const ends = await this.#endsOf(record.topic);
      places.push({ topic: record.topic, partition: this.#partitioner.choose(record, ends.size), record });
    }
    for (let left = places; left.length > 0;) {
      try {
        await this.#producer.append(left.map(({ record }) => record));
        break;
      } catch (error) {
        if (!isPassing(error)) throw error;
        await sleep(500);
        left = await this.#missing(places);
      }
    }
    for (const { topic, partition } of places) {
      const ends = await this.#endsOf(topic);
      ends.set(partition, (ends.get(partition) ?? 0) + 1);
    }
  }

  mark(): Promise<string | null> {
    return Promise.resolve(null);
  }

  close(): Promise<void> {
    return this.#producer.close();
  }

  async #endsOf(topic: string): Promise<Map<number, number>> {
    const known = this.#ends.get(topic);
    if (known !== undefined) return known;
    const partitions = await patiently(() => this.#log.partitionCount(topic)) ?? 0;
    const ends = new Map<number, number>();
    for (let partition = 0; partition < partitions; partition++) {
      ends.set(partition, (await patiently(() => this.#log.bounds({ topic, partition }))).end);
    }
    this.#ends.set(topic, ends);
    return ends;
  }

  async #missing<P extends { readonly topic: string; readonly partition: number }>(places: readonly P[]): Promise<P[]> {
    const there = new Map<string, number>();
    const missing: P[] = [];
    for (const place of places) {
      const name = `${place.topic}-${place.partition}`;
      let come = there.get(name);
      if (come === undefined) {
        const before = (await this.#endsOf(place.topic)).get(place.partition) ?? 0;
        come = (await patiently(() => this.#log.bounds(place))).end - before;
      }
      if (come <= 0) missing.push(place);
      there.set(name, come - 1);
    }
    return missing;
  }
}

/** Tries again what fails for a while, as long as it takes. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await sleep(500);
    }
  }
}
