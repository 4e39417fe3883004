const eastern = 'America/New_York';
const central = 'America/Chicago';
const mountain = 'America/Denver';
const pacific = 'America/Los_Angeles';

/** The zone that most of a state keeps. */
const zoneOfMost: Readonly<Record<string, string>> = Object.fromEntries([
  [eastern, 'CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV'],
  [central, 'AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI'],
  [mountain, 'CO ID MT NM UT WY'],
  [pacific, 'CA NV OR WA'],
  ['America/Phoenix', 'AZ'], ['America/Anchorage', 'AK'], ['Pacific/Honolulu', 'HI'], ['America/Puerto_Rico', 'PR VI'],
  ['Pacific/Guam', 'GU MP'], ['Pacific/Pago_Pago', 'AS'],
].flatMap(([zone = '', states = '']) => states.split(' ').map((state) => [state, zone])));

type Part = readonly [zone: string, inside: (latitude: number, longitude: number) => boolean];

/**
 * Parts of states that keep another zone, each bounded by one meridian or a corner. Borders follow counties, so that a place within
 * some 50 km of one may get its neighbour's zone.
 */
const partsOf: Readonly<Record<string, readonly Part[]>> = {
  AK: [['America/Adak', (_latitude, longitude) => longitude < -169.5]],
  FL: [[central, (latitude, longitude) => longitude < -85.1 && latitude > 29.9]],
  ID: [[pacific, (latitude) => latitude > 45.6]],
  IN: [
    [central, (latitude, longitude) => longitude < -86.8 && latitude > 40.9],
    [central, (latitude, longitude) => longitude < -86.9 && latitude < 38.3],
  ],
  KS: [[mountain, (latitude, longitude) => longitude < -101.5 && latitude > 37.7 && latitude < 39.6]],
  KY: [[central, (_latitude, longitude) => longitude < -86]],
  MI: [[central, (latitude, longitude) => longitude < -87.6 && latitude < 46.7 && latitude > 45]],
  ND: [[mountain, (latitude, longitude) => longitude < -101.5 && latitude < 47.3]],
  NE: [[mountain, (_latitude, longitude) => longitude < -101.2]],
  OR: [[mountain, (latitude, longitude) => longitude > -118.2 && latitude > 42.4 && latitude < 44.5]],
  SD: [[mountain, (_latitude, longitude) => longitude < -100.7]],
  TN: [[eastern, (latitude, longitude) => longitude > (latitude < 35.5 ? -85.5 : -85)]],
  TX: [[mountain, (_latitude, longitude) => longitude < -104.9]],
};

/** Zone of a place in the United States by state and, where the state has two, by coordinates; null for a state that is none. */
export function zoneInUnitedStates(
  state: string | null, latitude: number | null, longitude: number | null,
): { readonly zone: string; readonly exact: boolean } | null {
  const most = state === null ? undefined : zoneOfMost[state.toUpperCase()];
  if (state === null || most === undefined) return null;
  const parts = partsOf[state.toUpperCase()] ?? [];
  const part = latitude === null || longitude === null ? undefined : parts.find(([, inside]) => inside(latitude, longitude));
  return { zone: part?.[0] ?? most, exact: parts.length === 0 };
}
