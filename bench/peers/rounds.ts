/** Which runs there are, in which order, and which of them are still to be made. */
import type { Failure, Result } from './report.ts';
import { isResult } from './report.ts';
import type { Side } from './sides.ts';
import { takesPart } from './sides.ts';
import type { Workload } from './workloads.ts';

export interface RunPlace {
  readonly workload: Workload;
  readonly side: Side;
  /** From 1; 0 for the warm-up, which is not kept. */
  readonly round: number;
}

/** Round by round, so that whenever it is stopped all have been measured equally often; nobody has always the same place in the turn. */
export function runsOf(workloads: readonly Workload[], sides: readonly Side[], rounds: number): readonly RunPlace[] {
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) => workloads.flatMap((workload, place) =>
    turned(sides.filter((side) => takesPart(side, workload)), round + place).map((side) => ({ workload, side, round }))));
}

/** One of each side, of the first workload that it takes part in: broker, disk cache and the sides' files are warm afterwards. */
export function warmUpOf(workloads: readonly Workload[], sides: readonly Side[]): readonly RunPlace[] {
  return sides.flatMap((side) => {
    const workload = workloads.find((one) => takesPart(side, one));
    return workload === undefined ? [] : [{ workload, side, round: 0 }];
  });
}

/** Without those that were made, and without a side that has only ever failed at a workload. */
export function openRuns(all: readonly RunPlace[], made: readonly (Result | Failure)[]): readonly RunPlace[] {
  return all.filter(({ workload, side, round }) => {
    const alike = made.filter((one) => one.workload === workload && one.side === side);
    return !alike.some((one) => one.round === round) && (alike.length === 0 || alike.some(isResult));
  });
}

function turned<T>(list: readonly T[], by: number): readonly T[] {
  return list.map((_, index) => list[(index + by) % list.length] as T);
}
