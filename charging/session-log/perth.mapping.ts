import type { SessionLogMapping } from './mapping.ts';

/**
 * Public charging sessions of Perth & Kinross, Scotland. For the edition with days before months and without ids; the portal's
 * own export swaps day and month wherever the day is 12 or less, and cannot be told right from wrong row by row.
 *
 * The log has no id: a session is known by charge point, connector and start.
 */
export const perthMapping: SessionLogMapping = {
  name: 'perth',
  title: 'Perth & Kinross Council, charging sessions 2016-09 to 2019-08',
  attribution: 'Perth & Kinross Council. Contains public sector information licensed under the Open Government Licence v3.0.',
  operator: 'Perth & Kinross Council',
  city: 'Perth',
  country: 'GB',
  zone: 'Europe/London',
  delimiter: ',',
  decimalMark: '.',
  noValue: [],
  columns: {
    id: null,
    station: 'CP ID',
    connector: 'Connector',
    start: { columns: ['Start Date', 'Start Time'], format: 'DD/MM/YYYY HH:mm' },
    stop: { columns: ['End Date', 'End Time'], format: 'DD/MM/YYYY HH:mm' },
    energy: { column: 'Total kWh', unit: 'kWh' },
    site: 'Site',
    model: 'Model',
    idToken: null,
    vehicleModel: null,
  },
  optional: [],
  noVehicle: [],
  models: {
    'APT 7kW Dual Outlet': { current: 'AC', powerMaxW: 7_000, standard: 'IEC_62196_T2' },
    'Siemens 7 kW Dual Outlet': { current: 'AC', powerMaxW: 7_000, standard: 'IEC_62196_T2' },
    'APT 22kW Dual Outlet': { current: 'AC', powerMaxW: 22_000, standard: 'IEC_62196_T2' },
    'APT 22kW Raption': { current: 'DC', powerMaxW: 22_000, standard: null },
    'Siemens Semi-Rapid': { current: 'DC', powerMaxW: 25_000, standard: null },
    'APT Triple Rapid Charger': { current: 'DC', powerMaxW: 50_000, standard: null },
    'Siemens Triple Rapid Charger': { current: 'DC', powerMaxW: 50_000, standard: null },
  },
  defaultOutlet: null,
};
