import type { RegisterFlag, RegisterLimits } from './read-registers.ts';

/** The readings of a register in order, none below zero. */
export interface MeteredPoints {
  readonly milliWh: readonly number[];
  /** A reading was taken between these. */
  readonly fromMs: readonly number[];
  readonly toMs: readonly number[];
  /** Time since the start in which energy may have flowed: all but that of which the state says that none did. */
  readonly flowingMs: readonly number[];
  /** The first is the start of the session, reported or assumed. */
  readonly hasStart: boolean;
  /** The first was not read: it is the zero from which a register of the session counts. */
  readonly zeroAssumed: boolean;
}

/** Energy between two readings that are believed. */
export interface BelievedStep {
  readonly from: number;
  readonly to: number;
  readonly milliWh: number;
  /** Since which reading it flowed: `from`, or, where the register stood still and caught up, the first of those that are the same. */
  readonly since: number;
  /** Energy until each reading between, which counts from zero at the start; null: nothing is known of them. */
  readonly within: readonly number[] | null;
}

export interface BelievedPath {
  readonly steps: readonly BelievedStep[];
  /** First and last reading that are believed. */
  readonly first: number;
  readonly last: number;
  readonly flags: ReadonlySet<RegisterFlag>;
  /** A step between them is not explained: the energy is unknown. */
  readonly unknown: boolean;
  /** Each reading follows from the one before it. */
  readonly plain: boolean;
}

/** Meters read a little high, and the clocks of some logs show minutes: a connector may give this much more than its rating. */
export const powerTolerance = 1.25;
export const clockToleranceMs = 120_000;
/** What a connector may give whose rating is unknown, in W. */
const unknownPowerW = 1_000_000;

/** The most that a connector can give in this time, in mWh. */
export function mostMilliWh(limits: RegisterLimits, lengthMs: number): number {
  return Math.floor(((limits.powerMaxW ?? unknownPowerW) * powerTolerance * (lengthMs + clockToleranceMs)) / 3600);
}

/** A register that was reset in a session has counted at most this since; the next reading above it is another register. */
const sinceResetMostMilliWh = 300_000_000;
/** Where registers begin again: powers of ten Wh, and what fits in 31 and 32 bits of Wh, of tenths of it and of mWh. */
const rollOverLimits: readonly number[] = [
  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, ...[1, 100, 1000].flatMap((unit) => [2 ** 31 * unit, 2 ** 32 * unit]),
].sort((a, b) => a - b);
/** How far below its limit a register may be read last, as a part of the limit. */
const rollOverNear = 0.01;

/** How unlikely each explanation is. The path with the lowest sum is believed. */
const costs = { caughtUp: 1, rolledOver: 9, mixed: 9, outlier: 10, reset: 11, foreign: 13, edge: 14, unexplained: 45 } as const;
type Explanation = 'plausible' | 'caughtUp' | 'rolledOver' | 'mixed' | 'foreign' | 'reset' | 'unexplained';

interface Move {
  readonly from: number;
  readonly cost: number;
  readonly explanation: Explanation;
}

/** At most so many readings in a row are outliers. */
const outliersMost = 2;

/**
 * What is believed of readings of which some do not follow from those before them: the path through them whose explanations are
 * the least unlikely. A reading that is off the path is an outlier; it takes two that agree to make one at the edge.
 */
export function believedPath(points: MeteredPoints, limits: RegisterLimits): BelievedPath {
  return plainPath(points, limits) ?? new PathSearch(points, limits).path();
}

const noFlags: ReadonlySet<RegisterFlag> = new Set();

/** The usual case: each reading follows from the one before it. */
function plainPath({ milliWh, fromMs, toMs }: MeteredPoints, limits: RegisterLimits): BelievedPath | null {
  const steps: BelievedStep[] = [];
  for (let to = 1; to < milliWh.length; to += 1) {
    const moved = (milliWh[to] as number) - (milliWh[to - 1] as number);
    if (moved < 0 || moved > mostMilliWh(limits, (toMs[to] as number) - (fromMs[to - 1] as number))) return null;
    steps.push({ from: to - 1, to, milliWh: moved, since: to - 1, within: null });
  }
  return { steps, first: 0, last: milliWh.length - 1, flags: noFlags, unknown: false, plain: true };
}

class PathSearch {
  readonly #points: MeteredPoints;
  readonly #limits: RegisterLimits;
  readonly #count: number;
  /** First reading of those before, with it, that follow each from the other; and of those that are the same. */
  readonly #runStart: number[] = [];
  readonly #stillSince: number[] = [];
  readonly #cost: number[] = [];
  readonly #move: (Move | null)[] = [];

  constructor(points: MeteredPoints, limits: RegisterLimits) {
    this.#points = points;
    this.#limits = limits;
    this.#count = points.milliWh.length;
    for (let at = 0; at < this.#count; at += 1) {
      const follows = at > 0 && this.#isPlausible(at - 1, at);
      this.#runStart.push(follows ? this.#runStart[at - 1] as number : at);
      const same = at > 0 && points.milliWh[at] === points.milliWh[at - 1];
      this.#stillSince.push(same ? this.#stillSince[at - 1] as number : at);
    }
  }

  path(): BelievedPath {
    const count = this.#count;
    for (let at = 0; at < count; at += 1) this.#reach(at);
    let last = count - 1;
    if (count >= 3 && this.#isPlausible(count - 3, count - 2) && this.#move[count - 2] !== null) {
      if ((this.#cost[count - 2] as number) + costs.edge < (this.#cost[count - 1] as number)) last = count - 2;
    }
    return this.#trace(last);
  }

  /** Finds the cheapest way to a reading. */
  #reach(at: number): void {
    let cost = Infinity;
    let move: Move | null = null;
    if (at === 0) cost = 0;
    else if (at === 1 && this.#count >= 3 && this.#isPlausible(1, 2)) cost = costs.edge;
    const consider = (found: Move | null): void => {
      if (found === null) return;
      const sum = (this.#cost[found.from] as number) + found.cost;
      if (sum < cost) {
        cost = sum;
        move = found;
      }
    };
    for (let skipped = 0; skipped <= outliersMost && skipped < at; skipped += 1) consider(this.#step(at - 1 - skipped, at));
    if (at >= 2) consider(this.#another((this.#runStart[at - 1] as number) - 1, at));
    this.#cost.push(cost);
    this.#move.push(move);
  }

  #step(from: number, to: number): Move | null {
    const skippedCost = (to - from - 1) * costs.outlier;
    const explanation = this.#explanation(from, to);
    if (to - from > 1 && !this.#mayLeaveOut(from, to)) return null;
    if (explanation === 'plausible') return { from, cost: skippedCost, explanation };
    if (explanation === 'unexplained' && to - from > 1) return null;
    return { from, cost: skippedCost + costs[explanation], explanation };
  }

  /** A last reading that jumps up does not make outliers of those before it that agree, nor does time in which nothing flowed. */
  #mayLeaveOut(from: number, to: number): boolean {
    const { flowingMs } = this.#points;
    const moved = this.#moved(from, to);
    if (moved <= 0 || this.#isFollowed(to)) return true;
    if (moved > mostMilliWh(this.#limits, (flowingMs[to] as number) - (flowingMs[from] as number))) return false;
    for (let at = from + 1; at < to; at += 1) {
      if (this.#isPlausible(from, at) && this.#moved(at, to) > 0) return false;
    }
    return true;
  }

  #explanation(from: number, to: number): Exclude<Explanation, 'mixed' | 'foreign'> {
    if (this.#isPlausible(from, to)) return 'plausible';
    const { milliWh, flowingMs } = this.#points;
    const moved = this.#moved(from, to);
    if (moved > 0) {
      const since = this.#stillSince[from] as number;
      const flowedMs = (flowingMs[to] as number) - (flowingMs[since] as number);
      return since < from && moved <= mostMilliWh(this.#limits, flowedMs) ? 'caughtUp' : 'unexplained';
    }
    if (this.#rolledOver(from, to) !== null) return 'rolledOver';
    const counted = milliWh[to] as number;
    const most = Math.min(this.#most(from, to), sinceResetMostMilliWh);
    return counted <= most && this.#isBorneOut(from, to) ? 'reset' : 'unexplained';
  }

  /** After a reset the register goes on from where it is; one that counts the session's energy may show the one before at its start. */
  #isBorneOut(from: number, to: number): boolean {
    if (from === 0 && this.#points.hasStart && this.#limits.scope === 'session') return true;
    return this.#isFollowed(to);
  }

  #isFollowed(at: number): boolean {
    return (at + 1 < this.#count && this.#isPlausible(at, at + 1)) || (at + 2 < this.#count && this.#isPlausible(at, at + 2));
  }

  /** The energy when the register began again at a limit, or null. */
  #rolledOver(from: number, to: number): number | null {
    if (this.#limits.scope === 'session') return null;
    const before = this.#points.milliWh[from] as number;
    const after = this.#points.milliWh[to] as number;
    for (const limit of rollOverLimits) {
      if (before > limit) continue;
      if (limit - before > limit * rollOverNear) return null;
      const moved = limit - before + after;
      return moved <= this.#most(from, to) ? moved : null;
    }
    return null;
  }

  /**
   * Readings between that follow each from the other, but not from those around them, which do: they count from zero at the start while
   * the others count for ever; or they are of another kind (another unit, another meter), and are left out.
   */
  #another(from: number, to: number): Move | null {
    const { milliWh, hasStart, zeroAssumed } = this.#points;
    if (from < 0 || !this.#isPlausible(from, to)) return null;
    const base = milliWh[0] as number;
    const first = base + (milliWh[from + 1] as number);
    const last = base + (milliWh[to - 1] as number);
    const fits = first >= (milliWh[from] as number) && last <= (milliWh[to] as number);
    if (hasStart && !zeroAssumed && base > 0 && fits) return { from, cost: costs.mixed, explanation: 'mixed' };
    return to - from > 2 && !this.#isPlausible(to - 1, to) ? { from, cost: costs.foreign, explanation: 'foreign' } : null;
  }

  #moved(from: number, to: number): number {
    return (this.#points.milliWh[to] as number) - (this.#points.milliWh[from] as number);
  }

  #most(from: number, to: number): number {
    return mostMilliWh(this.#limits, (this.#points.toMs[to] as number) - (this.#points.fromMs[from] as number));
  }

  #isPlausible(from: number, to: number): boolean {
    const moved = this.#moved(from, to);
    return moved >= 0 && moved <= this.#most(from, to);
  }

  #trace(last: number): BelievedPath {
    const flags = new Set<RegisterFlag>();
    const steps: BelievedStep[] = [];
    let unknown = false;
    if (last < this.#count - 1) flags.add('register-outlier');
    let to = last;
    for (let move = this.#move[to]; move !== null && move !== undefined; move = this.#move[to]) {
      const { from, explanation } = move;
      if (explanation === 'unexplained') {
        unknown = true;
        flags.add(this.#moved(from, to) < 0 ? 'negative-energy' : 'implausible-energy');
      }
      if (explanation === 'mixed') flags.add('register-mixed');
      else if (to - from > 1) flags.add('register-outlier');
      if (explanation === 'reset') flags.add('register-reset');
      if (explanation === 'rolledOver') flags.add('register-rolled-over');
      steps.push(this.#believed(from, to, explanation));
      to = from;
    }
    if (to > 0 && !this.#points.zeroAssumed) flags.add('register-outlier');
    return { steps: steps.reverse(), first: to, last, flags, unknown, plain: false };
  }

  #believed(from: number, to: number, explanation: Explanation): BelievedStep {
    const { milliWh } = this.#points;
    const since = explanation === 'caughtUp' ? this.#stillSince[from] as number : from;
    let moved = this.#moved(from, to);
    if (explanation === 'rolledOver') moved = this.#rolledOver(from, to) as number;
    if (explanation === 'reset') moved = milliWh[to] as number;
    if (explanation === 'unexplained') moved = 0;
    if (explanation !== 'mixed') return { from, to, milliWh: moved, since, within: null };
    const base = (milliWh[0] as number) - (milliWh[from] as number);
    return { from, to, milliWh: moved, since, within: milliWh.slice(from + 1, to).map((one) => base + one) };
  }
}
