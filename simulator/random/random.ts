/**
 * Numbers that look random and are the same for the same seed on every machine: sfc32 of Chris Doty-Humphrey (PractRand), 128 bits of
 * state, seeded by a text through 32-bit mixing. Each thing that happens apart (a district, a station's faults) has a generator of its own, so
 * that what one does never moves the others.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;
  /** The second of two normal numbers that come together; none: not a number. */
  #spare = Number.NaN;

  constructor(seed: string) {
    const words = mixed(seed);
    this.#a = words[0] as number;
    this.#b = words[1] as number;
    this.#c = words[2] as number;
    for (let round = 0; round < 12; round += 1) this.word();
  }

  /** 32 bits, as a whole number from 0. */
  word(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** From 0 to below 1, in steps of 2^-32. */
  part(): number {
    return this.word() / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.part() < probability;
  }

  /** A whole number from 0 to below `limit`, which is at most 2^32. */
  below(limit: number): number {
    return Math.floor(this.part() * limit);
  }

  /** A number from `from` to below `to`. */
  between(from: number, to: number): number {
    return from + this.part() * (to - from);
  }

  /** Time to the next of things that happen at a rate, in units of 1/rate; never zero, never infinite. */
  exponential(mean: number): number {
    return -mean * Math.log((this.word() + 1) / 4_294_967_297);
  }

  /** Marsaglia's polar method. */
  normal(): number {
    const spare = this.#spare;
    if (!Number.isNaN(spare)) {
      this.#spare = Number.NaN;
      return spare;
    }
    for (;;) {
      const x = this.part() * 2 - 1;
      const y = this.part() * 2 - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = y * factor;
      return x * factor;
    }
  }

  /** Half of the values are above `median`; `spread` is the standard deviation of the logarithm. */
  logNormal(median: number, spread: number): number {
    return median * Math.exp(spread * this.normal());
  }

  oneOf<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** Three words that a single changed letter changes altogether. */
function mixed(seed: string): readonly number[] {
  let hash = 0x811c9dc5;
  for (let at = 0; at < seed.length; at += 1) hash = Math.imul(hash ^ seed.charCodeAt(at), 0x01000193);
  const words: number[] = [];
  for (let word = 0; word < 3; word += 1) {
    hash = (hash + 0x9e3779b9) | 0;
    let one = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    one = Math.imul(one ^ (one >>> 13), 0xc2b2ae35);
    words.push(one ^ (one >>> 16));
  }
  return words;
}
