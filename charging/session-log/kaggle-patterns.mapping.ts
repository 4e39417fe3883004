import type { SessionLogMapping } from './mapping.ts';

/**
 * The widely copied table of generated "charging patterns". Its columns contradict each other, which makes it a good test of the
 * checks, and no truth about charging. It names no zone, and one station stands in several cities.
 */
export const kagglePatternsMapping: SessionLogMapping = {
  name: 'kaggle-patterns',
  title: 'Electric Vehicle Charging Patterns (generated data), 2024-01 to 2024-02',
  attribution: 'Electric Vehicle Charging Patterns, Kaggle; licence not stated.',
  operator: null,
  city: null,
  country: 'US',
  zone: 'UTC',
  delimiter: ',',
  decimalMark: '.',
  noValue: [],
  columns: {
    id: null,
    station: 'Charging Station ID',
    connector: null,
    start: { columns: ['Charging Start Time'], format: 'YYYY-MM-DD HH:mm:ss' },
    stop: { columns: ['Charging End Time'], format: 'YYYY-MM-DD HH:mm:ss' },
    energy: { column: 'Energy Consumed (kWh)', unit: 'kWh' },
    site: 'Charging Station Location',
    model: 'Charger Type',
    idToken: 'User ID',
    vehicleModel: 'Vehicle Model',
    socFrom: 'State of Charge (Start %)',
    socTo: 'State of Charge (End %)',
  },
  optional: [],
  noVehicle: [],
  models: {
    'Level 1': { current: 'AC', powerMaxW: 1_900, standard: 'IEC_62196_T1' },
    'Level 2': { current: 'AC', powerMaxW: 19_200, standard: 'IEC_62196_T1' },
    'DC Fast Charger': { current: 'DC', powerMaxW: 150_000, standard: null },
  },
  defaultOutlet: null,
  checks: [
    { name: 'duration-disagrees', kind: 'duration', column: 'Charging Duration (hours)', unit: 'hours', toleranceS: 60 },
    { name: 'weekday-disagrees', kind: 'weekday', column: 'Day of Week' },
    {
      name: 'time-of-day-disagrees', kind: 'timeOfDay', column: 'Time of Day',
      hours: { Night: [0, 6], Morning: [6, 12], Afternoon: [12, 18], Evening: [18, 24] },
    },
    { name: 'soc-falls', kind: 'ascending', of: ['State of Charge (Start %)', 'State of Charge (End %)'] },
    { name: 'soc-above-100', kind: 'ascending', of: ['State of Charge (End %)', 100] },
    { name: 'energy-above-battery', kind: 'ascending', of: ['Energy Consumed (kWh)', 'Battery Capacity (kWh)'] },
    { name: 'incomplete', kind: 'present', columns: ['Energy Consumed (kWh)', 'Charging Rate (kW)', 'Distance Driven (since last charge) (km)'] },
  ],
};
