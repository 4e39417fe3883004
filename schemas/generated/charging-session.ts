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
  /** Start, reported or inferred (see flags); UTC milliseconds. */
  readonly startMs: number;
  /** Stop; null while it runs. */
  readonly stopMs: number | null;
  /** Energy imported by the vehicle, never negative; null: no register was seen (missing is not zero). */
  readonly energyWh: number | null;
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
  /** Pseudonymous token of the driver. */
  readonly idToken: string | null;
  /** Roaming partner. */
  readonly partner: string | null;
  /** Model of the vehicle, when known. */
  readonly vehicleModel: string | null;
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
      { name: 'startMs', type: 'long' },
      { name: 'stopMs', type: ['null', 'long'], default: null },
      { name: 'energyWh', type: ['null', 'double'], default: null },
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
      { name: 'idToken', type: ['null', 'string'], default: null },
      { name: 'partner', type: ['null', 'string'], default: null },
      { name: 'vehicleModel', type: ['null', 'string'], default: null },
    ],
  },
};
