/**
 * What happens next: a binary heap over (time, order of entry) in typed arrays. Of two things at one time the one that was entered first
 * comes first, so that a run is the same every time. Nothing is taken out before its time: who entered it looks whether it still holds.
 */
export class Agenda {
  #times = new Float64Array(1024);
  #orders = new Float64Array(1024);
  #kinds = new Uint8Array(1024);
  #subjects = new Uint32Array(1024);
  #stamps = new Uint32Array(1024);
  #size = 0;
  #entered = 0;
  /** Of what `next` has found last. */
  timeMs = 0;
  kind = 0;
  subject = 0;
  stamp = 0;

  get size(): number {
    return this.#size;
  }

  /** On a whole millisecond, the next one. `kind` is below 256. `stamp` tells a thing from an earlier one of its subject that no longer holds. */
  add(atMs: number, kind: number, subject: number, stamp = 0): void {
    const timeMs = Math.ceil(atMs);
    if (this.#size === this.#times.length) this.#grow();
    const order = this.#entered;
    this.#entered += 1;
    let at = this.#size;
    this.#size += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= timeMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#times[at] = timeMs;
    this.#orders[at] = order;
    this.#kinds[at] = kind;
    this.#subjects[at] = subject;
    this.#stamps[at] = stamp;
  }

  /** Takes the next thing before `untilMs` into the fields; false when there is none. */
  next(untilMs: number): boolean {
    if (this.#size === 0 || (this.#times[0] as number) >= untilMs) return false;
    this.timeMs = this.#times[0] as number;
    this.kind = this.#kinds[0] as number;
    this.subject = this.#subjects[0] as number;
    this.stamp = this.#stamps[0] as number;
    this.#size -= 1;
    if (this.#size > 0) this.#sink();
    return true;
  }

  /** Brings the last one to where it belongs from the root on. */
  #sink(): void {
    const last = this.#size;
    const timeMs = this.#times[last] as number;
    const order = this.#orders[last] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isBefore(child + 1, this.#times[child] as number, this.#orders[child] as number)) child += 1;
      if (!this.#isBefore(child, timeMs, order)) break;
      this.#move(child, at);
      at = child;
    }
    this.#move(last, at);
  }

  #isBefore(at: number, timeMs: number, order: number): boolean {
    const own = this.#times[at] as number;
    return own < timeMs || (own === timeMs && (this.#orders[at] as number) < order);
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#orders[to] = this.#orders[from] as number;
    this.#kinds[to] = this.#kinds[from] as number;
    this.#subjects[to] = this.#subjects[from] as number;
    this.#stamps[to] = this.#stamps[from] as number;
  }

  #grow(): void {
    const size = this.#times.length * 2;
    const times = new Float64Array(size);
    const orders = new Float64Array(size);
    const kinds = new Uint8Array(size);
    const subjects = new Uint32Array(size);
    const stamps = new Uint32Array(size);
    times.set(this.#times);
    orders.set(this.#orders);
    kinds.set(this.#kinds);
    subjects.set(this.#subjects);
    stamps.set(this.#stamps);
    this.#times = times;
    this.#orders = orders;
    this.#kinds = kinds;
    this.#subjects = subjects;
    this.#stamps = stamps;
  }
}
