import { VoltstreamError } from '../errors.ts';
import { longMax } from './avro-types.ts';
import type { Codec } from './codec.ts';
import { chargingEvent } from './generated/charging-event.ts';
import type { ChargingEvent } from './generated/charging-event.ts';
import { asBuffer, malformed, messageOf } from './malformed.ts';

/**
 * Charging events as JSON, one object a line, under the names of the Avro schema.
 *
 * - `eventId`, `type`, `stationId` and `timestampMs` must be there; `evseId` and `connectorId` are 1 when they are missing, every
 *   other field null (`offline`: false). Null is the same as missing.
 * - Times are numbers, UTC milliseconds; text such as "2026-01-31T12:00:00Z" is refused, since it hides the zone too often.
 * - Values are checked against the schema's types, never converted ("7" is not 7). Whether they make sense is not judged here.
 * - Fields that the schema does not have are left out and named in the result, so that a misspelt name can be reported.
 */

/** Why a line is not an event. `field` is `(line)` when it is not a JSON object at all. */
export interface EventProblem {
  readonly field: string;
  readonly wanted: string;
  readonly got: string;
}

export type ParsedEvent =
  | { readonly kind: 'event'; readonly event: ChargingEvent; readonly unknownFields: readonly string[] }
  | { readonly kind: 'malformed'; readonly problem: EventProblem };

interface FieldRule {
  readonly name: keyof ChargingEvent;
  readonly required: boolean;
  readonly wanted: string;
  readonly fits: (value: unknown) => boolean;
}

function isLong(value: unknown): boolean {
  return Number.isInteger(value) && Math.abs(value as number) <= longMax;
}

const rulesByType: Readonly<Record<string, Pick<FieldRule, 'wanted' | 'fits'>>> = {
  string: { wanted: 'text', fits: (value) => typeof value === 'string' },
  boolean: { wanted: 'true or false', fits: (value) => typeof value === 'boolean' },
  int: { wanted: 'a whole number of 32 bits', fits: (value) => typeof value === 'number' && (value | 0) === value },
  long: { wanted: 'a whole number', fits: isLong },
  double: { wanted: 'a finite number', fits: (value) => Number.isFinite(value) },
};
const timeRule = { wanted: 'UTC milliseconds as a whole number', fits: isLong };
const identityRule = { wanted: 'text that is not empty', fits: (value: unknown) => typeof value === 'string' && value !== '' };

interface SchemaField {
  readonly name: keyof ChargingEvent;
  readonly type: unknown;
  readonly default?: unknown;
}

function ruleOf({ name, type, ...rest }: SchemaField): FieldRule {
  const required = !('default' in rest);
  const plain: unknown = Array.isArray(type) ? type.find((branch) => branch !== 'null') : type;
  if (typeof plain === 'object' && plain !== null && 'symbols' in plain) {
    const symbols = new Set(plain.symbols as readonly unknown[]);
    return { name, required, wanted: [...symbols].join(', '), fits: (value) => symbols.has(value) };
  }
  const rule = rulesByType[String(plain)];
  if (rule === undefined) throw new VoltstreamError('SCHEMA_INVALID', `field ${name} has a type without a JSON rule`, { got: String(plain) });
  if (name.endsWith('Ms')) return { name, required, ...timeRule };
  return { name, required, ...(required && plain === 'string' ? identityRule : rule) };
}

const schemaFields = (chargingEvent.schema as { readonly fields: readonly SchemaField[] }).fields;
const rules: readonly FieldRule[] = schemaFields.map(ruleOf);
const names: ReadonlySet<string> = new Set(rules.map((rule) => rule.name));

/** All fields in the schema's order, those without a default as placeholders; copied so that events share one shape. */
const template = Object.fromEntries(schemaFields.map((field) => [field.name, field.default ?? null])) as unknown as ChargingEvent;

type RequiredFields = 'eventId' | 'type' | 'stationId' | 'timestampMs';

/** An event with the schema's defaults for everything that is not given. */
export function completeChargingEvent(given: Pick<ChargingEvent, RequiredFields> & Partial<ChargingEvent>): ChargingEvent {
  return { ...template, ...given };
}

/** Reads one line. Never throws: what is wrong with a line is a result. */
export function parseChargingEvent(line: string): ParsedEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return problem('(line)', 'a JSON object', messageOf(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return problem('(line)', 'a JSON object', shown(value));
  const given = value as Record<string, unknown>;
  const event: Record<string, unknown> = { ...template };
  let found = 0;
  for (const rule of rules) {
    const item = Object.hasOwn(given, rule.name) ? given[rule.name] : undefined;
    if (item !== undefined) found++;
    if (item === undefined || item === null) {
      if (rule.required) return problem(rule.name, rule.wanted, item === null ? 'null' : 'nothing');
    } else if (rule.fits(item)) {
      event[rule.name] = item;
    } else {
      return problem(rule.name, rule.wanted, shown(item));
    }
  }
  const unknownFields = Object.keys(given).length === found ? none : Object.keys(given).filter((name) => !names.has(name));
  return { kind: 'event', event: event as unknown as ChargingEvent, unknownFields };
}

const none: readonly string[] = [];

function problem(field: string, wanted: string, got: string): ParsedEvent {
  return { kind: 'malformed', problem: { field, wanted, got } };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/**
 * One line without its end, fields in the schema's order; those that have their default value are left out. Throws
 * SERIALISATION_FAILED for what JSON would silently turn into something else, such as NaN.
 */
export function formatChargingEvent(event: ChargingEvent): string {
  const given: Record<string, unknown> = {};
  for (const rule of rules) {
    const value = event[rule.name];
    if (!rule.required && value === template[rule.name]) continue;
    if (!rule.fits(value)) {
      const where = `field ${rule.name}`;
      throw new VoltstreamError('SERIALISATION_FAILED', 'a charging event has no JSON form', { where, wanted: rule.wanted, got: String(value) });
    }
    given[rule.name] = value;
  }
  return JSON.stringify(given);
}

/** The same as a codec, for topics that carry JSON instead of Avro. Unknown fields are left out. */
export const chargingEventJson: Codec<ChargingEvent> = Object.freeze({
  kind: 'codec',
  schemaId: `json:${chargingEvent.name}`,
  encode: (event: ChargingEvent): Uint8Array => Buffer.from(formatChargingEvent(event), 'utf8'),
  decode: (bytes: Uint8Array): ChargingEvent => {
    const parsed = parseChargingEvent(asBuffer(bytes).toString('utf8'));
    if (parsed.kind === 'event') return parsed.event;
    const { field, wanted, got } = parsed.problem;
    throw malformed(`field ${field} of a charging event does not fit`, wanted, got);
  },
});
