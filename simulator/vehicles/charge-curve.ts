/** Highest power that a battery takes, by its state of charge: straight lines between points, in ascending order of charge from 0 to 100 percent. */
export interface ChargePoint {
  readonly soc: number;
  readonly powerW: number;
}

/** What charging for some time has done. */
export interface Charged {
  /** In percent. */
  soc: number;
  /** Drawn from the grid, losses included. */
  energyWh: number;
}

const HOUR_MS = 3_600_000;
/** What the last step along a piece has come to. */
const step = { soc: 0, hours: 0 };
/** A battery that would take less than this part of its capacity an hour, whatever it is given, is full: a taper never ends otherwise. */
const FULL_PART_PER_HOUR = 0.01;

/**
 * How a vehicle charges: its curve, in pieces on which the power is a straight line of the state of charge, so that the charge over time is an
 * exponential that needs no small steps. Constant current is a piece of (nearly) constant power, constant voltage the falling end.
 */
export class ChargeCurve {
  readonly #batteryWh: number;
  readonly #efficiency: number;
  readonly #socs: Float64Array;
  readonly #powers: Float64Array;

  /** `efficiency` is what reaches the battery of what the meter counts, above 0, at most 1. */
  constructor(batteryWh: number, efficiency: number, points: readonly ChargePoint[]) {
    if (!(batteryWh > 0) || !(efficiency > 0 && efficiency <= 1)) throw new RangeError(`battery ${batteryWh} Wh, efficiency ${efficiency}`);
    if (points.length < 2 || points[0]?.soc !== 0 || points.at(-1)?.soc !== 100) throw new RangeError('a charge curve goes from 0 to 100 percent');
    this.#batteryWh = batteryWh;
    this.#efficiency = efficiency;
    this.#socs = Float64Array.from(points, ({ soc }) => soc);
    this.#powers = Float64Array.from(points, ({ powerW }) => powerW);
    for (let at = 1; at < points.length; at += 1) {
      if (!((this.#socs[at] as number) > (this.#socs[at - 1] as number))) throw new RangeError('points of a charge curve ascend');
    }
  }

  get batteryWh(): number {
    return this.#batteryWh;
  }

  get efficiency(): number {
    return this.#efficiency;
  }

  /** Power drawn from the grid at a state of charge, if all of `limitW` is to be had. 0 when full. */
  powerW(soc: number, limitW: number): number {
    if (soc >= 100) return 0;
    const at = this.#pieceOf(soc);
    const from = this.#socs[at] as number;
    const to = this.#socs[at + 1] as number;
    const below = this.#powers[at] as number;
    const own = below + (((this.#powers[at + 1] as number) - below) * (soc - from)) / (to - from);
    if (own * this.#efficiency < this.#batteryWh * FULL_PART_PER_HOUR) return 0;
    return own < limitW ? own : limitW;
  }

  /**
   * Charges from `into.soc` for `lengthMs` with at most `limitW`; the new state and the energy go into `into`. Stops at `untilSoc`, and gives how long
   * it took: all of `lengthMs`, or less when that state was reached (or nothing more is taken).
   */
  charge(into: Charged, lengthMs: number, limitW: number, untilSoc: number): number {
    let leftHours = lengthMs / HOUR_MS;
    let { soc } = into;
    const fromSoc = soc;
    // A percent of the battery needs so much from the grid.
    const gridWhPerPercent = this.#batteryWh / 100 / this.#efficiency;
    while (leftHours > 0 && soc < untilSoc) {
      const powerW = this.powerW(soc, limitW);
      if (powerW <= 0) break;
      const at = this.#pieceOf(soc);
      const pieceTo = this.#socs[at + 1] as number;
      const endSoc = untilSoc < pieceTo ? untilSoc : pieceTo;
      const slope = this.#slope(at);
      this.#within(soc, endSoc, powerW, limitW, slope, leftHours, gridWhPerPercent);
      leftHours -= step.hours;
      if (step.soc <= soc) break;
      ({ soc } = step);
    }
    into.soc = soc;
    into.energyWh = (soc - fromSoc) * gridWhPerPercent;
    return lengthMs - Math.max(0, leftHours) * HOUR_MS;
  }

  /** Along one piece: first at the limit as far as the curve is above it, then along the curve (or the other way round where it rises). */
  #within(soc: number, endSoc: number, powerW: number, limitW: number, slope: number, hours: number, gridWhPerPercent: number): void {
    const isLimited = powerW >= limitW;
    if (isLimited || slope === 0) {
      // Where the curve falls below the limit within the piece.
      const meetsSoc = isLimited && slope < 0 ? soc + (limitW - this.#ownPowerW(soc)) / slope : endSoc;
      const toSoc = meetsSoc < endSoc ? meetsSoc : endSoc;
      const needsHours = ((toSoc - soc) * gridWhPerPercent) / powerW;
      step.hours = needsHours > hours ? hours : needsHours;
      // Right where the two meet, go a hair beyond, or the same point comes again.
      step.soc = needsHours > hours ? soc + (hours * powerW) / gridWhPerPercent : toSoc > soc ? toSoc : Math.min(endSoc, soc + 1e-9);
      return;
    }
    // The curve's own power: d soc / dt = (power + slope (soc - soc0)) / grid, an exponential.
    const reachSoc = slope > 0 ? Math.min(endSoc, soc + (limitW - powerW) / slope) : endSoc;
    const rate = slope / gridWhPerPercent;
    const endPowerW = powerW + slope * (reachSoc - soc);
    const needsHours = endPowerW <= 0 ? Number.POSITIVE_INFINITY : Math.log(endPowerW / powerW) / rate;
    step.hours = needsHours > hours ? hours : needsHours;
    step.soc = needsHours > hours ? soc + (powerW / slope) * Math.expm1(rate * hours) : reachSoc > soc ? reachSoc : Math.min(endSoc, soc + 1e-9);
  }

  #slope(at: number): number {
    return ((this.#powers[at + 1] as number) - (this.#powers[at] as number)) / ((this.#socs[at + 1] as number) - (this.#socs[at] as number));
  }

  #ownPowerW(soc: number): number {
    const at = this.#pieceOf(soc);
    return (this.#powers[at] as number) + this.#slope(at) * (soc - (this.#socs[at] as number));
  }

  #pieceOf(soc: number): number {
    const last = this.#socs.length - 2;
    let at = 0;
    while (at < last && (this.#socs[at + 1] as number) <= soc) at += 1;
    return at;
  }
}
