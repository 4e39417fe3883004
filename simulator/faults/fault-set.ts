import type { FaultKind } from '../profile.ts';
import { faultKinds } from '../profile.ts';

const kinds = Object.keys(faultKinds) as FaultKind[];
const bits = new Map(kinds.map((kind, at) => [kind, 2 ** at]));

/** A set of kinds of faults as bits of a number. */
export function withFault(set: number, kind: FaultKind): number {
  return set | (bits.get(kind) as number);
}

export function faultsOf(set: number): readonly FaultKind[] {
  return set === 0 ? [] : kinds.filter((_, at) => (set & (2 ** at)) !== 0);
}
