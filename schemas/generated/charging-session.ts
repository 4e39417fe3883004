// Made from avro/charging-session.v1.avsc by `npm run types`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

export const sessionClosedBySymbols = ['None', 'TransactionEnded', 'NextStart', 'StatusAvailable', 'Inactivity'] as const;
export type SessionClosedBy = (typeof sessionClosedBySymbols)[number];

/** A charging session as stitched from events. Absolute values: a later revision replaces an earlier one as a whole. */
export interface ChargingSession {
  /** Deterministic identity: the same events give the same id. */
  readonly sessionId: string;
  /** Grows by one when later evidence changes a final row. */
  readonly revision: number;
  /** OCPP transaction, where there was one. */
  readonly transactionId: string | null;
  /** Station; the key of the topic. */
  readonly stationId: string;
  /** Charging place of the station. */
  readonly evseId: number;
  /** Connector of the EVSE. */
  readonly connectorId: number;
  /** Time of the first event that was seen of it; no revision changes it. UTC milliseconds. */
  readonly openedMs: number;
  /** Start, reported or inferred (see flags); UTC milliseconds. */
  readonly startMs: number;
  /** Stop; null while it runs. */
  readonly stopMs: number | null;
  /** Energy that is believed to have been delivered, never negative; null: unknown (missing is not zero). */
  readonly energyWh: number | null;
  /** What the registers say, last minus first, whatever that is worth. */
  readonly registerWh: number | null;
  /** Energy given back, kept apart. */
  readonly exportWh: number | null;
  /** Time in which energy flowed. */
  readonly chargingMs: number | null;
  /** Time connected without charging. */
  readonly idleMs: number | null;
  /** Highest power seen. */
  readonly peakPowerW: number | null;
  /** Energy over charging time. */
  readonly meanPowerW: number | null;
  /** First state of charge in percent. */
  readonly socFrom: number | null;
  /** Last state of charge in percent. */
  readonly socTo: number | null;
  /** OCPP stopped reason. */
  readonly stopReason: string | null;
  /** What closed the session; None while it runs. */
  readonly closedBy: SessionClosedBy;
  /** What was wrong or inferred, each once, in code-point order. */
  readonly flags: readonly string[];
  /** Both a start and a stop were reported. */
  readonly complete: boolean;
  /** Events counted in, duplicates left out. */
  readonly eventCount: number;
  /** Events that came again. */
  readonly duplicates: number;
  /** Sequence numbers that are missing between those seen. */
  readonly sequenceGaps: number;
  /** Pseudonymous token of the driver. */
  readonly idToken: string | null;
  /** Roaming partner. */
  readonly partner: string | null;
  /** Model of the vehicle, when known. */
  readonly vehicleModel: string | null;
  /** Class of that model as of the start. */
  readonly vehicleClass: string | null;
  /** Site of the station as of the start; null, like what follows: not known. */
  readonly siteId: string | null;
  /** City of the site. */
  readonly city: string | null;
  /** Region of the site. */
  readonly region: string | null;
  /** ISO 3166-1 alpha-2 code. */
  readonly country: string | null;
  /** Charge-point operator. */
  readonly operator: string | null;
  /** IANA time zone of the site. */
  readonly timeZone: string | null;
  /** OCPI connector standard. */
  readonly connectorStandard: string | null;
  /** AC or DC. */
  readonly current: string | null;
  /** Highest power of the connector. */
  readonly powerMaxW: number | null;
  /** Tariff of the station as of the start. */
  readonly tariffId: string | null;
  /** ISO 4217 code; amounts are in its minor units. */
  readonly currency: string | null;
  /** What the session costs; null: not known, see costFlags. */
  readonly costMinor: number | null;
  /** Part of the cost. */
  readonly startFeeMinor: number | null;
  /** Part of the cost. */
  readonly energyCostMinor: number | null;
  /** Part of the cost. */
  readonly chargingCostMinor: number | null;
  /** Part of the cost. */
  readonly idleCostMinor: number | null;
  /** Why a part of the cost is not known, in code-point order. */
  readonly costFlags: readonly string[];
}

/** Form of `voltstream.ChargingSession`, version 1. */
export const chargingSession: RegisteredForm<ChargingSession> = {
  kind: 'registered',
  name: 'voltstream.ChargingSession',
  schema: {
    type: 'record',
    name: 'ChargingSession',
    namespace: 'voltstream',
    fields: [
      { name: 'sessionId', type: 'string' },
      { name: 'revision', type: 'int', default: 0 },
      { name: 'transactionId', type: ['null', 'string'], default: null },
      { name: 'stationId', type: 'string' },
      { name: 'evseId', type: 'int', default: 1 },
      { name: 'connectorId', type: 'int', default: 1 },
      { name: 'openedMs', type: 'long', default: 0 },
      { name: 'startMs', type: 'long' },
      { name: 'stopMs', type: ['null', 'long'], default: null },
      { name: 'energyWh', type: ['null', 'double'], default: null },
      { name: 'registerWh', type: ['null', 'double'], default: null },
      { name: 'exportWh', type: ['null', 'double'], default: null },
      { name: 'chargingMs', type: ['null', 'long'], default: null },
      { name: 'idleMs', type: ['null', 'long'], default: null },
      { name: 'peakPowerW', type: ['null', 'double'], default: null },
      { name: 'meanPowerW', type: ['null', 'double'], default: null },
      { name: 'socFrom', type: ['null', 'double'], default: null },
      { name: 'socTo', type: ['null', 'double'], default: null },
      { name: 'stopReason', type: ['null', 'string'], default: null },
      {
        name: 'closedBy',
        type: {
          type: 'enum',
          name: 'SessionClosedBy',
          symbols: ['None', 'TransactionEnded', 'NextStart', 'StatusAvailable', 'Inactivity'],
        },
        default: 'None',
      },
      { name: 'flags', type: { type: 'array', items: 'string' }, default: [] },
      { name: 'complete', type: 'boolean', default: false },
      { name: 'eventCount', type: 'int', default: 0 },
      { name: 'duplicates', type: 'int', default: 0 },
      { name: 'sequenceGaps', type: 'int', default: 0 },
      { name: 'idToken', type: ['null', 'string'], default: null },
      { name: 'partner', type: ['null', 'string'], default: null },
      { name: 'vehicleModel', type: ['null', 'string'], default: null },
      { name: 'vehicleClass', type: ['null', 'string'], default: null },
      { name: 'siteId', type: ['null', 'string'], default: null },
      { name: 'city', type: ['null', 'string'], default: null },
      { name: 'region', type: ['null', 'string'], default: null },
      { name: 'country', type: ['null', 'string'], default: null },
      { name: 'operator', type: ['null', 'string'], default: null },
      { name: 'timeZone', type: ['null', 'string'], default: null },
      { name: 'connectorStandard', type: ['null', 'string'], default: null },
      { name: 'current', type: ['null', 'string'], default: null },
      { name: 'powerMaxW', type: ['null', 'double'], default: null },
      { name: 'tariffId', type: ['null', 'string'], default: null },
      { name: 'currency', type: ['null', 'string'], default: null },
      { name: 'costMinor', type: ['null', 'long'], default: null },
      { name: 'startFeeMinor', type: ['null', 'long'], default: null },
      { name: 'energyCostMinor', type: ['null', 'long'], default: null },
      { name: 'chargingCostMinor', type: ['null', 'long'], default: null },
      { name: 'idleCostMinor', type: ['null', 'long'], default: null },
      { name: 'costFlags', type: { type: 'array', items: 'string' }, default: [] },
    ],
  },
};
