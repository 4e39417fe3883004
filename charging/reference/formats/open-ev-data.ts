import { dateOf } from '../dates.ts';
import { elementOf, isObject, jsonElements, readElements } from '../json-elements.ts';
import type { JsonElement } from '../json-elements.ts';
import type { ReferenceFile } from '../reference-file.ts';
import type { BadRow, ReferenceRow, VehicleFacts, VehicleFormat } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';
import { wattsOf } from '../connector-standards.ts';

/** Vehicles of the first open EV data set: one JSON object with `data`, charge curves included. */
export const openEvData: VehicleFormat = {
  kind: 'vehicles',
  name: 'open-ev-data',
  title: 'Open EV Data (Chargeprice)',
  attribution: 'Chargeprice, MIT',
  recognises: (file) => /^\s*\{\s*"data"\s*:/.test(file.text) && file.text.includes('"usable_battery_size"'),
  read: (files) => files.flatMap((file) => {
    const sourceMs = updatedAt(file);
    return distinct(readElements(jsonElements(file, 'open-ev-data', 'data'), (element) => chargepriceRow(element, sourceMs)));
  }),
};

function updatedAt(file: ReferenceFile): number | null {
  const [, text] = /"updated_at"\s*:\s*"([^"]+)"/.exec(file.text) ?? [];
  return text === undefined ? null : dateOf(text, 'UTC');
}

function chargepriceRow(element: JsonElement, sourceMs: number | null): ReferenceRow<VehicleFacts> {
  const year = element.number('release_year', 1990, 2100);
  const model = [element.needed('brand'), element.needed('model'), element.text('variant'), year].filter((part) => part !== null).join(' ');
  const curve = element.list('dc_charger.charging_curve').map((point) => ({ soc: Number(point['percentage']), powerW: Number(point['power']) * 1_000 }));
  if (curve.some(({ soc, powerW }) => !(soc >= 0 && soc <= 100 && powerW >= 0))) throw new UnusableRow('dc_charger.charging_curve', 'a point is out of range');
  return {
    kind: 'facts', file: element.file, line: element.line, id: model, sourceMs, sinceMs: year === null ? null : Date.UTC(year, 0, 1),
    facts: {
      model, vehicleClass: element.text('vehicle_type'), batteryWh: wattsOf(element.number('usable_battery_size', 0, 2_000)),
      acPowerMaxW: wattsOf(element.number('ac_charger.max_power', 0, 100)), dcPowerMaxW: wattsOf(element.number('dc_charger.max_power', 0, 5_000)),
      chargeCurve: curve.sort((a, b) => a.soc - b.soc),
    },
  };
}

/** Vehicles of the layered data set: one source file a line, of which `base.json` and the year's main file are part of others. */
export const openEvDataset: VehicleFormat = {
  kind: 'vehicles',
  name: 'open-ev-dataset',
  title: 'Open EV Data, layered data set (2025)',
  attribution: 'open-ev-data-dataset, CDLA-Permissive-2.0',
  recognises: (file) => /^\s*\{"_path":\s*"src\//.test(file.text),
  read: (files) => files.flatMap((file) => distinct(layeredRows(file))),
};

function layeredRows(file: ReferenceFile): readonly ReferenceRow<VehicleFacts>[] {
  const bad: BadRow[] = [];
  const elements = file.text.split('\n').flatMap((raw, index): JsonElement[] => {
    if (raw.trim() === '') return [];
    try {
      const value: unknown = JSON.parse(raw);
      if (isObject(value) && typeof value['_path'] === 'string') return [elementOf(file.name, index + 1, value, raw)];
      bad.push({ kind: 'bad', file: file.name, line: index + 1, column: '_path', reason: 'it is missing', raw });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      bad.push({ kind: 'bad', file: file.name, line: index + 1, column: '', reason: error.message, raw });
    }
    return [];
  });
  const byPath = new Map(elements.map((element) => [element.needed('_path'), element] as const));
  const rows = readElements(elements, (element) => layeredRow(element, byPath));
  return [...bad, ...rows];
}

function layeredRow(element: JsonElement, byPath: ReadonlyMap<string, JsonElement>): ReferenceRow<VehicleFacts> {
  const { file, line } = element;
  const parts = element.needed('_path').split('/');
  const name = parts.at(-1) ?? '';
  if (name === 'base.json') return { kind: 'other', file, line };
  const [, brandFolder = '', modelFolder = '', yearFolder = ''] = parts;
  const layers = [byPath.get(`src/${brandFolder}/${modelFolder}/base.json`)];
  // A variant without a year of its own stands on the year's main file, which bears the model's name.
  if (element.at('year') === undefined) layers.push(byPath.get(`src/${brandFolder}/${modelFolder}/${yearFolder}/${modelFolder}.json`));
  const merged = layers.reduceRight<unknown>((upper, layer) => (layer === undefined ? upper : layered(layer.value, upper)), element.value);
  const whole = elementOf(file, line, isObject(merged) ? merged : {}, element.raw);
  const year = whole.number('year', 1990, 2100) ?? Number(yearFolder);
  const model = [whole.needed('make.name'), whole.needed('model.name'), ownName(whole, 'variant'), ownName(whole, 'trim'), year]
    .filter((part, index, all) => part !== null && part !== all[index - 1]).join(' ');
  const battery = whole.number('battery.pack_capacity_kwh_net', 0, 2_000) ?? whole.number('battery.pack_capacity_kwh_gross', 0, 2_000);
  return {
    kind: 'facts', file, line, id: model, sourceMs: null, sinceMs: Date.UTC(year, 0, 1),
    facts: {
      model, vehicleClass: whole.text('vehicle_type'), batteryWh: wattsOf(battery), acPowerMaxW: wattsOf(whole.number('charging.ac.max_power_kw', 0, 100)),
      dcPowerMaxW: wattsOf(whole.number('charging.dc.max_power_kw', 0, 5_000)), chargeCurve: [],
    },
  };
}

function ownName(element: JsonElement, part: string): string | null {
  const name = element.text(`${part}.name`);
  return name === 'Base' ? null : name;
}

/** The upper object over the lower one, field by field. */
function layered(lower: unknown, upper: unknown): unknown {
  if (!isObject(lower) || !isObject(upper)) return upper ?? lower;
  const fields = new Set([...Object.keys(lower), ...Object.keys(upper)]);
  return Object.fromEntries([...fields].map((field) => [field, layered(lower[field], upper[field])]));
}

/** Records of one model that say the same are one; of others the names get a number, by content, so that the file's order does not matter. */
function distinct(rows: readonly ReferenceRow<VehicleFacts>[]): readonly ReferenceRow<VehicleFacts>[] {
  const texts = new Map<string, string[]>();
  for (const row of rows) {
    if (row.kind !== 'facts') continue;
    const all = texts.get(row.id) ?? [];
    const text = JSON.stringify(row.facts);
    if (!all.includes(text)) texts.set(row.id, [...all, text].sort());
  }
  const seen = new Set<string>();
  return rows.map((row) => {
    if (row.kind !== 'facts') return row;
    const text = JSON.stringify(row.facts);
    const number = texts.get(row.id)?.indexOf(text) ?? 0;
    if (seen.has(`${row.id}\n${text}`)) return { kind: 'other', file: row.file, line: row.line };
    seen.add(`${row.id}\n${text}`);
    const id = number === 0 ? row.id : `${row.id} (${number + 1})`;
    return { ...row, id, facts: { ...row.facts, model: id } };
  });
}
