import { assertInvariant } from '../../errors.ts';

const capacityFirst = 8;

/**
 * Where identities lie, by their hashes: pairs of a hash and a place above 0 in one typed array, open-addressed and at most half full. It
 * holds no text, so that the garbage collector has nothing to look through, and taking out needs none either.
 */
export class SeenTable {
  #pairs = new Int32Array(2 * capacityFirst);
  #mask = capacityFirst - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first slot of a hash at or behind `slot` that is taken by that very hash; -1: no more. Begin with `hash`. */
  next(hash: number, slot: number): number {
    const pairs = this.#pairs;
    const mask = this.#mask;
    for (let at = slot & mask; ; at = (at + 1) & mask) {
      if (pairs[2 * at + 1] === 0) return -1;
      if (pairs[2 * at] === hash) return at;
    }
  }

  placeAt(slot: number): number {
    return this.#pairs[2 * slot + 1] as number;
  }

  /** Something else of the same hash and identity counts now. */
  replace(slot: number, place: number): void {
    this.#pairs[2 * slot + 1] = place;
  }

  add(hash: number, place: number): void {
    if (2 * (this.#size + 1) > this.#mask + 1) this.#resize(2 * (this.#mask + 1));
    this.#put(hash, place);
    this.#size += 1;
  }

  /** Takes out a place; false: it is not there. */
  remove(hash: number, place: number): boolean {
    const pairs = this.#pairs;
    const mask = this.#mask;
    let at = hash & mask;
    while (pairs[2 * at + 1] !== place) {
      if (pairs[2 * at + 1] === 0) return false;
      at = (at + 1) & mask;
    }
    this.#close(at);
    this.#size -= 1;
    if (8 * this.#size < mask + 1 && mask + 1 > capacityFirst) this.#resize((mask + 1) / 4);
    return true;
  }

  /** Moves into a hole what would no longer be found behind it. */
  #close(hole: number): void {
    const pairs = this.#pairs;
    const mask = this.#mask;
    let free = hole;
    for (let at = (hole + 1) & mask; pairs[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const home = (pairs[2 * at] as number) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      pairs[2 * free] = pairs[2 * at] as number;
      pairs[2 * free + 1] = pairs[2 * at + 1] as number;
      free = at;
    }
    pairs[2 * free + 1] = 0;
  }

  #put(hash: number, place: number): void {
    assertInvariant(place > 0, 'places are counted from 1');
    const pairs = this.#pairs;
    const mask = this.#mask;
    let at = hash & mask;
    while (pairs[2 * at + 1] !== 0) at = (at + 1) & mask;
    pairs[2 * at] = hash;
    pairs[2 * at + 1] = place;
  }

  #resize(capacity: number): void {
    const old = this.#pairs;
    const slots = Math.max(capacityFirst, capacity);
    this.#pairs = new Int32Array(2 * slots);
    this.#mask = slots - 1;
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.#put(old[at] as number, old[at + 1] as number);
  }
}
