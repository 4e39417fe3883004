import { VoltstreamError } from '../../errors.ts';
import { localTimeReader } from './local-time.ts';
import type { OutletDescription, RowCheck, RowRule, SessionLogMapping } from './mapping.ts';
import { durationUnits } from './mapping.ts';

/**
 * Checks a mapping that somebody has written (parsed from YAML or JSON) and fills in what may be left out. Every mistake is a
 * CONFIGURATION_INVALID with file and path, what was wanted, what came, and the cure; unknown names are mistakes, too.
 *
 * Must be there: `name`, `zone`, `columns` with `station`, `start`, `stop` and `energy`, and `outlet` or `models`. Columns that
 * no other setting names are `null`; `delimiter` is a comma, `decimalMark` a point. `outlet` stands for `defaultOutlet`.
 */
export function mappingOf(document: unknown, file: string): SessionLogMapping {
  const form = new Form(document, file, '');
  form.only([
    'name', 'title', 'attribution', 'operator', 'city', 'country', 'zone', 'delimiter', 'decimalMark', 'thousandsMark', 'noValue',
    'stationPrefix', 'columns', 'connectors', 'optional', 'noVehicle', 'models', 'outlet', 'defaultOutlet', 'stations', 'checks',
  ]);
  const name = form.text('name');
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) form.refuse('name', 'small letters, digits and hyphens (it is part of every event id)', name);
  const models = form.record('models', (one) => outlet(one));
  const defaultOutlet = form.has('outlet') ? outlet(form.in('outlet')) : form.has('defaultOutlet') ? outlet(form.in('defaultOutlet')) : null;
  if (defaultOutlet === null && Object.keys(models).length === 0) form.refuse('outlet', 'what an outlet can do, e.g. {current: AC, powerMaxW: 22000}; or "models"', undefined);
  const columns = form.in('columns');
  const zone = zoneOf(form, 'zone') ?? 'UTC';
  const thousandsMark = form.optionalChoice('thousandsMark', [',', '.', ' '] as const);
  const decimalMark = form.optionalChoice('decimalMark', ['.', ','] as const) ?? '.';
  if (thousandsMark === decimalMark) form.refuse('thousandsMark', 'another mark than decimalMark', thousandsMark);
  const prefix = form.optionalText('stationPrefix');
  return {
    name, title: form.optionalText('title') ?? name, attribution: form.optionalText('attribution') ?? '', operator: form.optionalText('operator'),
    city: form.optionalText('city'), country: form.optionalText('country'), zone,
    delimiter: form.optionalChoice('delimiter', [',', ';', '\t'] as const) ?? ',', decimalMark,
    ...(thousandsMark === null ? {} : { thousandsMark }), noValue: form.texts('noValue'), ...(prefix === null ? {} : { stationPrefix: prefix }),
    columns: columnsOf(columns), connectors: form.record('connectors', (one) => one.whole('', 1)), optional: form.texts('optional'),
    noVehicle: form.texts('noVehicle'), models, defaultOutlet, stations: form.record('stations', (one) => outlet(one)),
    checks: form.list('checks').map(checkOf),
  };
}

function columnsOf(form: Form): SessionLogMapping['columns'] {
  form.only(['id', 'station', 'connector', 'start', 'stop', 'energy', 'site', 'model', 'idToken', 'vehicleModel', 'socFrom', 'socTo']);
  const stop = form.in('stop');
  const energy = form.in('energy');
  energy.only(['column', 'unit']);
  return {
    id: form.optionalText('id'),
    station: form.isList('station') ? form.texts('station') : form.text('station'),
    connector: form.optionalText('connector'),
    start: timeOf(form.in('start')),
    stop: stop.has('after') ? stopAfterOf(stop) : timeOf(stop),
    energy: { column: energy.text('column'), unit: energy.choice('unit', ['Wh', 'kWh'] as const) },
    site: form.optionalText('site'), model: form.optionalText('model'), idToken: form.optionalText('idToken'),
    vehicleModel: form.optionalText('vehicleModel'), socFrom: form.optionalText('socFrom'), socTo: form.optionalText('socTo'),
  };
}

function timeOf(form: Form) {
  form.only(['columns', 'column', 'format', 'zone', 'yearsAdded']);
  const columns = form.has('column') ? [form.text('column')] : form.texts('columns');
  if (columns.length === 0) form.refuse('columns', 'at least one column', []);
  const format = form.text('format');
  const zone = form.has('zone') ? zoneOf(form, 'zone') : null;
  const yearsAdded = form.has('yearsAdded') ? form.whole('yearsAdded', 0) : 0;
  try {
    localTimeReader(format, zone ?? 'UTC', yearsAdded);
  } catch (error) {
    if (!(error instanceof VoltstreamError)) throw error;
    form.refuse('format', 'YYYY, MM (or M) and DD (or D) once each, and of HH (or H), mm, ss, Z what there is, e.g. DD/MM/YYYY HH:mm', format);
  }
  return { columns, format, ...(zone === null ? {} : { zone }), ...(yearsAdded === 0 ? {} : { yearsAdded }) };
}

function stopAfterOf(form: Form) {
  form.only(['after', 'unit', 'zero']);
  return { after: form.text('after'), unit: form.choice('unit', durationUnits), zero: form.texts('zero') };
}

function zoneOf(form: Form, name: string): string {
  const zone = form.text(name);
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    form.refuse(name, 'the name of a time zone, e.g. Europe/London or UTC', zone);
  }
  return zone;
}

function outlet(form: Form): OutletDescription {
  form.only(['current', 'powerMaxW', 'standard']);
  return { current: form.choice('current', ['AC', 'DC'] as const), powerMaxW: form.whole('powerMaxW', 1), standard: form.optionalText('standard') };
}

function checkOf(form: Form): RowCheck {
  return { ...ruleOf(form), ...(form.has('maxShare') ? { maxShare: form.share('maxShare') } : {}) };
}

function ruleOf(form: Form): RowRule {
  const name = form.text('name');
  const kind = form.choice('kind', ['duration', 'weekday', 'timeOfDay', 'ascending', 'present'] as const);
  const own = { duration: ['column', 'unit', 'toleranceS'], weekday: ['column'], timeOfDay: ['column', 'hours'], ascending: ['of'], present: ['columns'] }[kind];
  form.only(['name', 'kind', 'maxShare', ...own]);
  switch (kind) {
    case 'duration':
      return { name, kind, column: form.text('column'), unit: form.choice('unit', durationUnits), toleranceS: form.whole('toleranceS', 0) };
    case 'weekday':
      return { name, kind, column: form.text('column') };
    case 'timeOfDay':
      return { name, kind, column: form.text('column'), hours: form.record('hours', (one) => one.pair(24)) };
    case 'ascending':
      return { name, kind, of: form.textsAndNumbers('of') };
    case 'present':
      return { name, kind, columns: form.texts('columns') };
  }
}

/** A part of the document with its path, so that every mistake can say where it is. */
class Form {
  readonly #value: unknown;
  readonly #file: string;
  readonly #path: string;

  constructor(value: unknown, file: string, path: string) {
    this.#value = value;
    this.#file = file;
    this.#path = path;
  }

  refuse(name: string, wanted: string, got: unknown): never {
    const path = name === '' ? this.#path : this.#at(name);
    throw new VoltstreamError('CONFIGURATION_INVALID', 'the mapping cannot be used', {
      where: `${this.#file}: ${path === '' ? '(the whole)' : path}`, wanted, got: got === undefined ? 'nothing' : JSON.stringify(got),
      cure: 'Correct the mapping; docs/session-logs.md describes every name.',
    });
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined && this.#get(name) !== null;
  }

  isList(name: string): boolean {
    return Array.isArray(this.#get(name));
  }

  only(names: readonly string[]): void {
    const unknown = Object.keys(this.#object()).find((name) => !names.includes(name));
    if (unknown !== undefined) this.refuse(unknown, `one of ${names.join(', ')}`, unknown);
  }

  in(name: string): Form {
    const form = new Form(this.#get(name), this.#file, this.#at(name));
    form.#object();
    return form;
  }

  text(name: string): string {
    const value = this.#get(name);
    return typeof value === 'string' && value !== '' ? value : this.refuse(name, 'text', value);
  }

  optionalText(name: string): string | null {
    return this.has(name) ? this.text(name) : null;
  }

  choice<T extends string>(name: string, wanted: readonly T[]): T {
    const value = this.#get(name);
    return wanted.find((one) => one === value) ?? this.refuse(name, `one of ${wanted.map((one) => JSON.stringify(one)).join(', ')}`, value);
  }

  optionalChoice<T extends string>(name: string, wanted: readonly T[]): T | null {
    return this.has(name) ? this.choice(name, wanted) : null;
  }

  /** With an empty name, the value itself. */
  whole(name: string, lowest: number): number {
    const value = name === '' ? this.#value : this.#get(name);
    return Number.isSafeInteger(value) && Number(value) >= lowest ? Number(value) : this.refuse(name, `a whole number from ${lowest} on`, value);
  }

  share(name: string): number {
    const value = this.#get(name);
    return typeof value === 'number' && value >= 0 && value <= 1 ? value : this.refuse(name, 'a share from 0 to 1', value);
  }

  texts(name: string): readonly string[] {
    return this.textsAndNumbers(name).map((one, index) => (typeof one === 'string' ? one : this.refuse(`${name}.${index}`, 'text', one)));
  }

  textsAndNumbers(name: string): readonly (string | number)[] {
    return this.list(name).map((one, index) =>
      (typeof one.#value === 'string' || typeof one.#value === 'number' ? one.#value : this.refuse(`${name}.${index}`, 'text or a number', one.#value)));
  }

  pair(highest: number): readonly [number, number] {
    const value = this.#value;
    const [from, to] = Array.isArray(value) && value.length === 2 ? value as readonly unknown[] : [];
    if (typeof from !== 'number' || typeof to !== 'number' || from < 0 || to < 0 || from > highest || to > highest) {
      return this.refuse('', `two numbers from 0 to ${highest}`, value);
    }
    return [from, to];
  }

  list(name: string): readonly Form[] {
    const value = this.#get(name) ?? [];
    if (!Array.isArray(value)) return this.refuse(name, 'a list', value);
    return value.map((one: unknown, index) => new Form(one, this.#file, `${this.#at(name)}.${index}`));
  }

  record<T>(name: string, each: (form: Form) => T): Readonly<Record<string, T>> {
    if (!this.has(name)) return {};
    return Object.fromEntries(Object.entries(this.in(name).#object()).map(([key, value]) =>
      [key, each(new Form(value, this.#file, `${this.#at(name)}.${key}`))]));
  }

  #get(name: string): unknown {
    const object = this.#object();
    return Object.hasOwn(object, name) ? object[name] : undefined;
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #object(): Readonly<Record<string, unknown>> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.refuse('', 'names with values', value ?? undefined);
    return value as Readonly<Record<string, unknown>>;
  }
}
