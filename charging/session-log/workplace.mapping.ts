import type { SessionLogMapping } from './mapping.ts';

/**
 * Workplace charging in the United States. Local times of places that are not named: they are read as Eastern ones. The years
 * are written 0014 and 0015.
 */
export const workplaceMapping: SessionLogMapping = {
  name: 'workplace',
  title: 'Workplace charging, 2014-11 to 2015-10',
  attribution: 'Asensio et al., Harvard Dataverse QF1PMO (CC0).',
  operator: null,
  city: null,
  country: 'US',
  zone: 'America/New_York',
  delimiter: ',',
  decimalMark: '.',
  noValue: ['NA'],
  columns: {
    id: 'sessionId',
    station: 'stationId',
    connector: null,
    start: { columns: ['created'], format: 'YYYY-MM-DD HH:mm:ss', yearsAdded: 2000 },
    stop: { columns: ['ended'], format: 'YYYY-MM-DD HH:mm:ss', yearsAdded: 2000 },
    energy: { column: 'kwhTotal', unit: 'kWh' },
    site: 'locationId',
    model: null,
    idToken: 'userId',
    vehicleModel: null,
  },
  optional: [],
  noVehicle: [],
  models: {},
  defaultOutlet: { current: 'AC', powerMaxW: 7_200, standard: 'IEC_62196_T1' },
  checks: [
    { name: 'duration-disagrees', kind: 'duration', column: 'chargeTimeHrs', unit: 'hours', toleranceS: 2 },
    { name: 'weekday-disagrees', kind: 'weekday', column: 'weekday' },
  ],
};
