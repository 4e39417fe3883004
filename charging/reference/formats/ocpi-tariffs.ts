import { minorUnitDigits } from '../../cost/currencies.ts';
import type { TariffRate } from '../../../schemas/generated/tariff.ts';
import { isObject, jsonElements, readElements } from '../json-elements.ts';
import type { JsonElement } from '../json-elements.ts';
import type { ReferenceRow, TariffFacts, TariffFormat } from '../reference-row.ts';
import { UnusableRow } from '../reference-row.ts';
import { listOf, looksLikeJson, ownElements, timeIn, wholeObject } from './own-json.ts';
import { minuteIn, weekdaysIn } from './own-tariffs.ts';

/**
 * Tariffs as OCPI 2.3.0 has them (2.2.1 and 2.1.1, too): a list, one object a line, or the answer of a tariffs endpoint. A tariff of which
 * something cannot be said in ours is set aside with the path of it; nothing is left out of a price. Elements for reservations price no session.
 */
export const ocpiTariffs: TariffFormat = {
  kind: 'tariffs',
  name: 'ocpi-tariffs',
  title: 'Tariffs as OCPI 2.3.0 has them',
  attribution: 'your own',
  recognises: (file) => looksLikeJson(file, ['"price_components"']),
  read: (files) => files.flatMap((file) => {
    // An answer of an endpoint has its objects in `data`.
    const answered = Array.isArray(wholeObject(file)?.['data']);
    const { elements, bad } = answered ? { elements: jsonElements(file, 'ocpi-tariffs', 'data'), bad: [] } : ownElements(file, 'ocpi-tariffs');
    return [...bad, ...readElements(elements, tariffRow)];
  }),
};

function tariffRow(element: JsonElement): ReferenceRow<TariffFacts> {
  const id = element.needed('id');
  const currency = element.needed('currency');
  if (minorUnitDigits(currency) === undefined) throw new UnusableRow('currency', `not a currency of ISO 4217: "${currency}"`);
  for (const name of ['min_price', 'max_price', 'end_date_time']) {
    if (element.at(name) !== undefined) throw new UnusableRow(name, 'our tariffs have no such thing');
  }
  const start = element.text('start_date_time');
  const updated = element.text('last_updated');
  const sourceMs = updated === null ? null : timeIn('last_updated', updated);
  const place = { file: element.file, line: element.line, id, sourceMs, sinceMs: null, ...(start === null ? {} : { validFromMs: timeIn('start_date_time', start) }) };
  return { kind: 'facts', ...place, facts: { tariffId: id, currency, idleFreeMinutes: 0, ...pricesOf(element) } };
}

const dimensions = { ENERGY: 'energyPerKwhMicro', TIME: 'chargingPerMinuteMicro', PARKING_TIME: 'idlePerMinuteMicro' } as const;
type Dimension = keyof typeof dimensions;

/** Elements in their order: the first that holds and has a dimension's price decides, and behind one that always holds none does. */
function pricesOf(tariff: JsonElement): Omit<TariffFacts, 'tariffId' | 'currency' | 'idleFreeMinutes'> {
  const always: Partial<Record<Dimension | 'FLAT', number>> = {};
  const steps = { energy: new Set<number>(), time: new Set<number>() };
  const rates: TariffRate[] = [];
  listOf(tariff, 'elements', (element) => {
    const times = timesOf(element);
    if (times === 'reservation') return;
    const prices: Partial<Record<Dimension | 'FLAT', number>> = {};
    listOf(element, 'price_components', (component) => {
      const type = component.needed('type');
      if (type !== 'FLAT' && !(type in dimensions)) throw new UnusableRow('type', `not ENERGY, FLAT, TIME or PARKING_TIME: "${type}"`);
      const dimension = type as Dimension | 'FLAT';
      if (prices[dimension] !== undefined) throw new UnusableRow('type', `${type} has two prices`);
      if (always[dimension] !== undefined) return;
      if (dimension === 'FLAT' && times !== 'always') throw new UnusableRow('type', 'our start fee is the same at all times');
      const price = component.number('price', 0, 1_000_000);
      if (price === null) throw new UnusableRow('price', 'it is missing');
      // OCPI prices an hour, we a minute.
      prices[dimension] = Math.round(dimension === 'TIME' || dimension === 'PARKING_TIME' ? (price * 1_000_000) / 60 : price * 1_000_000);
      const step = component.number('step_size', 0, 1_000_000) ?? 1;
      if (price > 0 && dimension !== 'FLAT') (dimension === 'ENERGY' ? steps.energy : steps.time).add(Math.max(1, step));
    });
    if (times === 'always') Object.assign(always, prices);
    else for (const time of times) rates.push({ ...time, energyPerKwhMicro: prices.ENERGY ?? null, chargingPerMinuteMicro: prices.TIME ?? null, idlePerMinuteMicro: prices.PARKING_TIME ?? null });
  });
  return {
    startFeeMicro: always.FLAT ?? 0, energyPerKwhMicro: always.ENERGY ?? 0, chargingPerMinuteMicro: always.TIME ?? 0, idlePerMinuteMicro: always.PARKING_TIME ?? 0,
    energyStepWh: oneStep('ENERGY', steps.energy), timeStepSeconds: oneStep('TIME and PARKING_TIME', steps.time),
    rates: rates.filter((rate) => Object.values(dimensions).some((dimension) => rate[dimension] !== null)),
  };
}

function oneStep(what: string, steps: ReadonlySet<number>): number {
  const [step = 1, ...others] = steps;
  if (others.length > 0 || !Number.isInteger(step)) throw new UnusableRow('elements', `steps of ${what} differ or are not whole: ${[...steps].join(', ')}`);
  return step;
}

type Times = Pick<TariffRate, 'fromMinute' | 'toMinute' | 'weekdays'>;

/**
 * When an element holds. Weekday and time of the day are looked at side by side, each at the moment in question: an element for Fridays from 22:00
 * to 04:00 holds on Fridays before four and from ten on, so it becomes two rates.
 */
function timesOf(element: JsonElement): 'always' | 'reservation' | readonly Times[] {
  const restrictions = element.at('restrictions') ?? {};
  if (!isObject(restrictions)) throw new UnusableRow('restrictions', 'not an object');
  const named = Object.keys(restrictions).filter((name) => (restrictions[name] ?? null) !== null && !(Array.isArray(restrictions[name]) && restrictions[name].length === 0));
  if (named.includes('reservation')) return 'reservation';
  const other = named.find((name) => !['start_time', 'end_time', 'day_of_week'].includes(name));
  if (other !== undefined) throw new UnusableRow(`restrictions.${other}`, 'our tariffs have no such restriction');
  if (named.length === 0) return 'always';
  const days = restrictions['day_of_week'] ?? [];
  if (!Array.isArray(days)) throw new UnusableRow('restrictions.day_of_week', 'not a list');
  const weekdays = weekdaysIn('restrictions.day_of_week', days.map(String));
  const minuteAt = (name: string): number => minuteIn(`restrictions.${name}`, element.text(`restrictions.${name}`) ?? '00:00') % 1440;
  const [fromMinute, toMinute] = [minuteAt('start_time'), minuteAt('end_time') || 1440];
  if (fromMinute < toMinute || weekdays.length === 0) return [{ fromMinute, toMinute, weekdays }];
  return [{ fromMinute, toMinute: 1440, weekdays }, { fromMinute: 0, toMinute, weekdays }];
}
