import type { FaultKind, FaultRates } from '../profile.ts';
import type { Random } from '../random/random.ts';
import { Weights } from '../random/weights.ts';

/** What a message is, as far as it matters for what may happen to it. */
export type MessageClass = 'transaction' | 'sample' | 'status' | 'heartbeat';

const kindsOf: Readonly<Record<MessageClass, readonly FaultKind[]>> = {
  transaction: ['duplicate', 'resent-number', 'out-of-order', 'clock-1970', 'clock-ahead', 'malformed'],
  sample: ['lost-sample', 'duplicate', 'resent-number', 'out-of-order', 'clock-1970', 'clock-ahead', 'meter-missing', 'malformed'],
  status: ['lost-status', 'duplicate', 'out-of-order', 'malformed'],
  heartbeat: ['duplicate', 'malformed'],
};

/** Of the messages of a class, the part to which something happens. */
export function faultPart(rates: FaultRates, name: MessageClass): number {
  return kindsOf[name].reduce((sum, kind) => sum + rates[kind], 0);
}

export const messageClasses = Object.keys(kindsOf) as readonly MessageClass[];

interface Chances {
  readonly total: number;
  readonly kinds: readonly FaultKind[];
  readonly weights: Weights | null;
  /** Messages of this class to the next to which something happens, that one included. */
  left: number;
}

/**
 * Throws for each message what happens to it: at most one thing, each with its own rate. What is drawn is how many messages are spared until then,
 * which is geometric, so that a sound message costs no draw.
 */
export class MessageFaults {
  readonly #chances: Readonly<Record<MessageClass, Chances>>;
  readonly #random: Random;

  constructor(rates: FaultRates, random: Random) {
    this.#random = random;
    const chancesOf = (name: MessageClass): Chances => {
      const kinds = kindsOf[name];
      const total = faultPart(rates, name);
      if (total > 1) throw new RangeError(`faults of one ${name} message add up to ${total}; at most 1 can be`);
      return { total, kinds, weights: total > 0 ? new Weights(kinds.map((kind) => rates[kind])) : null, left: this.#gap(total) };
    };
    this.#chances = { transaction: chancesOf('transaction'), sample: chancesOf('sample'), status: chancesOf('status'), heartbeat: chancesOf('heartbeat') };
  }

  throwFor(name: MessageClass): FaultKind | null {
    const chances = this.#chances[name];
    chances.left -= 1;
    if (chances.left > 0 || chances.weights === null) return null;
    chances.left = this.#gap(chances.total);
    return chances.kinds[chances.weights.pick(this.#random)] as FaultKind;
  }

  /** Trials up to the first that hits. */
  #gap(total: number): number {
    if (total <= 0) return Number.POSITIVE_INFINITY;
    return total >= 1 ? 1 : Math.max(1, Math.ceil(this.#random.exponential(-1 / Math.log1p(-total))));
  }
}
