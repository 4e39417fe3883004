import type { Evse } from '../../../schemas/generated/station.ts';
import { evseOf, openChargeMapPlugs, unknownPlug, wattsOf } from '../connector-standards.ts';
import type { Plug } from '../connector-standards.ts';
import { csvTable, hasCsvHeader, readCsv } from '../csv-rows.ts';
import type { CsvRow, CsvTable } from '../csv-rows.ts';
import { dateOf } from '../dates.ts';
import { elementOf, jsonElements, readElements } from '../json-elements.ts';
import type { JsonElement } from '../json-elements.ts';
import type { ReferenceFile } from '../reference-file.ts';
import type { ReferenceRow, StationFacts, StationFormat } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';
import { timeZoneOf } from '../time-zone.ts';

const stationColumns = ['station_id', 'operator_id', 'usage_type_id', 'country_id'];
const unitColumns = ['connection_id', 'station_id', 'connection_type_id'];

/**
 * Open Charge Map: points of interest as its service gives them (JSON), or as two tables (stations and their units, CSV). Its
 * reference data (`reference.json`: operators, countries), given as one more file, fills in names for ids.
 */
export const openChargeMap: StationFormat = {
  kind: 'stations',
  name: 'openchargemap',
  title: 'Open Charge Map, points of interest',
  attribution: 'Open Charge Map contributors, CC BY-SA 4.0; some points have other providers and licences',
  recognises: (file) => kindOf(file) !== null,
  read: (files) => {
    const kinds = files.map((file) => ({ file, kind: kindOf(file) }));
    const names = namesOf(kinds.filter(({ kind }) => kind === 'reference').map(({ file }) => file));
    const units = kinds.filter(({ kind }) => kind === 'units').map(({ file }) => csvTable(file, unitColumns)).filter((table) => table !== null);
    const { byStation, rows } = unitsOf(units);
    const stations = kinds.flatMap(({ file, kind }) => {
      const table = kind === 'stations' ? csvTable(file, stationColumns) : null;
      if (table !== null) return readCsv(table, (row) => tableRow(row, file.name, names, byStation));
      if (kind === 'reference' || kind === 'units') return [];
      return readElements(jsonElements(file, 'openchargemap'), (element) => pointRow(element, names, element.list('Connections')));
    });
    return [...rows, ...stations];
  },
};

function kindOf(file: ReferenceFile): 'points' | 'stations' | 'units' | 'reference' | null {
  const head = file.text.slice(0, 2_000).trimStart();
  if (head.startsWith('[')) return /"AddressInfo"|"DataProvider(ID)?"/.test(head) ? 'points' : null;
  if (head.startsWith('{')) return /"ConnectionTypes"/.test(file.text) && /"Operators"/.test(file.text) ? 'reference' : null;
  if (hasCsvHeader(file, stationColumns)) return 'stations';
  return hasCsvHeader(file, unitColumns) ? 'units' : null;
}

interface Names {
  readonly operators: ReadonlyMap<number, string>;
  readonly countries: ReadonlyMap<number, string>;
}

function namesOf(files: readonly ReferenceFile[]): Names {
  const of = (list: string, field: string): ReadonlyMap<number, string> => new Map(files.flatMap((file) =>
    jsonElements(file, 'openchargemap', list).map((element) => [Number(element.at('ID')), element.text(field) ?? ''] as const)));
  return { operators: of('Operators', 'Title'), countries: of('Countries', 'ISOCode') };
}

/** The units of each station as the service writes connections; rows of no use are set aside. */
function unitsOf(tables: readonly CsvTable[]) {
  const byStation = new Map<string, Record<string, unknown>[]>();
  const rows = tables.flatMap((table) => readCsv<StationFacts>(table, (row) => {
    const station = row.needed('station_id');
    const number = (column: string): number | null => row.number(column, -1, 1e7);
    const connection = {
      ConnectionTypeID: number('connection_type_id'), CurrentTypeID: number('current_type_id'), PowerKW: row.number('power_kw', 0, 5_000),
      Quantity: row.number('quantity', 0, 1_000), StatusTypeID: number('status_type_id'),
    };
    byStation.set(station, [...byStation.get(station) ?? [], connection]);
    return { kind: 'other', file: table.file, line: row.line };
  }));
  return { byStation, rows };
}

function tableRow(row: CsvRow, file: string, names: Names, units: ReadonlyMap<string, readonly Record<string, unknown>[]>): ReferenceRow<StationFacts> {
  const point = {
    ID: row.needed('station_id'), OperatorID: row.text('operator_id'), UsageTypeID: row.text('usage_type_id'), StatusTypeID: row.text('status_type_id'),
    DateCreated: row.text('date_created'),
    AddressInfo: {
      Title: row.text('name'), AddressLine1: row.text('address'), Town: row.text('town'), StateOrProvince: row.text('state'),
      CountryID: row.text('country_id'), Latitude: row.needed('latitude'), Longitude: row.needed('longitude'),
    },
  };
  return pointRow(elementOf(file, row.line, point, ''), names, units.get(point.ID) ?? []);
}

/** Status types of stations that are not there: not operational, planned, removed, listed twice. */
const notInService: ReadonlySet<number> = new Set([100, 150, 200, 210]);

function pointRow(element: JsonElement, names: Names, connections: readonly Readonly<Record<string, unknown>>[]): ReferenceRow<StationFacts> {
  const { file, line } = element;
  const id = `openchargemap-${element.needed('ID')}`;
  const sourceMs = timeAt(element, 'DateLastStatusUpdate');
  if (notInService.has(element.number('StatusTypeID', -1, 1e6) ?? 0)) return { kind: 'closed', file, line, id, sourceMs };
  const country = element.text('AddressInfo.Country.ISOCode') ?? names.countries.get(Number(element.text('AddressInfo.CountryID'))) ?? null;
  const region = element.text('AddressInfo.StateOrProvince');
  const latitude = element.number('AddressInfo.Latitude', -90, 90);
  const longitude = element.number('AddressInfo.Longitude', -180, 180);
  return {
    kind: 'facts', file, line, id, sourceMs, sinceMs: timeAt(element, 'DateCreated'),
    facts: {
      stationId: id, siteId: id, name: element.text('AddressInfo.Title'),
      operator: element.text('OperatorInfo.Title') ?? names.operators.get(Number(element.text('OperatorID'))) ?? null,
      address: element.text('AddressInfo.AddressLine1'), city: element.text('AddressInfo.Town'), region, country, latitude, longitude,
      timeZone: timeZoneOf({ country, region, latitude, longitude }).zone, access: accessOf(element.number('UsageTypeID', -1, 1e6)),
      openAlways: /\b24\s*\/\s*7\b/.test(element.text('AddressInfo.AccessComments') ?? ''), openingHours: element.text('AddressInfo.AccessComments'),
      evses: evsesOf(connections),
    },
  };
}

function timeAt(element: JsonElement, path: string): number | null {
  const text = element.text(path);
  if (text === null) return null;
  const found = dateOf(text.replace(/\.\d+(?=Z?$)/, ''), 'UTC');
  if (found === null) throw new UnusableRow(path, `not a time: "${text}"`);
  return found;
}

/** Usage types: 2 and 6 private, 3 private with notice, the rest public (also unknown ones: the map is of public places). */
function accessOf(usage: number | null): StationFacts['access'] {
  return usage === 2 || usage === 6 ? 'private' : usage === 3 ? 'restricted' : 'public';
}

/** One charging place for each of a connection's quantity; no quantity, or nought, is one. */
function evsesOf(connections: readonly Readonly<Record<string, unknown>>[]): readonly Evse[] {
  const evses: Evse[] = [];
  for (const connection of connections) {
    const number = (name: string): number | null => numberAt(connection, name);
    const count = Math.max(1, number('Quantity') ?? 1);
    if (!Number.isInteger(count) || count > 1_000) throw new UnusableRow('Connections.Quantity', `not a count: ${count}`);
    const plug = plugOf(number('ConnectionTypeID'), number('CurrentTypeID'));
    for (let place = 0; place < count; place++) evses.push(evseOf(evses.length + 1, [plug], wattsOf(number('PowerKW'))));
  }
  return evses.length === 0 ? [{ evseId: 1, connectors: [] }] : evses;
}

function numberAt(connection: Readonly<Record<string, unknown>>, name: string): number | null {
  const found = connection[name] ?? null;
  if (found !== null && typeof found !== 'number') throw new UnusableRow(`Connections.${name}`, `not a number: ${JSON.stringify(found)}`);
  return found;
}

/** A direct current plug cannot be had by the entry's current alone, and some entries contradict themselves: the plug's nature goes before. */
function plugOf(type: number | null, current: number | null): Plug {
  const plug = (type === null ? undefined : openChargeMapPlugs[type]) ?? unknownPlug;
  const told = current === 30 ? 'DC' : current === 10 || current === 20 ? 'AC' : null;
  return { standard: plug.standard, current: plug.current ?? told };
}

