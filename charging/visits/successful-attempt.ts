/** An attempt that delivered no more than this, in Wh, did not succeed. */
export const successWh = 100;

/**
 * Whether an attempt to charge succeeded: more than 0.1 kWh was delivered. Energy that is unknown is no success.
 *
 * The field agrees on the question, not on a number: a charge succeeds when energy begins to flow and what follows is not cut
 * short (Charging Success Rate, Nationale Leitstelle Ladeinfrastruktur and P3, 2026), and what counts for the driver is
 * whether a visit, after one or more tries, ended with a charge (charging visits: Transportation Research Record 2024,
 * doi 10.1177/03611981241244798; visit and first-time success: ChargeX Consortium, ChargerHelp). Why a charge ended, no message says for certain,
 * so the energy decides. 0.1 kWh is our own bound: ten seconds of a fast charger at 36 kW, or half a kilometre. Handshakes and isolation tests stay
 * below it, and so does a register that counts in steps of 0.1 kWh and moved by one.
 */
export function isSuccessful({ energyWh }: { readonly energyWh: number | null }): boolean {
  return energyWh !== null && energyWh > successWh;
}
