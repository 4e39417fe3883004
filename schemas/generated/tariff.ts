// Made from avro/tariff.v1.avsc by `npm run types`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

/** Prices for a time of the day; null leaves it to the next rate that matches, at last to the tariff's own price. */
export interface TariffRate {
  /** Minute of the local day, 0 to 1439, inclusive. */
  readonly fromMinute: number;
  /** Minute of the local day, 1 to 1440, exclusive; at or below `fromMinute` it is on the next day. */
  readonly toMinute: number;
  /** ISO days on which it begins, 1 = Monday; empty: every day. */
  readonly weekdays: readonly number[];
  /** Per kWh. */
  readonly energyPerKwhMicro: number | null;
  /** Per minute of charging. */
  readonly chargingPerMinuteMicro: number | null;
  /** Per idle minute. */
  readonly idlePerMinuteMicro: number | null;
}

/** What charging costs, as valid from a time on. Topic `tariffs`, key: tariff id. Prices are integers in millionths of the currency's unit (`Micro`): 0.295 EUR = 295000. */
export interface Tariff {
  /** The tariff; the key of the topic. */
  readonly tariffId: string;
  /** ISO 4217 code. */
  readonly currency: string;
  /** This version holds from here on; UTC milliseconds. */
  readonly validFromMs: number;
  /** Once per session. */
  readonly startFeeMicro: number;
  /** Per kWh. */
  readonly energyPerKwhMicro: number;
  /** Per minute of charging. */
  readonly chargingPerMinuteMicro: number;
  /** Per minute connected without charging, after the free minutes. */
  readonly idlePerMinuteMicro: number;
  /** Idle minutes that cost nothing. */
  readonly idleFreeMinutes: number;
  /** Energy is billed in whole steps of this size, once per session. */
  readonly energyStepWh: number;
  /** Time is billed in whole steps of this size, once per session: its idle time where that is billed, else its charging time. */
  readonly timeStepSeconds: number;
  /** Other prices at times of the day in the site's zone. The first that matches and has a price wins, else the prices above hold. */
  readonly rates: readonly TariffRate[];
}

/** Form of `voltstream.Tariff`, version 1. */
export const tariff: RegisteredForm<Tariff> = {
  kind: 'registered',
  name: 'voltstream.Tariff',
  schema: {
    type: 'record',
    name: 'Tariff',
    namespace: 'voltstream',
    fields: [
      { name: 'tariffId', type: 'string' },
      { name: 'currency', type: 'string' },
      { name: 'validFromMs', type: 'long', default: 0 },
      { name: 'startFeeMicro', type: 'long', default: 0 },
      { name: 'energyPerKwhMicro', type: 'long', default: 0 },
      { name: 'chargingPerMinuteMicro', type: 'long', default: 0 },
      { name: 'idlePerMinuteMicro', type: 'long', default: 0 },
      { name: 'idleFreeMinutes', type: 'int', default: 0 },
      { name: 'energyStepWh', type: 'int', default: 1 },
      { name: 'timeStepSeconds', type: 'int', default: 1 },
      {
        name: 'rates',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'TariffRate',
            fields: [
              { name: 'fromMinute', type: 'int' },
              { name: 'toMinute', type: 'int' },
              { name: 'weekdays', type: { type: 'array', items: 'int' }, default: [] },
              { name: 'energyPerKwhMicro', type: ['null', 'long'], default: null },
              { name: 'chargingPerMinuteMicro', type: ['null', 'long'], default: null },
              { name: 'idlePerMinuteMicro', type: ['null', 'long'], default: null },
            ],
          },
        },
        default: [],
      },
    ],
  },
};
