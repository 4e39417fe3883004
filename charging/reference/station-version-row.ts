import type { Station } from '../../schemas/generated/station.ts';
import type { ColumnType, TableDefinition } from '../engine.ts';
import { text } from '../table-columns.ts';
import type { TableRow } from '../table-columns.ts';

const columns = {
  station_id: 'String', valid_from: "DateTime64(3, 'UTC')", withdrawn: 'Bool', site_id: 'String', name: 'Nullable(String)', operator: text,
  address: 'Nullable(String)', city: text, region: text, country: text, latitude: 'Nullable(Float64)', longitude: 'Nullable(Float64)', time_zone: text,
  access: text, open_always: 'Bool', opening_hours: 'Nullable(String)', tariff_id: 'LowCardinality(Nullable(String))', register_scope: text,
  charging_places: 'UInt32', connector_places: 'Array(Int32)', connector_numbers: 'Array(Int32)', connector_standards: `Array(${text})`,
  connector_currents: `Array(${text})`, connector_powers_w: 'Array(Nullable(Float64))',
} as const satisfies Readonly<Record<string, ColumnType>>;

export type StationVersionTableRow = TableRow<typeof columns>;

/** The table of all versions of stations, as `deploy/clickhouse/` creates it. */
export function stationVersionsTable(database: string): TableDefinition<StationVersionTableRow> {
  return { database, table: 'station_versions', columns, partitionOf: () => '' };
}

/** A version of a station as a row; its connectors lie side by side in arrays, without a text where nothing is known. */
export function stationVersionRow(station: Station): StationVersionTableRow {
  const connectors = station.evses.flatMap(({ evseId, connectors: own }) => own.map((connector) => ({ evseId, ...connector })));
  return {
    station_id: station.stationId, valid_from: Math.min(Math.max(Math.trunc(station.validFromMs), 0), Date.UTC(2200, 0, 1)),
    withdrawn: station.evses.length === 0, site_id: station.siteId ?? '', name: station.name, operator: station.operator ?? '', address: station.address,
    city: station.city ?? '', region: station.region ?? '', country: station.country ?? '', latitude: station.latitude, longitude: station.longitude,
    time_zone: station.timeZone, access: station.access, open_always: station.openAlways, opening_hours: station.openingHours, tariff_id: station.tariffId,
    register_scope: station.registerScope, charging_places: station.evses.length, connector_places: connectors.map(({ evseId }) => evseId),
    connector_numbers: connectors.map(({ connectorId }) => connectorId), connector_standards: connectors.map(({ standard }) => standard ?? ''),
    connector_currents: connectors.map(({ current }) => current ?? ''), connector_powers_w: connectors.map(({ powerMaxW }) => powerMaxW),
  };
}
