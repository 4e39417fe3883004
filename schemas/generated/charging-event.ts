// Made from avro/charging-event.v1.avsc by `npm run types`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

export const chargingEventTypeSymbols = [
  'TransactionStarted',
  'TransactionUpdated',
  'TransactionEnded',
  'StatusChanged',
  'ConnectionLost',
  'ConnectionRestored',
  'Heartbeat',
] as const;
export type ChargingEventType = (typeof chargingEventTypeSymbols)[number];

export const chargingStateSymbols = ['Charging', 'EVConnected', 'SuspendedEV', 'SuspendedEVSE', 'Idle'] as const;
export type ChargingState = (typeof chargingStateSymbols)[number];

/** What a charging station reported, in the terms of OCPP 2.0.1. Topic `charging.events`, key: station id. */
export interface ChargingEvent {
  /** Identity; an event that is sent again repeats it. */
  readonly eventId: string;
  /** What happened. */
  readonly type: ChargingEventType;
  /** The station; the key of the topic. */
  readonly stationId: string;
  /** Charging place of the station, from 1. */
  readonly evseId: number;
  /** Connector of the EVSE, from 1. */
  readonly connectorId: number;
  /** When it happened, by the device's clock; UTC milliseconds. */
  readonly timestampMs: number;
  /** When the back end got it; UTC milliseconds. */
  readonly receivedMs: number | null;
  /** OCPP transaction. */
  readonly transactionId: string | null;
  /** Place in the transaction's sequence of messages. */
  readonly seqNo: number | null;
  /** Sent late: it happened while the station was offline. */
  readonly offline: boolean;
  /** Pseudonymous token of the driver. */
  readonly idToken: string | null;
  /** Roaming partner whose customer this is. */
  readonly partner: string | null;
  /** Model of the vehicle, when known. */
  readonly vehicleModel: string | null;
  /** Energy.Active.Import.Register in Wh. */
  readonly meterWh: number | null;
  /** Energy.Active.Export.Register in Wh. */
  readonly meterExportWh: number | null;
  /** Power.Active.Import in W. */
  readonly powerW: number | null;
  /** State of charge in percent. */
  readonly soc: number | null;
  /** Charging state of the transaction. */
  readonly chargingState: ChargingState | null;
  /** Connector status by its OCPP name: Available, Occupied, Reserved, Unavailable, Faulted. */
  readonly status: string | null;
  /** OCPP error code. */
  readonly errorCode: string | null;
  /** OCPP trigger reason. */
  readonly triggerReason: string | null;
  /** OCPP stopped reason. */
  readonly stopReason: string | null;
  /** Edition of what is told of the transaction: events of a higher one replace all that lower ones said. For corrected records. */
  readonly edition: number;
}

/** Form of `voltstream.ChargingEvent`, version 1. */
export const chargingEvent: RegisteredForm<ChargingEvent> = {
  kind: 'registered',
  name: 'voltstream.ChargingEvent',
  schema: {
    type: 'record',
    name: 'ChargingEvent',
    namespace: 'voltstream',
    fields: [
      { name: 'eventId', type: 'string' },
      {
        name: 'type',
        type: {
          type: 'enum',
          name: 'ChargingEventType',
          symbols: [
            'TransactionStarted',
            'TransactionUpdated',
            'TransactionEnded',
            'StatusChanged',
            'ConnectionLost',
            'ConnectionRestored',
            'Heartbeat',
          ],
        },
      },
      { name: 'stationId', type: 'string' },
      { name: 'evseId', type: 'int', default: 1 },
      { name: 'connectorId', type: 'int', default: 1 },
      { name: 'timestampMs', type: 'long' },
      { name: 'receivedMs', type: ['null', 'long'], default: null },
      { name: 'transactionId', type: ['null', 'string'], default: null },
      { name: 'seqNo', type: ['null', 'int'], default: null },
      { name: 'offline', type: 'boolean', default: false },
      { name: 'idToken', type: ['null', 'string'], default: null },
      { name: 'partner', type: ['null', 'string'], default: null },
      { name: 'vehicleModel', type: ['null', 'string'], default: null },
      { name: 'meterWh', type: ['null', 'double'], default: null },
      { name: 'meterExportWh', type: ['null', 'double'], default: null },
      { name: 'powerW', type: ['null', 'double'], default: null },
      { name: 'soc', type: ['null', 'double'], default: null },
      {
        name: 'chargingState',
        type: [
          'null',
          { type: 'enum', name: 'ChargingState', symbols: ['Charging', 'EVConnected', 'SuspendedEV', 'SuspendedEVSE', 'Idle'] },
        ],
        default: null,
      },
      { name: 'status', type: ['null', 'string'], default: null },
      { name: 'errorCode', type: ['null', 'string'], default: null },
      { name: 'triggerReason', type: ['null', 'string'], default: null },
      { name: 'stopReason', type: ['null', 'string'], default: null },
      { name: 'edition', type: 'int', default: 0 },
    ],
  },
};
