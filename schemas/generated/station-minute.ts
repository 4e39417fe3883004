// Made from avro/station-minute.v1.avsc by `npm run types`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

/** Load of a station in one minute of event time. Absolute values. */
export interface StationMinute {
  /** Station; the key of the topic. */
  readonly stationId: string;
  /** Begin of the minute, inclusive; UTC milliseconds. */
  readonly startMs: number;
  /** Energy delivered in the minute. */
  readonly energyWh: number;
  /** Meter samples counted in. */
  readonly samples: number;
  /** Highest power seen; null: none was reported. */
  readonly peakPowerW: number | null;
  /** Transactions started. */
  readonly sessionsStarted: number;
  /** Transactions ended. */
  readonly sessionsEnded: number;
  /** Events with an error code. */
  readonly errors: number;
}

/** Form of `voltstream.StationMinute`, version 1. */
export const stationMinute: RegisteredForm<StationMinute> = {
  kind: 'registered',
  name: 'voltstream.StationMinute',
  schema: {
    type: 'record',
    name: 'StationMinute',
    namespace: 'voltstream',
    fields: [
      { name: 'stationId', type: 'string' },
      { name: 'startMs', type: 'long' },
      { name: 'energyWh', type: 'double', default: 0 },
      { name: 'samples', type: 'int', default: 0 },
      { name: 'peakPowerW', type: ['null', 'double'], default: null },
      { name: 'sessionsStarted', type: 'int', default: 0 },
      { name: 'sessionsEnded', type: 'int', default: 0 },
      { name: 'errors', type: 'int', default: 0 },
    ],
  },
};
