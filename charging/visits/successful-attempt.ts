/** An attempt that delivered no more than this, in Wh, did not succeed. */
export const successWh = 100;

/** Whether an attempt to charge succeeded. Energy that is unknown is no success. */
export function isSuccessful({ energyWh }: { readonly energyWh: number | null }): boolean {
  return energyWh !== null && energyWh > successWh;
}
