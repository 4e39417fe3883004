// Made from avro/outage-exclusion.v1.avsc by `npm run types`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

export const outageExclusionReasonSymbols = [
  'UtilityInterruption',
  'VehicleFault',
  'ScheduledMaintenance',
  'Vandalism',
  'NaturalDisaster',
  'OutsideOpeningHours',
] as const;
export type OutageExclusionReason = (typeof outageExclusionReasonSymbols)[number];

/** A time in which an outage does not count (23 CFR 680.116(b)(3)), for one EVSE, station, site or operator: for all that it names. Topic `outage-exclusions`, key: exclusion id. */
export interface OutageExclusion {
  /** Identity; the key of the topic. A later record of it replaces it. */
  readonly exclusionId: string;
  /** The station; null: all of the site or operator. */
  readonly stationId: string | null;
  /** Charging port of the station; null: all. */
  readonly evseId: number | null;
  /** The site whose stations are meant. */
  readonly siteId: string | null;
  /** The operator whose stations are meant. */
  readonly operator: string | null;
  /** Start; UTC milliseconds. */
  readonly fromMs: number;
  /** End, itself no part of it; null: it lasts. */
  readonly toMs: number | null;
  /** Why the outage is out of the operator's control. */
  readonly reason: OutageExclusionReason;
  /** What an inspector should read: reference of the utility, police report. */
  readonly note: string | null;
  /** It is no longer claimed. */
  readonly withdrawn: boolean;
  /** When this was told; UTC milliseconds. No part of the exclusion. */
  readonly validFromMs: number;
}

/** Form of `voltstream.OutageExclusion`, version 1. */
export const outageExclusion: RegisteredForm<OutageExclusion> = {
  kind: 'registered',
  name: 'voltstream.OutageExclusion',
  schema: {
    type: 'record',
    name: 'OutageExclusion',
    namespace: 'voltstream',
    fields: [
      { name: 'exclusionId', type: 'string' },
      { name: 'stationId', type: ['null', 'string'], default: null },
      { name: 'evseId', type: ['null', 'int'], default: null },
      { name: 'siteId', type: ['null', 'string'], default: null },
      { name: 'operator', type: ['null', 'string'], default: null },
      { name: 'fromMs', type: 'long' },
      { name: 'toMs', type: ['null', 'long'], default: null },
      {
        name: 'reason',
        type: {
          type: 'enum',
          name: 'OutageExclusionReason',
          symbols: [
            'UtilityInterruption',
            'VehicleFault',
            'ScheduledMaintenance',
            'Vandalism',
            'NaturalDisaster',
            'OutsideOpeningHours',
          ],
        },
      },
      { name: 'note', type: ['null', 'string'], default: null },
      { name: 'withdrawn', type: 'boolean', default: false },
      { name: 'validFromMs', type: 'long', default: 0 },
    ],
  },
};
