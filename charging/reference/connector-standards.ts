import type { Connector, Evse } from '../../schemas/generated/station.ts';

/** What the name of a plug says: OCPI's name of the standard (2.3.0, ConnectorType) and the current. */
export type Plug = Pick<Connector, 'standard' | 'current'>;

const ac = (standard: string | null): Plug => ({ standard, current: 'AC' });
const dc = (standard: string | null): Plug => ({ standard, current: 'DC' });

/** A plug of which nothing is known. */
export const unknownPlug: Plug = { standard: null, current: null };

/** Names of the register of the Bundesnetzagentur, in lower case. */
export const germanPlugs: Readonly<Record<string, Plug>> = {
  'ac steckdose typ 1': ac('IEC_62196_T1'), 'ac kupplung typ 1': ac('IEC_62196_T1'), 'ac steckdose typ 2': ac('IEC_62196_T2'),
  'ac kupplung typ 2': ac('IEC_62196_T2'), 'ac typ 2 steckdose': ac('IEC_62196_T2'), 'ac typ 2 fahrzeugkupplung': ac('IEC_62196_T2'),
  'ac schuko': ac('DOMESTIC_F'), 'ac cee 3 polig': ac('IEC_60309_2_single_16'), 'ac cee 5 polig': ac('IEC_60309_2_three_32'),
  'dc kupplung combo': dc('IEC_62196_T2_COMBO'), 'dc fahrzeugkupplung typ combo 2 (ccs)': dc('IEC_62196_T2_COMBO'), 'dc chademo': dc('CHADEMO'),
  'dc kupplung tesla typ 2': dc('IEC_62196_T2'), 'dc tesla fahrzeugkupplung (typ 2)': dc('IEC_62196_T2'),
};

/** Connection types of Open Charge Map by id. What its current says goes before. */
export const openChargeMapPlugs: Readonly<Record<number, Plug>> = {
  1: ac('IEC_62196_T1'), 2: dc('CHADEMO'), 3: ac('DOMESTIC_G'), 8: ac('TESLA_R'), 9: ac('NEMA_5_20'), 10: ac('NEMA_14_30'), 11: ac('NEMA_14_50'),
  16: ac('IEC_60309_2_single_16'), 17: ac('IEC_60309_2_three_32'), 22: ac('DOMESTIC_B'), 23: ac('DOMESTIC_E'), 25: ac('IEC_62196_T2'),
  26: ac('IEC_62196_T3C'), 27: dc('TESLA_S'), 28: ac('DOMESTIC_F'), 29: ac('DOMESTIC_I'), 30: { standard: 'TESLA_S', current: null },
  32: dc('IEC_62196_T1_COMBO'), 33: dc('IEC_62196_T2_COMBO'), 34: ac('IEC_60309_2_single_16'), 35: ac('IEC_60309_2_three_32'),
  36: ac('IEC_62196_T3A'), 1036: ac('IEC_62196_T2'), 1037: ac('DOMESTIC_J'), 1038: ac('GBT_AC'), 1039: ac('GBT_AC'), 1040: dc('GBT_DC'),
};

/** Names of the table of stations all over the world. */
export const plainPlugs: Readonly<Record<string, Plug>> = {
  CCS: dc('IEC_62196_T2_COMBO'), CHAdeMO: dc('CHADEMO'), Tesla: { standard: 'TESLA_S', current: null }, 'Type 2': ac('IEC_62196_T2'),
};

/** Names of Allego's feed. */
export const allegoPlugs: Readonly<Record<string, Plug>> = {
  mennekes: ac('IEC_62196_T2'), combo: dc('IEC_62196_T2_COMBO'), chademo: dc('CHADEMO'),
};

/** A charging place with these plugs, each of this power. */
export function evseOf(evseId: number, plugs: readonly Plug[], powerMaxW: number | null): Evse {
  return { evseId, connectors: plugs.map((plug, index) => ({ connectorId: index + 1, ...plug, powerMaxW })) };
}

/** Kilowatts as watts; nothing, and nought, is unknown. Whole milliwatts, so that 4.6 kW is 4600 W. */
export function wattsOf(kilowatts: number | null): number | null {
  return kilowatts === null || kilowatts === 0 ? null : Math.round(kilowatts * 1e6) / 1e3;
}
