// Made from avro/vehicle.v1.avsc by `npm run types`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

/** A point of a charge curve. */
export interface ChargeCurvePoint {
  /** State of charge in percent. */
  readonly soc: number;
  /** Highest power there, in W. */
  readonly powerW: number;
}

/** A vehicle model and how it charges. Topic `vehicles`, key: model. */
export interface Vehicle {
  /** Make, model and variant; the key of the topic. */
  readonly model: string;
  /** Class for reports, e.g. car, van, bus. */
  readonly vehicleClass: string | null;
  /** Usable battery in Wh. */
  readonly batteryWh: number | null;
  /** Highest power on alternating current. */
  readonly acPowerMaxW: number | null;
  /** Highest power on direct current. */
  readonly dcPowerMaxW: number | null;
  /** Highest direct-current power by state of charge, ascending; linear between points. */
  readonly chargeCurve: readonly ChargeCurvePoint[];
  /** This version holds from here on; UTC milliseconds. */
  readonly validFromMs: number;
}

/** Form of `voltstream.Vehicle`, version 1. */
export const vehicle: RegisteredForm<Vehicle> = {
  kind: 'registered',
  name: 'voltstream.Vehicle',
  schema: {
    type: 'record',
    name: 'Vehicle',
    namespace: 'voltstream',
    fields: [
      { name: 'model', type: 'string' },
      { name: 'vehicleClass', type: ['null', 'string'], default: null },
      { name: 'batteryWh', type: ['null', 'double'], default: null },
      { name: 'acPowerMaxW', type: ['null', 'double'], default: null },
      { name: 'dcPowerMaxW', type: ['null', 'double'], default: null },
      {
        name: 'chargeCurve',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'ChargeCurvePoint',
            fields: [{ name: 'soc', type: 'double' }, { name: 'powerW', type: 'double' }],
          },
        },
        default: [],
      },
      { name: 'validFromMs', type: 'long', default: 0 },
    ],
  },
};
