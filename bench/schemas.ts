import { avroCodec } from '../schemas/avro-codec.ts';
import { completeChargingEvent, formatChargingEvent, parseChargingEvent } from '../schemas/charging-event-json.ts';
import { registered } from '../schemas/avro-codec.ts';
import { chargingEvent } from '../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../schemas/generated/charging-event.ts';
import { chargingSession } from '../schemas/generated/charging-session.ts';
import { wireReader, wireWriter } from '../schemas/wire.ts';

/**
 * Prints how many charging events one thread encodes and decodes per second of its processor time: `node bench/schemas.ts`.
 */

const rounds = 7;
const eventCount = 20_000;
const passesPerRound = 10;

/** 2,000 stations with 200 drivers each, an event id and a meter value of its own in each event. */
function events(): readonly ChargingEvent[] {
  return Array.from({ length: eventCount }, (_, n) =>
    completeChargingEvent({
      eventId: `50${n}-7a1c-${n * 7_919}`,
      type: 'TransactionUpdated',
      stationId: `station-${n % 2_000}`,
      connectorId: 1 + (n % 2),
      timestampMs: 1_700_000_000_000 + n * 250,
      receivedMs: 1_700_000_000_400 + n * 250,
      transactionId: `transaction-${Math.floor(n / 40)}`,
      seqNo: n % 40,
      idToken: `token-${n % 1_000}`,
      meterWh: 1_000_000.5 + n,
      powerW: 7_400,
      chargingState: 'Charging',
      triggerReason: 'MeterValuePeriodic',
    }),
  );
}

function measure(name: string, pass: () => void): void {
  for (let warmUp = 0; warmUp < 3; warmUp++) pass();
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.threadCpuUsage();
    for (let n = 0; n < passesPerRound; n++) pass();
    const { user, system } = process.threadCpuUsage(start);
    rates.push((passesPerRound * eventCount * 1e6) / (user + system));
  }
  rates.sort((a, b) => a - b);
  const [least, median, most] = [rates[0], rates[rounds >> 1], rates[rounds - 1]].map((rate) => `${((rate ?? 0) / 1e6).toFixed(2)}`);
  console.log(`${name.padEnd(48)} ${median} M/s   (${least} - ${most})`);
}

const all = events();
const writer = wireWriter(chargingEvent, 1);
const encoded = all.map((event) => writer.encode(event));
// Another writer: it has no receivedMs and sends one more field at the end.
const schema = chargingEvent.schema as { readonly fields: readonly { readonly name: string }[] };
const otherFields = [...schema.fields.filter((field) => field.name !== 'receivedMs'), { name: 'firmware', type: 'string', default: '' }];
const other = registered<ChargingEvent>({ ...schema, fields: otherFields });
const otherWriter = wireWriter(other, 2);
const otherEncoded = all.map((event) => otherWriter.encode(event));
const reader = wireReader(chargingEvent, (id) => Promise.resolve(JSON.stringify(id === 1 ? chargingEvent.schema : other.schema)));
await reader.load(1);
await reader.load(2);
const lines = all.map(formatChargingEvent);
const session = avroCodec(chargingSession);
const sessionBytes = session.encode({
  sessionId: 's', revision: 0, transactionId: 't', stationId: 'station-1', evseId: 1, connectorId: 1, openedMs: 1, startMs: 1, stopMs: 2, energyWh: 3, registerWh: 3, exportWh: null,
  chargingMs: 4, idleMs: 5, peakPowerW: 6, meanPowerW: 7, socFrom: null, socTo: null, stopReason: 'EVDisconnected', closedBy: 'TransactionEnded',
  flags: ['start-inferred'], complete: true, eventCount: 40, duplicates: 0, sequenceGaps: 0, idToken: 'token', partner: null, vehicleModel: null, vehicleClass: null,
  siteId: 'site', city: 'City', region: null, country: 'GB', operator: 'Operator', timeZone: 'Europe/London', connectorStandard: 'IEC_62196_T2', current: 'AC',
  powerMaxW: 22_000, tariffId: null, currency: null, costMinor: null, startFeeMinor: null, energyCostMinor: null, chargingCostMinor: null, idleCostMinor: null,
  costFlags: ['no-tariff'],
});

console.log(`charging events of ${encoded[7]?.length} bytes, node ${process.version}; median of ${rounds} rounds (least - most)`);
let kept = 0;
measure('decode, same schema', () => { for (const bytes of encoded) kept += reader.decode(bytes).evseId; });
measure('decode, other writer schema', () => { for (const bytes of otherEncoded) kept += reader.decode(bytes).evseId; });
measure('encode', () => { for (const event of all) kept += writer.encode(event).length; });
measure('session state decode', () => { for (let n = 0; n < eventCount; n++) kept += session.decode(sessionBytes).eventCount; });
measure('JSON line to event', () => { for (const line of lines) kept += parseChargingEvent(line).kind.length; });
measure('event to JSON line', () => { for (const event of all) kept += formatChargingEvent(event).length; });
if (!Number.isFinite(kept)) throw new Error('the results were not used');
