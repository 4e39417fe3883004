import type { SessionLogMapping } from './mapping.ts';

/**
 * Public charging sessions of Dundee, Scotland, 2017-09 to 2018-09 (see `charging/data/dundee/README.md`).
 *
 * `Connector` numbers the outlets of a charge point. The power of an outlet follows from the model's name; rapid chargers
 * count as 50 kW on each outlet, though the alternating-current one gives 43 kW at most.
 */
export const dundeeMapping: SessionLogMapping = {
  name: 'dundee',
  title: 'Dundee City Council, charging sessions 2017-09 to 2018-09',
  attribution: 'Dundee City Council. Contains public sector information licensed under the Open Government Licence v3.0.',
  operator: 'Dundee City Council',
  city: 'Dundee',
  country: 'GB',
  zone: 'Europe/London',
  delimiter: ',',
  decimalMark: '.',
  noValue: [],
  columns: {
    id: 'Charging event',
    station: 'CP ID',
    connector: 'Connector',
    start: { columns: ['Start Date', 'Start Time'], format: 'DD/MM/YYYY HH:mm' },
    stop: { columns: ['End Date', 'End Time'], format: 'DD/MM/YYYY HH:mm' },
    energy: { column: 'Total kWh', unit: 'kWh' },
    site: 'Site',
    model: 'Model',
    idToken: 'User ID',
    vehicleModel: '#16',
  },
  optional: ['User ID', '#16'],
  noVehicle: ['Multiple vehicles available', 'Other Other'],
  models: {
    'APT 7kW Single Outlet': { current: 'AC', powerMaxW: 7_000, standard: 'IEC_62196_T2' },
    'APT 7kW Dual Outlet': { current: 'AC', powerMaxW: 7_000, standard: 'IEC_62196_T2' },
    'APT 22kW Dual Outlet': { current: 'AC', powerMaxW: 22_000, standard: 'IEC_62196_T2' },
    'APT Dual Rapid Charger': { current: 'DC', powerMaxW: 50_000, standard: null },
    'APT Triple Rapid Charger': { current: 'DC', powerMaxW: 50_000, standard: null },
    'APT 50kW Raption': { current: 'DC', powerMaxW: 50_000, standard: null },
  },
  // Named 7 kW, but 335 of their sessions have a mean power above that, up to 22 kW and never more.
  stations: {
    51085: { current: 'AC', powerMaxW: 22_000, standard: 'IEC_62196_T2' },
    51087: { current: 'AC', powerMaxW: 22_000, standard: 'IEC_62196_T2' },
    51088: { current: 'AC', powerMaxW: 22_000, standard: 'IEC_62196_T2' },
  },
  defaultOutlet: null,
};
