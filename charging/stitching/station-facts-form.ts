import type { ByteWriter } from '../../schemas/byte-writer.ts';
import { encodeBy } from '../../schemas/encode-into.ts';
import { writeNumber, writeText } from './compact-numbers.ts';
import type { CompactReader } from './compact-numbers.ts';
import type { SessionPlace } from './session-row.ts';
import type { StationFacts } from './station-facts.ts';

const currents = [null, 'AC', 'DC'] as const;
const scopes = ['lifetime', 'session'] as const;

/** The same bytes stand in each session of a connector: written once for those that are `prepared`. */
const prepared = new WeakMap<StationFacts, Uint8Array>();

/** Facts that many sessions will share. */
export function prepareFacts(facts: StationFacts): StationFacts {
  prepared.set(facts, encodeBy(writeKnown)(facts));
  return facts;
}

export function writeFacts(writer: ByteWriter, facts: StationFacts | null): void {
  writer.uint8(facts === null ? 0 : 1);
  if (facts === null) return;
  const bytes = prepared.get(facts);
  if (bytes === undefined) writeKnown(facts, writer);
  else writer.bytes(bytes);
}

function writeKnown(facts: StationFacts, writer: ByteWriter): void {
  for (const text of textsOf(facts)) writeText(writer, text);
  writer.uint8(currents.indexOf(facts.current));
  writer.uint8(scopes.indexOf(facts.scope));
  writeNumber(writer, facts.powerMaxW);
  writeNumber(writer, facts.validFromMs);
}

function textsOf(facts: SessionPlace): readonly (string | null)[] {
  const { siteId, city, region, country, operator, timeZone, tariffId, connectorStandard } = facts;
  return [siteId, city, region, country, operator, timeZone, tariffId, connectorStandard];
}

export function readFacts(reader: CompactReader): StationFacts | null {
  if (reader.byte() === 0) return null;
  const siteId = reader.text();
  const city = reader.text();
  const region = reader.text();
  const country = reader.text();
  const operator = reader.text();
  const timeZone = reader.text();
  const tariffId = reader.text();
  const connectorStandard = reader.text();
  const current = currents[reader.byte()] ?? null;
  const scope = scopes[reader.byte()] ?? 'lifetime';
  const powerMaxW = reader.number();
  const validFromMs = reader.number() ?? 0;
  return { siteId, city, region, country, operator, timeZone, tariffId, connectorStandard, current, powerMaxW, validFromMs, scope };
}
