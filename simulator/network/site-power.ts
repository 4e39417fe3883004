import type { Sharing } from '../profile.ts';

/** Who wants power at a site, in the order in which they came. */
export interface PowerWish {
  /** What vehicle, connector and station allow now. */
  readonly wantsW: number;
  readonly leavesMs: number;
}

/**
 * Shares a site's power: no one gets more than is wanted, together not more than there is.
 * - `equal`: what is wanted up to one level for all (water filling): what the modest leave goes to the others;
 * - `first-come`: in order of arrival, each all that is wanted as long as it lasts;
 * - `earliest-departure`: the same in order of departure.
 */
export function sharePower(wishes: readonly PowerWish[], totalW: number, sharing: Sharing): Float64Array {
  const given = new Float64Array(wishes.length);
  const order = wishes.map((_, at) => at);
  if (sharing === 'equal') order.sort((left, right) => (wishes[left] as PowerWish).wantsW - (wishes[right] as PowerWish).wantsW || left - right);
  if (sharing === 'earliest-departure') order.sort((left, right) => (wishes[left] as PowerWish).leavesMs - (wishes[right] as PowerWish).leavesMs || left - right);
  let leftW = totalW;
  for (const [place, at] of order.entries()) {
    const { wantsW } = wishes[at] as PowerWish;
    const mostW = sharing === 'equal' ? leftW / (order.length - place) : leftW;
    const powerW = wantsW < mostW ? wantsW : mostW;
    given[at] = powerW;
    leftW -= powerW;
  }
  return given;
}
