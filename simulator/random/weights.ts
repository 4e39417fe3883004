import type { Random } from './random.ts';

/** Picks places of a list by weight, in constant time: the alias method of Walker, in Vose's form. */
export class Weights {
  readonly #limits: Float64Array;
  readonly #others: Uint32Array;

  /** Weights are at least 0 and not all 0. */
  constructor(weights: readonly number[]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(total > 0) || weights.some((weight) => !(weight >= 0))) throw new RangeError(`weights must be at least 0, and one above: ${weights.join(', ')}`);
    const size = weights.length;
    this.#limits = new Float64Array(size).fill(1);
    this.#others = Uint32Array.from({ length: size }, (_, at) => at);
    const scaled = weights.map((weight) => (weight * size) / total);
    const small = scaled.flatMap((share, at) => (share < 1 ? [at] : []));
    const large = scaled.flatMap((share, at) => (share < 1 ? [] : [at]));
    while (small.length > 0 && large.length > 0) {
      const less = small.pop() as number;
      const more = large.at(-1) as number;
      this.#limits[less] = scaled[less] as number;
      this.#others[less] = more;
      scaled[more] = (scaled[more] as number) - (1 - (scaled[less] as number));
      if ((scaled[more] as number) < 1) small.push(large.pop() as number);
    }
  }

  pick(random: Random): number {
    const at = random.below(this.#limits.length);
    return random.part() < (this.#limits[at] as number) ? at : (this.#others[at] as number);
  }
}
