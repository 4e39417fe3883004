import type { ConnectorStatus } from './connector-interval.ts';

/**
 * Names of statuses by who uses them, all in lower case: OCPP 2.0.1 (ConnectorStatusEnumType), OCPP 1.6 (ChargePointStatus, whose
 * steps of a charge are all Occupied) and OCPI 2.3.0 (Status of an EVSE).
 */
const statusOfName: ReadonlyMap<string, ConnectorStatus> = new Map<string, ConnectorStatus>([
  ['available', 'Available'], ['occupied', 'Occupied'], ['reserved', 'Reserved'], ['unavailable', 'Unavailable'], ['faulted', 'Faulted'],
  ['preparing', 'Occupied'], ['charging', 'Occupied'], ['suspendedev', 'Occupied'], ['suspendedevse', 'Occupied'], ['finishing', 'Occupied'],
  ['blocked', 'Unavailable'], ['inoperative', 'Unavailable'], ['planned', 'Unavailable'], ['removed', 'Unavailable'], ['outoforder', 'Faulted'],
  ['unknown', 'Unknown'],
]);

/** Names as they were written, so that each spelling is put into lower case once; bounded, since anybody may invent names. */
const seen = new Map<string, ConnectorStatus>();
const seenMax = 1_000;

/**
 * The status that a name means, whatever the case of its letters; a name that no list has is `Unknown`: something was told, but
 * not that the connector can be used. (The name itself stands in the raw event.)
 */
export function statusNamed(name: string): ConnectorStatus {
  const known = seen.get(name);
  if (known !== undefined) return known;
  const found = statusOfName.get(name.toLowerCase()) ?? 'Unknown';
  if (seen.size < seenMax) seen.set(name, found);
  return found;
}

/** An error code as it is kept: OCPP 1.6 says `NoError` where there is none. */
export function errorCodeOf(code: string | null): string | null {
  return code === null || code === '' || code === 'NoError' ? null : code;
}
