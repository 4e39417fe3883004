import { createHash } from 'node:crypto';
import { allegoPlugs, evseOf, germanPlugs, wattsOf } from '../connector-standards.ts';
import type { Plug } from '../connector-standards.ts';
import { hasCsvHeader, neededCsvTable, numberOf, readCsv } from '../csv-rows.ts';
import type { CsvRow, CsvTable } from '../csv-rows.ts';
import { dateIn } from '../dates.ts';
import { jsonElements, readElements } from '../json-elements.ts';
import type { JsonElement } from '../json-elements.ts';
import type { ReferenceFile } from '../reference-file.ts';
import type { FactsRow, ReferenceRow, StationFacts, StationFormat } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';

const columns = ['Betreiber', 'Inbetriebnahmedatum', 'Anzahl Ladepunkte'];
const zone = 'Europe/Berlin';

/** The register of public charging points of the German Bundesnetzagentur, in the forms of 2018, 2022 and since. */
export const bundesnetzagentur: StationFormat = {
  kind: 'stations',
  name: 'bundesnetzagentur',
  title: 'Charging register of the Bundesnetzagentur, Germany',
  attribution: 'Bundesnetzagentur.de, CC BY 4.0',
  recognises: (file) => hasCsvHeader(file, columns),
  read: (files) => withOwnIds(files.flatMap((file) => {
    const table = neededCsvTable(file, 'bundesnetzagentur', columns);
    const named = nameReader(table);
    return readCsv(table, (row) => registerRow(row, named, file.name));
  })),
};

/** The header's own name for a column that each edition writes otherwise: brackets, spaces, a misspelling. */
type NameOf = (name: string) => string;

function nameReader(table: CsvTable): NameOf {
  const plain = (name: string): string => name.replaceAll(/\[.*\]|\s/g, '').toLowerCase();
  const byPlain = new Map(table.header.map((name) => [plain(name), name] as const));
  return (name) => byPlain.get(plain(name)) ?? name;
}

function registerRow(row: CsvRow, named: NameOf, file: string): ReferenceRow<StationFacts> {
  const { line } = row;
  const operator = row.needed('Betreiber');
  const [postcode, city] = townOf(row);
  const address = row.text('Adresse') ?? ([row.text('Straße'), row.text('Hausnummer')].filter((part) => part !== null).join(' ') || null);
  const latitude = row.number(named('Breitengrad'), 47, 56);
  const longitude = row.number(named('Längengrad'), 5, 16);
  const sinceMs = dateIn(row, 'Inbetriebnahmedatum', zone);
  const ownId = row.text(named('Ladeeinrichtungs-ID'));
  const id = ownId === null ? signature(operator, address, postcode, latitude, longitude, sinceMs) : `bundesnetzagentur-${ownId}`;
  const status = row.text('Status');
  if (status !== null && /außer betrieb|in wartung nicht|stillgelegt/i.test(status)) return { kind: 'closed', file, line, id, sourceMs: null };
  const hours = row.text('Öffnungszeiten');
  return {
    kind: 'facts', file, line, id, sourceMs: null, sinceMs,
    facts: {
      stationId: id, siteId: `${postcode ?? ''} ${address ?? ''}`.trim() || null, name: row.text(named('Anzeigename (Karte)')), operator, address, city,
      region: row.text('Bundesland'), country: 'DE', latitude, longitude, timeZone: zone, access: 'public', openAlways: /^(247|24\/7)$/.test(hours ?? ''),
      openingHours: hours, evses: evsesOf(row, named),
    },
  };
}

function townOf(row: CsvRow): readonly [postcode: string | null, city: string | null] {
  const both = row.text('Postleitzahl Ort');
  if (both === null) return [row.text('Postleitzahl'), row.text('Ort')];
  const [, postcode = null, city = both] = /^(\d{5}) (.*)$/.exec(both) ?? [];
  return [postcode, city];
}

/** One pair of columns (plugs, power) a charging place, up to six of them; a place may have several plugs, of which one is in use. */
function evsesOf(row: CsvRow, named: NameOf): StationFacts['evses'] {
  const evses: StationFacts['evses'][number][] = [];
  for (let place = 1; place <= 6; place++) {
    const plugs = row.text(named(`Steckertypen${place}`));
    if (plugs === null) continue;
    const column = [`P${place}`, `Nennleistung Stecker${place}`].map(named).find((name) => row.text(name) !== null);
    evses.push(evseOf(evses.length + 1, plugs.split(/[,;]/).map((name) => plugOf(name.trim())), column === undefined ? null : powerOf(row, column)));
  }
  const count = row.number('Anzahl Ladepunkte', 1, 1_000) ?? evses.length;
  // A register entry may count more places than it describes.
  while (evses.length < count) evses.push({ evseId: evses.length + 1, connectors: [] });
  return evses;
}

function powerOf(row: CsvRow, column: string): number | null {
  const each = row.needed(column).split(/;/).map((text) => numberOf(column, text.trim(), 0, 5_000));
  return wattsOf(Math.max(...each));
}

function plugOf(name: string): Plug {
  const current = name.startsWith('DC') ? 'DC' : name.startsWith('AC') ? 'AC' : null;
  return germanPlugs[name.toLowerCase()] ?? { standard: null, current };
}

const unnumbered = 'bundesnetzagentur?';

/** The register's older editions have no ids: what does not change in the life of a station stands for it. */
function signature(...parts: readonly (string | number | null)[]): string {
  return `${unnumbered}${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)}`;
}

/** Numbers stations that share a signature (several at one site, put into service on one day) in an order that the file's does not matter for. */
function withOwnIds(rows: readonly ReferenceRow<StationFacts>[]): readonly ReferenceRow<StationFacts>[] {
  const facts = rows.filter((row): row is FactsRow<StationFacts> => row.kind === 'facts' && row.id.startsWith(unnumbered));
  const numbers = new Map<FactsRow<StationFacts>, number>();
  for (const group of Map.groupBy(facts, (row) => row.id).values()) {
    const sorted = group.map((row) => ({ row, text: JSON.stringify(row.facts) })).sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
    for (const [index, { row }] of sorted.entries()) numbers.set(row, index + 1);
  }
  return rows.map((row) => {
    const number = row.kind === 'facts' ? numbers.get(row) : undefined;
    if (row.kind !== 'facts' || number === undefined) return row;
    const id = `bundesnetzagentur-${row.id.slice(unnumbered.length)}-${number}`;
    return { ...row, id, facts: { ...row.facts, stationId: id } };
  });
}

/** The feed of a German operator: one connector an object. */
export const allego: StationFormat = {
  kind: 'stations',
  name: 'allego',
  title: 'Feed of Allego, one connector an entry',
  attribution: 'Allego',
  recognises: (file: ReferenceFile) => {
    const first = file.text.trimStart().startsWith('[') ? jsonElements(file, 'allego')[0] : undefined;
    return first !== undefined && 'connectortype' in first.value && 'chargetype' in first.value;
  },
  read: (files) => files.flatMap((file) => readElements(jsonElements(file, 'allego'), (element) => allegoRow(element, file.name))),
};

function allegoRow(element: JsonElement, file: string): ReferenceRow<StationFacts> {
  const id = `allego-${element.needed('id')}`;
  const country = element.text('country');
  const connector = element.needed('connectortype');
  const plug = allegoPlugs[connector] ?? { standard: null, current: null };
  if (country !== 'DE') throw new UnusableRow('country', `not a country of this feed: "${country ?? ''}"`);
  const power = wattsOf(element.number('power', 0, 1_000));
  return {
    kind: 'facts', file, line: element.line, id, sourceMs: null, sinceMs: null,
    facts: {
      stationId: id, siteId: id, name: element.text('name'), operator: element.text('owner'), address: null, city: element.text('city'), region: null, country,
      latitude: element.number('lat', -90, 90), longitude: element.number('lng', -180, 180), timeZone: zone, access: 'public', openAlways: false,
      openingHours: null, evses: [evseOf(1, [plug], power)],
    },
  };
}
