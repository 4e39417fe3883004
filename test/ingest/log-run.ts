import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogProducer, OutboundRecord } from '../../charging/engine.ts';
import { deduplicate, leftJoinTable, logTopic, Topology } from '../../charging/engine.ts';
import { ingestSessionLog } from '../../charging/ingest/ingest-session-log.ts';
import type { SessionLogIngest, SessionLogOutcome } from '../../charging/ingest/ingest-session-log.ts';
import type { LoadChange } from '../../charging/load/load-change.ts';
import type { SessionEvent } from '../../charging/session-event.ts';
import type { SessionLogMapping } from '../../charging/session-log/mapping.ts';
import { mappingOf } from '../../charging/session-log/mapping-form.ts';
import { charging } from '../../charging/testing/events.ts';
import type { SessionRow } from '../../charging/stitching/session-row.ts';
import { stitchSessions } from '../../charging/stitching/stitch-sessions.ts';
import { chargingTopics } from '../../charging/topics.ts';
import type { HourTableRow } from '../../charging/load/load-tables.ts';
import type { LateTableRow, SessionTableRow } from '../../charging/tables.ts';
import { chargingTopology, eventsTopic, stationsTopic } from '../../charging/topology.ts';
import { MemoryLog } from '../../runtime/log/memory-log.ts';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { FileRegistry } from '../../schemas/file-registry.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { station } from '../../schemas/generated/station.ts';
import type { Station } from '../../schemas/generated/station.ts';

export const logMapping: SessionLogMapping = mappingOf({
  name: 'boxes', zone: 'UTC', outlet: { current: 'AC', powerMaxW: 11_000 },
  columns: {
    id: 'Nr', station: 'Box', connector: 'Plug', start: { column: 'From', format: 'YYYY-MM-DDTHH:mm:ss.*' },
    stop: { column: 'To', format: 'YYYY-MM-DDTHH:mm:ss.*' }, energy: { column: 'Wh', unit: 'Wh' },
  },
}, 'boxes');

export interface LogLine {
  readonly id: number;
  readonly station: string;
  readonly connector: number;
  readonly startMs: number;
  readonly stopMs: number | null;
  readonly energyWh: number | null;
}

export interface Interruption {
  /** The append that fails, from 0. */
  readonly append: number;
  /** Whether the log has taken it all the same. */
  readonly taken: boolean;
}

/** Files and schemas of runs; they may share it. */
export class LogRunPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'ingest-'));
  readonly registry = new FileRegistry({ folder: this.folder });

  async close(): Promise<void> {
    await this.registry.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A log in memory that session logs are ingested into, and what becomes of it. */
export class LogRun {
  readonly #folder: string;
  readonly #registry: FileRegistry;
  readonly log = new MemoryLog();

  private constructor({ folder, registry }: LogRunPlace) {
    this.#folder = folder;
    this.#registry = registry;
  }

  static async open(place: LogRunPlace): Promise<LogRun> {
    const run = new LogRun(place);
    await run.log.open();
    await run.log.createTopics(chargingTopics(1));
    return run;
  }

  close(): Promise<void> {
    return this.log.close();
  }

  /** Null: it was interrupted. */
  async ingest(files: readonly (readonly LogLine[])[], interruption: Interruption | null = null, options: Partial<SessionLogIngest> = {}): Promise<SessionLogOutcome | null> {
    const paths = files.map((lines, index) => {
      const path = join(this.#folder, `log-${index}.csv`);
      writeFileSync(path, `Nr,Box,Plug,From,To,Wh\n${lines.map((line) => `${textOf(line)}\n`).join('')}`);
      return path;
    });
    const producer = await this.log.producer();
    try {
      return await ingestSessionLog({
        mapping: logMapping, registry: this.#registry, log: this.log, nowMs: () => 1, appendRecordsMax: 5, ...options, files: paths,
        producer: interruption === null ? producer : failing(producer, interruption),
      });
    } catch (error) {
      if (error instanceof Error && error.message === 'killed') return null;
      throw error;
    }
  }

  async events(): Promise<readonly ChargingEvent[]> {
    const reader = this.#registry.reader(chargingEvent);
    return this.#read(eventsTopic, async (value) => {
      await reader.load(Buffer.from(value).readInt32BE(1));
      return reader.decode(value);
    });
  }

  async stations(): Promise<readonly Station[]> {
    const reader = this.#registry.reader(station);
    return this.#read(stationsTopic, async (value) => {
      await reader.load(Buffer.from(value).readInt32BE(1));
      return reader.decode(value);
    });
  }

  /** What the sessions make of all that is in the log, at last heard of at `overMs`. */
  async stitched(overMs = 0): Promise<Stitched> {
    const driver = new TopologyTestDriver(stitchTopology(), { commit: 'manual' });
    for (const one of await this.stations()) driver.push(stationsTopic, one.stationId, one, one.validFromMs);
    const events = await this.events();
    for (const event of events) driver.push(eventsTopic, event.stationId, event, event.timestampMs);
    // Long after the log's end what never stopped is over, too.
    for (const [stationId, [event]] of Map.groupBy(events, (one) => one.stationId)) {
      if (event !== undefined && overMs > 0) driver.push(eventsTopic, stationId, charging({ type: 'Heartbeat', stationId, timestampMs: overMs }), overMs);
    }
    driver.commit();
    const take = <V>(topic: string): readonly V[] => driver.take<string, V>(topic).map(({ value }) => value);
    const rows = take<SessionRow>('rows');
    return { rows, last: new Map(rows.map((row) => [row.sessionId, row])), load: take<LoadChange>('load'), late: take<SessionEvent>('late') };
  }

  /** The same in the whole product: rows of its tables, and what they sum up to. */
  async product(): Promise<Product> {
    const driver = new TopologyTestDriver(chargingTopology(), { commit: 'manual' });
    for (const one of await this.stations()) driver.push(stationsTopic, one.stationId, one, one.validFromMs);
    const events = await this.events();
    for (const event of events) driver.push(eventsTopic, event.stationId, event, event.timestampMs);
    // The windows of the last day close.
    const overMs = events.reduce((highest, event) => Math.max(highest, event.timestampMs), 0) + 5 * 86_400_000;
    for (const stationId of new Set(events.map((event) => event.stationId))) {
      driver.push(eventsTopic, stationId, charging({ type: 'Heartbeat', stationId, timestampMs: overMs }), overMs);
    }
    driver.commit();
    const take = <Row>(sink: string): readonly Row[] => driver.take<unknown, Row>(sink).map(({ value }) => value);
    const sessions = take<SessionTableRow>('charging_sessions');
    const late = take<LateTableRow>('late_records');
    const hours = new Map(take<HourTableRow>('station_hours').map((row) => [`${row.station_id} ${row.hour}`, row]));
    const sum = <Row>(rows: Iterable<Row>, of: (row: Row) => number): number => [...rows].reduce((total, row) => total + of(row), 0);
    const lastOf = new Map(sessions.map((row) => [row.session_id, row]));
    return {
      sessions, late, loadMilliWh: sum(hours.values(), (row) => Number(row.energy_milli_wh)),
      hours: new Map([...hours].filter(([, row]) => Number(row.energy_milli_wh) !== 0 || Number(row.occupied_ms) !== 0).sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, row]): [string, LoadOfHour] => [key, [Number(row.energy_milli_wh), Number(row.occupied_ms), Number(row.charging_ms), row.minutes_energy_milli_wh]])),
      lateMilliWh: sum(late, (row) => Math.round(Number(row.energy_wh) * 1000)),
      sessionMilliWh: sum(lastOf.values(), (row) => Math.round(Number(row.energy_wh ?? 0) * 1000)),
    };
  }

  async #read<V>(topic: string, decode: (value: Uint8Array) => Promise<V>): Promise<readonly V[]> {
    const place = { topic, partition: 0 };
    const { start, end } = await this.log.bounds(place);
    const all: V[] = [];
    if (start === end) return all;
    for await (const batch of this.log.read(place, start, end)) {
      for (const { value } of batch.records) if (value !== null) all.push(await decode(value));
    }
    return all;
  }
}

export interface Stitched {
  readonly rows: readonly SessionRow[];
  readonly last: ReadonlyMap<string, SessionRow>;
  readonly load: readonly LoadChange[];
  readonly late: readonly SessionEvent[];
}

type LoadOfHour = readonly [milliWh: number, occupiedMs: number, chargingMs: number, milliWhByMinute: unknown];

export interface Product {
  readonly sessions: readonly SessionTableRow[];
  readonly late: readonly LateTableRow[];
  /** Last row of each hour that is not empty: energy, occupied and charging time, energy by minute. */
  readonly hours: ReadonlyMap<string, LoadOfHour>;
  readonly loadMilliWh: number;
  readonly lateMilliWh: number;
  readonly sessionMilliWh: number;
}

function textOf({ id, station: box, connector, startMs, stopMs, energyWh }: LogLine): string {
  const time = (ms: number | null): string => (ms === null ? '' : new Date(ms).toISOString());
  return [id, box, connector, time(startMs), time(stopMs), energyWh ?? ''].join(',');
}

/** Dies at an append, before or behind it. */
function failing(producer: LogProducer, interruption: Interruption): LogProducer {
  let appends = 0;
  return {
    append: async (records: readonly OutboundRecord[], mark) => {
      const last = appends === interruption.append;
      appends += 1;
      if (!last || interruption.taken) await producer.append(records, mark);
      if (last) throw new Error('killed');
    },
    mark: (writer) => producer.mark(writer),
    close: () => producer.close(),
  };
}

function stitchTopology(): Topology {
  const topology = new Topology('stitch');
  const stations = topology.table<string, Station>(
    stationsTopic, { key: utf8, value: json<Station>('station'), timestampOf: (value) => value.validFromMs }, { historyMs: 1e13 },
  );
  const sessions = topology
    .stream<string, ChargingEvent>(eventsTopic, { key: utf8, value: json<ChargingEvent>('event'), timestampOf: (event: ChargingEvent) => event.timestampMs })
    .pipe(
      deduplicate('once', { by: (event: ChargingEvent) => event.eventId, withinMs: 86_400_000, timeScope: 'key' }),
      leftJoinTable('with-station', stations, (event: ChargingEvent, found: Station | null): SessionEvent => ({ ...event, station: found, clock: 'device' })),
      stitchSessions('sessions', stations.toStream()),
    );
  sessions.to(logTopic('rows', { key: utf8, value: json<SessionRow>('row') }));
  sessions.side<string, LoadChange>('load').to(logTopic('load', { key: utf8, value: json<LoadChange>('load') }));
  sessions.side<string, SessionEvent>('late').to(logTopic('late', { key: utf8, value: json<SessionEvent>('event') }));
  return topology;
}
