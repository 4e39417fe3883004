import { minorUnitDigits } from '../../cost/currencies.ts';
import type { TariffRate } from '../../../schemas/generated/tariff.ts';
import { csvTable, hasCsvHeader, neededCsvTable, readCsv } from '../csv-rows.ts';
import type { CsvRow } from '../csv-rows.ts';
import { readElements } from '../json-elements.ts';
import type { JsonElement } from '../json-elements.ts';
import type { ReferenceFile } from '../reference-file.ts';
import type { ReferenceRow, TariffFacts, TariffFormat } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';
import { listOf, looksLikeJson, ownElements, refuseOthers, timeIn, validFromOf, wholeIn } from './own-json.ts';

const columns = ['tariff_id', 'currency', 'energy_per_kwh'];
const intMax = 2 ** 31 - 1;

/**
 * Tariffs as a table or as JSON (an array, or one object a line), with prices in the currency's unit: `0.39`. Several versions of a tariff
 * stand side by side, each with the time from which it holds. A tariff of which one rate cannot be read is set aside as a whole:
 * without it, its prices would be wrong.
 */
export const ownTariffs: TariffFormat = {
  kind: 'tariffs',
  name: 'tariffs',
  title: 'Tariffs of your own, as a table or JSON',
  attribution: 'your own',
  recognises: (file) => looksLikeJson(file, ['"tariffId"', '"currency"'], ['"stationId"']) || hasCsvHeader(file, columns),
  read: (files) => files.flatMap((file) => {
    if (csvTable(file, columns) !== null) return tableRows(file);
    const { elements, bad } = ownElements(file, 'tariffs');
    return [...bad, ...readElements(elements, jsonRow)];
  }),
};

/** How a text of a tariff is found by the name of its field, in a table or in JSON. */
interface Texts {
  text(field: string): string | null;
  needed(field: string): string;
}

interface FieldNames {
  readonly currency: string;
  readonly startFee: string;
  readonly energyPerKwh: string;
  readonly chargingPerMinute: string;
  readonly idlePerMinute: string;
  readonly idleFreeMinutes: string;
  readonly energyStepWh: string;
  readonly timeStepSeconds: string;
}

const jsonNames: FieldNames = {
  currency: 'currency', startFee: 'startFee', energyPerKwh: 'energyPerKwh', chargingPerMinute: 'chargingPerMinute', idlePerMinute: 'idlePerMinute',
  idleFreeMinutes: 'idleFreeMinutes', energyStepWh: 'energyStepWh', timeStepSeconds: 'timeStepSeconds',
};
const tableNames: FieldNames = {
  currency: 'currency', startFee: 'start_fee', energyPerKwh: 'energy_per_kwh', chargingPerMinute: 'charging_per_minute', idlePerMinute: 'idle_per_minute',
  idleFreeMinutes: 'idle_free_minutes', energyStepWh: 'energy_step_wh', timeStepSeconds: 'time_step_seconds',
};

function factsOf(tariffId: string, row: Texts, names: FieldNames, rates: readonly TariffRate[]): TariffFacts {
  const currency = row.needed(names.currency);
  if (minorUnitDigits(currency) === undefined) throw new UnusableRow(names.currency, `not a currency of ISO 4217: "${currency}"`);
  const whole = (field: string, lowest: number): number => wholeIn(field, row.text(field) ?? String(lowest), lowest, intMax);
  return {
    tariffId, currency, startFeeMicro: priceIn(row, names.startFee) ?? 0, energyPerKwhMicro: priceIn(row, names.energyPerKwh) ?? 0,
    chargingPerMinuteMicro: priceIn(row, names.chargingPerMinute) ?? 0, idlePerMinuteMicro: priceIn(row, names.idlePerMinute) ?? 0,
    idleFreeMinutes: whole(names.idleFreeMinutes, 0), energyStepWh: whole(names.energyStepWh, 1), timeStepSeconds: whole(names.timeStepSeconds, 1), rates,
  };
}

function rateOf(row: Texts, names: FieldNames, weekdays: readonly number[]): TariffRate {
  return {
    fromMinute: minuteIn('from', row.needed('from')) % 1440, toMinute: minuteIn('to', row.needed('to')) || 1440, weekdays,
    energyPerKwhMicro: priceIn(row, names.energyPerKwh), chargingPerMinuteMicro: priceIn(row, names.chargingPerMinute),
    idlePerMinuteMicro: priceIn(row, names.idlePerMinute),
  };
}

/** A price in the currency's unit as millionths, or null when there is none: by its digits, since a product with a million need not be exact. */
export function microOf(column: string, text: string): number {
  const [, whole = '', part = ''] = /^(\d{1,9})(?:[.,](\d{1,6}))?$/.exec(text) ?? [];
  if (whole === '') throw new UnusableRow(column, `not a price with at most six digits behind the point: "${text}"`);
  return Number(whole) * 1_000_000 + Number(part.padEnd(6, '0'));
}

function priceIn(row: Texts, field: string): number | null {
  const text = row.text(field);
  return text === null ? null : microOf(field, text);
}

/** Minutes of the day from `HH:MM`, 24:00 among them. */
export function minuteIn(column: string, text: string): number {
  const [, hour = '', minute = ''] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  if (hour === '' || Number(minute) > 59 || minutes > 1440) throw new UnusableRow(column, `not a time of the day such as 17:30: "${text}"`);
  return minutes;
}

const weekdayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** ISO weekdays, 1 = Monday, from numbers or the first letters of English names. */
export function weekdaysIn(column: string, texts: readonly string[]): readonly number[] {
  const days = texts.map((text) => {
    const day = /^[1-7]$/.test(text) ? Number(text) : weekdayNames.findIndex((name) => text.toLowerCase().startsWith(name)) + 1;
    if (day === 0) throw new UnusableRow(column, `not a weekday: "${text}"`);
    return day;
  });
  return [...new Set(days)].sort();
}

const jsonFields = ['tariffId', ...Object.values(jsonNames), 'rates', 'validFrom', 'validFromMs'];
const rateFields = ['from', 'to', 'weekdays', 'energyPerKwh', 'chargingPerMinute', 'idlePerMinute'];

function jsonRow(element: JsonElement): ReferenceRow<TariffFacts> {
  refuseOthers(element, jsonFields);
  const id = element.needed('tariffId');
  const validFromMs = validFromOf(element);
  const rates = listOf(element, 'rates', (rate) => {
    refuseOthers(rate, rateFields);
    const days = rate.at('weekdays') ?? [];
    if (!Array.isArray(days)) throw new UnusableRow('weekdays', 'not a list');
    return rateOf(rate, jsonNames, weekdaysIn('weekdays', days.map(String)));
  });
  return {
    kind: 'facts', file: element.file, line: element.line, id, sinceMs: null, sourceMs: null, ...(validFromMs === undefined ? {} : { validFromMs }),
    facts: factsOf(id, element, jsonNames, rates),
  };
}

/** Rates that the rows of a table name for one version of a tariff. */
interface TableRates {
  readonly rates: TariffRate[];
  /** Line of one that cannot be read. */
  badLine: number | null;
  /** There is a row for the version itself. */
  known: boolean;
}

/** A row with times of the day is a rate of the tariff version that has the same id and `valid_from`. */
function tableRows(file: ReferenceFile): readonly ReferenceRow<TariffFacts>[] {
  const table = neededCsvTable(file, 'tariffs', columns);
  const versions = new Map<string, TableRates>();
  const versionOf = (row: CsvRow): TableRates => {
    const key = `${row.needed('tariff_id')}\n${row.text('valid_from') ?? ''}`;
    const found = versions.get(key) ?? { rates: [], badLine: null, known: false };
    versions.set(key, found);
    return found;
  };
  const isRate = (row: CsvRow): boolean => row.text('from') !== null || row.text('to') !== null;
  const readRate = (row: CsvRow): TariffRate => rateOf(row, tableNames, weekdaysIn('weekdays', (row.text('weekdays') ?? '').split(/[\s,;]+/).filter((day) => day !== '')));
  const first = readCsv<TariffFacts>(table, (row) => {
    const version = versionOf(row);
    if (!isRate(row)) version.known = true;
    else {
      try {
        version.rates.push(readRate(row));
      } catch (error) {
        version.badLine ??= row.line;
        throw error;
      }
    }
    return { kind: 'other', file: file.name, line: row.line };
  });
  // Of a line that cannot be split nobody knows what it is: it may be a rate of any tariff that it mentions.
  const torn = first.filter((row) => row.kind === 'bad' && row.column === '');
  return readCsv(table, (row) => {
    const version = versionOf(row);
    if (isRate(row)) {
      readRate(row);
      if (!version.known) throw new UnusableRow('tariff_id', 'there is no row without times for this tariff and valid_from');
      return { kind: 'other', file: file.name, line: row.line };
    }
    const id = row.needed('tariff_id');
    const validFrom = row.text('valid_from');
    const badLine = version.badLine ?? torn.find((each) => each.kind === 'bad' && each.raw.includes(id))?.line ?? null;
    if (badLine !== null) throw new UnusableRow('from', `its rate in line ${badLine} cannot be read`);
    return {
      kind: 'facts', file: file.name, line: row.line, id, sinceMs: null, sourceMs: null,
      ...(validFrom === null ? {} : { validFromMs: timeIn('valid_from', validFrom) }), facts: factsOf(id, row, tableNames, version.rates),
    };
  });
}
