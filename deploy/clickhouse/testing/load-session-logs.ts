import { charging } from '../../../charging/testing/events.ts';
import { clickhouse, leftJoinTable, Topology } from '../../../charging/engine.ts';
import { priceSessions } from '../../../charging/cost/price-sessions.ts';
import { tariffsTopic } from '../../../charging/reference/reference-topics.ts';
import { stationVersionRow, stationVersionsTable } from '../../../charging/reference/station-version-row.ts';
import { reasonToSetAside } from '../../../charging/session-event.ts';
import type { SessionEvent } from '../../../charging/session-event.ts';
import { expandSessionLog } from '../../../charging/session-log/expand.ts';
import type { SessionLogMapping, SessionLogRow } from '../../../charging/session-log/mapping.ts';
import { readSessionLogs } from '../../../charging/session-log/read-session-log.ts';
import { stationsOf } from '../../../charging/session-log/stations.ts';
import { sessionsTable, sessionTableRow } from '../../../charging/session-tables.ts';
import { stitchSessions } from '../../../charging/stitching/stitch-sessions.ts';
import { PieceDelivery } from '../../../runtime/sinks/clickhouse/delivery.ts';
import { rowEncoder } from '../../../runtime/sinks/clickhouse/row-binary.ts';
import { RowBuffer, writeRowVersion } from '../../../runtime/sinks/clickhouse/row-buffer.ts';
import { sealedPiece } from '../../../runtime/sinks/clickhouse/sealed-piece.ts';
import type { Warehouse } from '../../../runtime/sinks/warehouse.ts';
import { TopologyTestDriver } from '../../../runtime/testing/index.ts';
import { utf8 } from '../../../schemas/builtin-codecs.ts';
import { chargingEvent } from '../../../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../../../schemas/generated/charging-event.ts';
import { station } from '../../../schemas/generated/station.ts';
import type { Station } from '../../../schemas/generated/station.ts';
import type { Tariff } from '../../../schemas/generated/tariff.ts';
import type { ColumnType, ColumnValue, TableDefinition } from '../../../topology/sink.ts';

/** Session logs of one source. */
export interface LogToLoad {
  readonly files: readonly string[];
  readonly mapping: SessionLogMapping;
}

type AnyRow = Readonly<Record<string, ColumnValue>>;

/** Sends session logs through the steps that make sessions of them, and their rows into ClickHouse. Session logs know no tariffs: `tariffOf` names each station's. */
export async function loadSessionLogs(
  warehouse: Warehouse, database: string, logs: readonly LogToLoad[], tariffs: readonly Tariff[], tariffOf: (station: Station) => string | null,
): Promise<void> {
  const driver = new TopologyTestDriver(sessionsTopology(database), { commit: 'manual' });
  for (const tariff of tariffs) driver.push(tariffsTopic, tariff.tariffId, tariff, tariff.validFromMs);
  const sessions: AnyRow[] = [];
  const versions: AnyRow[] = [];
  const drain = (): void => {
    driver.commit();
    for (const { value } of driver.take<string, AnyRow>('charging_sessions')) sessions.push(value);
  };
  for (const log of logs) {
    const rows: SessionLogRow[] = [];
    for await (const row of readSessionLogs(log.files, log.mapping)) if (row.kind === 'row') rows.push(row);
    for (const place of stationsOf(rows, log.mapping)) {
      const priced = { ...place, tariffId: tariffOf(place) };
      driver.push('stations', place.stationId, priced, place.validFromMs);
      versions.push(stationVersionRow(priced) as AnyRow);
    }
    let events = 0;
    for (const event of expandSessionLog(rows, log.mapping)) {
      // Times that nobody can believe are set aside in front of these steps.
      if (reasonToSetAside(event) !== null) continue;
      driver.push('events', event.stationId, event, event.timestampMs);
      if (++events % 20_000 === 0) drain();
    }
    // Nothing more is heard for months: what has no stop is closed.
    const lastMs = Math.max(...rows.map(({ startMs, stopMs }) => Math.max(startMs ?? 0, stopMs ?? 0)));
    for (const stationId of new Set(rows.map((row) => row.stationId))) driver.push('events', stationId, charging({ type: 'Heartbeat', stationId, timestampMs: lastMs + 100 * 86_400_000 }), lastMs);
    drain();
  }
  await insertRows(warehouse, sessionsTable(database) as unknown as TableDefinition<AnyRow>, sessions);
  await insertRows(warehouse, stationVersionsTable(database) as unknown as TableDefinition<AnyRow>, versions);
}

function sessionsTopology(database: string): Topology {
  const topology = new Topology('sessions');
  const stations = topology.table<string, Station>(
    'stations', { key: utf8, value: station, timestampOf: (value) => value.validFromMs }, { historyMs: 50 * 365 * 86_400_000 },
  );
  const stitched = topology
    .stream<string, ChargingEvent>('events', { key: utf8, value: chargingEvent, timestampOf: (event) => event.timestampMs })
    .pipe(
      leftJoinTable('with-station', stations, (event: ChargingEvent, found: Station | null): SessionEvent => ({ ...event, station: found, clock: 'device' })),
      stitchSessions('sessions', null),
    );
  priceSessions(topology, stitched).to(clickhouse(sessionsTable(database), sessionTableRow));
  return topology;
}

/** Rows by partition, a later one of the same key above an earlier one. */
export async function insertRows(warehouse: Warehouse, table: TableDefinition<AnyRow>, rows: readonly AnyRow[]): Promise<void> {
  const encode = rowEncoder<Record<string, ColumnValue>>(table.columns as Readonly<Record<string, ColumnType>>);
  const buffer = new RowBuffer();
  const partitions = new Map<string, Uint8Array[]>();
  for (const [ordinal, row] of rows.entries()) {
    encode(row as Record<string, ColumnValue>, buffer);
    writeRowVersion(buffer, 1, ordinal);
    const partition = table.partitionOf(row);
    const known = partitions.get(partition);
    if (known === undefined) partitions.set(partition, [buffer.take()]);
    else known.push(buffer.take());
  }
  const delivery = new PieceDelivery({ warehouse, table: table as never });
  let piece = 0;
  for (const [partition, encoded] of partitions) {
    const hash = new Uint8Array(16);
    new DataView(hash.buffer).setUint32(0, ++piece);
    await delivery.deliver([sealedPiece(partition, encoded, hash)], { mayBePresent: false });
  }
}
