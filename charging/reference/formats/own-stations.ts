import { offsetSpan } from '../../cost/zone-offsets.ts';
import type { Connector, Evse } from '../../../schemas/generated/station.ts';
import { readElements } from '../json-elements.ts';
import type { JsonElement } from '../json-elements.ts';
import type { ReferenceRow, StationFormat, ToldStation } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';
import { flagIn, listOf, looksLikeJson, oneOf, ownElements, refuseOthers, validFromOf, wholeIn } from './own-json.ts';

const fields = [
  'stationId', 'siteId', 'name', 'operator', 'address', 'city', 'region', 'country', 'latitude', 'longitude', 'timeZone', 'access', 'openAlways',
  'openingHours', 'validFromMs', 'validFrom', 'evses', 'tariffId', 'registerScope', 'withdrawn',
];

/**
 * Stations as the topic has them, by the names of its schema: a JSON array, or one object a line. Fields that are not there stay as
 * they were, so that a tariff can be given to a station of a register.
 */
export const ownStations: StationFormat = {
  kind: 'stations',
  name: 'stations',
  title: 'Stations of your own, by the names of the topic',
  attribution: 'your own',
  recognises: (file) => looksLikeJson(file, ['"stationId"'], ['"eventId"', '"exclusion_id"']),
  read: (files) => files.flatMap((file) => {
    const { elements, bad } = ownElements(file, 'stations');
    return [...bad, ...readElements(elements, stationRow)];
  }),
};

function stationRow(element: JsonElement): ReferenceRow<ToldStation> {
  const { file, line } = element;
  refuseOthers(element, fields);
  const id = element.needed('stationId');
  const validFromMs = validFromOf(element);
  const place = { file, line, id, sourceMs: null, ...(validFromMs === undefined ? {} : { validFromMs }) };
  if (flagIn(element, 'withdrawn', false)) return { kind: 'closed', ...place };
  const country = element.text('country');
  if (country !== null && !/^[A-Z]{2}$/.test(country)) throw new UnusableRow('country', `not an ISO 3166-1 alpha-2 code: "${country}"`);
  const timeZone = element.text('timeZone');
  if (timeZone !== null && offsetSpan(timeZone, 0) === null) throw new UnusableRow('timeZone', `not an IANA time zone: "${timeZone}"`);
  const registerScope = oneOf(element, 'registerScope', ['lifetime', 'session']);
  const all: ToldStation = {
    stationId: id, siteId: element.text('siteId') ?? id, name: element.text('name'), operator: element.text('operator'), address: element.text('address'),
    city: element.text('city'), region: element.text('region'), country, latitude: element.number('latitude', -90, 90),
    longitude: element.number('longitude', -180, 180), access: oneOf(element, 'access', ['public', 'private', 'restricted']) ?? 'public',
    openAlways: flagIn(element, 'openAlways', false), openingHours: element.text('openingHours'), evses: evsesOf(element), tariffId: element.text('tariffId'),
    ...(timeZone === null ? {} : { timeZone }), ...(registerScope === null ? {} : { registerScope }),
  };
  // What is not spoken of stays as it was; null takes it away.
  const facts = Object.fromEntries(Object.entries(all).filter(([field]) => field in element.value)) as unknown as ToldStation;
  return { kind: 'facts', ...place, sinceMs: null, facts };
}

function evsesOf(element: JsonElement): readonly Evse[] {
  const evses = listOf(element, 'evses', (evse): Evse => {
    refuseOthers(evse, ['evseId', 'connectors']);
    const connectors = listOf(evse, 'connectors', connectorOf);
    return { evseId: wholeIn('evseId', evse.needed('evseId'), 1, 1_000_000), connectors: distinct(connectors, ({ connectorId }) => connectorId, 'connectors') };
  });
  return distinct(evses, ({ evseId }) => evseId, 'evses');
}

function connectorOf(connector: JsonElement): Connector {
  refuseOthers(connector, ['connectorId', 'standard', 'current', 'powerMaxW']);
  return {
    connectorId: wholeIn('connectorId', connector.needed('connectorId'), 1, 1_000_000), standard: connector.text('standard'),
    current: oneOf(connector, 'current', ['AC', 'DC']), powerMaxW: connector.number('powerMaxW', 0, 5_000_000),
  };
}

function distinct<T>(all: readonly T[], numberOf: (one: T) => number, path: string): readonly T[] {
  const numbers = new Set(all.map(numberOf));
  if (numbers.size < all.length) throw new UnusableRow(path, 'a number occurs twice');
  return all;
}
