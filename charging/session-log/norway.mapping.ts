import type { SessionLogMapping } from './mapping.ts';

/**
 * Garages of apartment houses in Risvollan, Trondheim. Local times, decimal commas. Each private user has a charge point of
 * their own, shared ones have names: the first of the two that is there is the station. `Duration_hours` is what
 * really passed, so that it checks what the zone makes of the local times (17 sessions across the change in October agree; the six
 * across that in March give the difference of the clocks, and five of 22 June are two hours off for a reason nobody knows).
 */
export const norwayMapping: SessionLogMapping = {
  name: 'norway',
  title: 'Risvollan housing cooperative, Trondheim, 2018-12 to 2020-01',
  attribution: 'Sørensen et al., Data in Brief 36 (2021) 107105, CC BY 4.0.',
  operator: 'Risvollan borettslag',
  city: 'Trondheim',
  country: 'NO',
  zone: 'Europe/Oslo',
  delimiter: ';',
  decimalMark: ',',
  noValue: ['NA'],
  columns: {
    id: 'session_ID',
    station: ['Shared_ID', 'User_ID'],
    connector: null,
    start: { columns: ['Start_plugin'], format: 'DD.MM.YYYY HH:mm' },
    stop: { columns: ['End_plugout'], format: 'DD.MM.YYYY HH:mm' },
    energy: { column: 'El_kWh', unit: 'kWh' },
    site: 'Garage_ID',
    model: null,
    idToken: 'User_ID',
    vehicleModel: null,
  },
  optional: [],
  noVehicle: [],
  models: {},
  defaultOutlet: { current: 'AC', powerMaxW: 7_400, standard: 'IEC_62196_T2' },
  checks: [
    { name: 'duration-disagrees', kind: 'duration', column: 'Duration_hours', unit: 'hours', toleranceS: 90 },
    { name: 'weekday-disagrees', kind: 'weekday', column: 'weekdays_plugin' },
  ],
};
