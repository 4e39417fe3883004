// Made from avro/station.v1.avsc by `npm run types`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

export const stationAccessSymbols = ['public', 'private', 'restricted'] as const;
export type StationAccess = (typeof stationAccessSymbols)[number];

export const currentTypeSymbols = ['AC', 'DC'] as const;
export type CurrentType = (typeof currentTypeSymbols)[number];

/** A connector of an EVSE. */
export interface Connector {
  /** Number in the EVSE, from 1. */
  readonly connectorId: number;
  /** OCPI connector standard, e.g. IEC_62196_T2_COMBO. */
  readonly standard: string | null;
  /** Alternating or direct current. */
  readonly current: CurrentType | null;
  /** Highest power in W. */
  readonly powerMaxW: number | null;
}

/** A charging place of a station. */
export interface Evse {
  /** Number in the station, from 1. */
  readonly evseId: number;
  /** Connectors of the place. */
  readonly connectors: readonly Connector[];
}

export const registerScopeSymbols = ['lifetime', 'session'] as const;
export type RegisterScope = (typeof registerScopeSymbols)[number];

/** A charging station with its EVSEs and connectors, as valid from a time on. Topic `stations`, key: station id. */
export interface Station {
  /** The station; the key of the topic. */
  readonly stationId: string;
  /** Site (location) that the station belongs to. */
  readonly siteId: string | null;
  /** Name for people. */
  readonly name: string | null;
  /** Charge-point operator. */
  readonly operator: string | null;
  /** Street and number. */
  readonly address: string | null;
  /** City or place. */
  readonly city: string | null;
  /** State, county or region. */
  readonly region: string | null;
  /** ISO 3166-1 alpha-2 code. */
  readonly country: string | null;
  /** Degrees north, WGS 84. */
  readonly latitude: number | null;
  /** Degrees east, WGS 84. */
  readonly longitude: number | null;
  /** IANA time zone of the site. */
  readonly timeZone: string;
  /** Who may charge here. */
  readonly access: StationAccess;
  /** Open 24 hours on 7 days. */
  readonly openAlways: boolean;
  /** Opening hours as the source writes them. */
  readonly openingHours: string | null;
  /** This version holds from here on; UTC milliseconds. */
  readonly validFromMs: number;
  /** Charging places; each serves one vehicle at a time. */
  readonly evses: readonly Evse[];
  /** Tariff in force here. */
  readonly tariffId: string | null;
  /** What the energy register counts: all that the meter ever saw, or one session. */
  readonly registerScope: RegisterScope;
}

/** Form of `voltstream.Station`, version 1. */
export const station: RegisteredForm<Station> = {
  kind: 'registered',
  name: 'voltstream.Station',
  schema: {
    type: 'record',
    name: 'Station',
    namespace: 'voltstream',
    fields: [
      { name: 'stationId', type: 'string' },
      { name: 'siteId', type: ['null', 'string'], default: null },
      { name: 'name', type: ['null', 'string'], default: null },
      { name: 'operator', type: ['null', 'string'], default: null },
      { name: 'address', type: ['null', 'string'], default: null },
      { name: 'city', type: ['null', 'string'], default: null },
      { name: 'region', type: ['null', 'string'], default: null },
      { name: 'country', type: ['null', 'string'], default: null },
      { name: 'latitude', type: ['null', 'double'], default: null },
      { name: 'longitude', type: ['null', 'double'], default: null },
      { name: 'timeZone', type: 'string', default: 'UTC' },
      {
        name: 'access',
        type: { type: 'enum', name: 'StationAccess', symbols: ['public', 'private', 'restricted'] },
        default: 'public',
      },
      { name: 'openAlways', type: 'boolean', default: false },
      { name: 'openingHours', type: ['null', 'string'], default: null },
      { name: 'validFromMs', type: 'long', default: 0 },
      {
        name: 'evses',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'Evse',
            fields: [
              { name: 'evseId', type: 'int' },
              {
                name: 'connectors',
                type: {
                  type: 'array',
                  items: {
                    type: 'record',
                    name: 'Connector',
                    fields: [
                      { name: 'connectorId', type: 'int' },
                      { name: 'standard', type: ['null', 'string'], default: null },
                      {
                        name: 'current',
                        type: ['null', { type: 'enum', name: 'CurrentType', symbols: ['AC', 'DC'] }],
                        default: null,
                      },
                      { name: 'powerMaxW', type: ['null', 'double'], default: null },
                    ],
                  },
                },
                default: [],
              },
            ],
          },
        },
        default: [],
      },
      { name: 'tariffId', type: ['null', 'string'], default: null },
      {
        name: 'registerScope',
        type: { type: 'enum', name: 'RegisterScope', symbols: ['lifetime', 'session'] },
        default: 'lifetime',
      },
    ],
  },
};
