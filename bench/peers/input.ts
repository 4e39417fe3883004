/**
 * Input of the comparison: charging events of 22 fields, all of them made from a fixed seed, so that every run of every machine reads the same
 * bytes. Connectors sample power every 10 s while a vehicle charges, and rest between two vehicles; events of a station are up to 3 s out of order,
 * and one in a thousand comes ten minutes late.
 */
import type { Log, OutboundRecord } from '../../runtime/log/log.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { completeChargingEvent } from '../../schemas/charging-event-json.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { station } from '../../schemas/generated/station.ts';
import type { Station } from '../../schemas/generated/station.ts';
import { randomFrom } from '../../test/seeded-random.ts';
import { sampleMs } from './workloads.ts';

export interface InputOptions {
  readonly events: number;
  readonly stations: number;
  readonly seed: number;
}

/** 24 March 2025, a Monday, at 06:00 UTC. */
const startMs = 1_742_796_000_000;
const disorderMs = 3_000;
const lateMs = 600_000;
const connectorsPerStation = 2;
const cities = ['Dundee', 'Oslo', 'Palo Alto', 'Boulder', 'Utrecht', 'Leeds', 'Lyon', 'Graz'] as const;
const models = ['VW ID.3', 'Tesla Model Y', 'Renault Zoe', 'Hyundai Ioniq 5', 'Kia EV6', 'BMW i4', null] as const;

interface Connector {
  readonly stationId: string;
  readonly evseId: number;
  readonly phaseMs: number;
  readonly powerMaxW: number;
  meterWh: number;
  charging: boolean;
  ticksLeft: number;
  transaction: number;
  seqNo: number;
  soc: number;
  model: string | null;
}

export function stationIdOf(number: number): string {
  return `station-${String(number).padStart(6, '0')}`;
}

/** The table of stations, at times in front of all events. */
export function* stationsOf({ stations }: InputOptions): Generator<Station & { readonly timestampMs: number }> {
  for (let number = 0; number < stations; number++) {
    yield {
      timestampMs: startMs - 86_400_000 + number, stationId: stationIdOf(number), siteId: `site-${Math.floor(number / 4)}`, name: `Station ${number}`, operator: 'Voltstream',
      address: `${number} High Street`, city: cities[number % cities.length] as string, region: null, country: 'GB', latitude: 56.46, longitude: -2.97, timeZone: 'Europe/London',
      access: 'public', openAlways: true, openingHours: null, validFromMs: startMs - 86_400_000, tariffId: 'standard', registerScope: 'lifetime',
      evses: Array.from({ length: connectorsPerStation }, (_, index) => ({
        evseId: index + 1, connectors: [{ connectorId: 1, standard: 'IEC_62196_T2_COMBO', current: 'DC', powerMaxW: 50_000 }],
      })),
    };
  }
}

/** Exactly `events` events, in the order of their sending. */
export function* eventsOf(options: InputOptions): Generator<ChargingEvent> {
  const random = randomFrom(options.seed);
  const connectors = Array.from({ length: options.stations * connectorsPerStation }, (_, index): Connector => ({
    stationId: stationIdOf(Math.floor(index / connectorsPerStation)), evseId: 1 + index % connectorsPerStation, phaseMs: Math.floor(random() * sampleMs),
    powerMaxW: [7_400, 11_000, 22_000, 50_000][Math.floor(random() * 4)] as number, meterWh: Math.floor(random() * 1e7), charging: random() < 0.5,
    ticksLeft: Math.floor(random() * 180), transaction: 0, seqNo: 0, soc: Math.floor(20 + random() * 60), model: models[Math.floor(random() * models.length)] ?? null,
  })).sort((left, right) => left.phaseMs - right.phaseMs);
  let sent = 0;
  for (let tickMs = startMs; ; tickMs += sampleMs) {
    for (const connector of connectors) {
      const event = step(connector, tickMs, random, sent);
      if (event === null) continue;
      yield event;
      if (++sent === options.events) return;
    }
  }
}

function step(connector: Connector, tickMs: number, random: () => number, number: number): ChargingEvent | null {
  connector.ticksLeft -= 1;
  const turns = connector.ticksLeft <= 0;
  if (!connector.charging && !turns) return null;
  if (turns) {
    connector.charging = !connector.charging;
    // 10 to 60 minutes either way.
    connector.ticksLeft = 60 + Math.floor(random() * 300);
    if (connector.charging) Object.assign(connector, { transaction: connector.transaction + 1, seqNo: 0, soc: Math.floor(20 + random() * 60) });
  }
  const type = !turns ? 'TransactionUpdated' : connector.charging ? 'TransactionStarted' : 'TransactionEnded';
  const receivedMs = tickMs + connector.phaseMs;
  const timestampMs = receivedMs - Math.floor(random() * disorderMs) - (random() < 0.001 ? lateMs : 0);
  const powerW = type === 'TransactionUpdated' ? Math.round(connector.powerMaxW * (0.5 + random() / 2)) : 0;
  connector.meterWh += powerW * sampleMs / 3_600_000;
  connector.soc = Math.min(100, connector.soc + 0.05);
  return completeChargingEvent({
    eventId: `event-${number.toString(36).padStart(12, '0')}`, type, stationId: connector.stationId, evseId: connector.evseId, connectorId: 1, timestampMs, receivedMs,
    transactionId: `tx-${connector.stationId}-${connector.evseId}-${connector.transaction}`, seqNo: connector.seqNo++, offline: receivedMs - timestampMs >= lateMs,
    idToken: type === 'TransactionStarted' ? `token-${(number * 7_919) % 100_000}` : null, vehicleModel: connector.model, meterWh: Math.round(connector.meterWh),
    powerW, soc: Math.round(connector.soc), chargingState: type === 'TransactionEnded' ? 'Idle' : 'Charging',
    triggerReason: type === 'TransactionUpdated' ? 'MeterValuePeriodic' : 'CablePluggedIn', stopReason: type === 'TransactionEnded' ? 'EVDisconnected' : null,
  });
}

const recordsAtOnce = 4_000;

/** Makes the topics and fills them; gives the bytes of the events' values. */
export async function fillInput(log: Log, registry: SchemaRegistry, topics: { readonly events: string; readonly stations: string }, partitions: number, options: InputOptions): Promise<number> {
  const settings = { 'retention.ms': '-1' };
  await log.createTopics([{ topic: topics.stations, partitions, settings: { ...settings, 'cleanup.policy': 'compact' } }, { topic: topics.events, partitions, settings }]);
  const producer = await log.producer();
  const stationWriter = await registry.writer(`${topics.stations}-value`, station);
  const eventWriter = await registry.writer(`${topics.events}-value`, chargingEvent);
  let batch: OutboundRecord[] = [];
  let bytes = 0;
  const add = async (topic: string, stationId: string, value: Uint8Array, timestampMs: number): Promise<void> => {
    batch.push({ topic, key: utf8.encode(stationId), value, timestampMs });
    if (batch.length < recordsAtOnce) return;
    await producer.append(batch);
    batch = [];
  };
  for (const { timestampMs, ...place } of stationsOf(options)) await add(topics.stations, place.stationId, stationWriter.encode(place), timestampMs);
  for (const event of eventsOf(options)) {
    const value = eventWriter.encode(event);
    bytes += value.length;
    await add(topics.events, event.stationId, value, event.timestampMs);
  }
  if (batch.length > 0) await producer.append(batch);
  await producer.close();
  return bytes;
}
