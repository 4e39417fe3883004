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

interface Chances {
  readonly total: number;
  readonly kinds: readonly FaultKind[];
  readonly weights: Weights | null;
}

/** Throws for each message what happens to it: at most one thing, each with its own rate. */
export class MessageFaults {
  readonly #chances: Readonly<Record<MessageClass, Chances>>;
  readonly #random: Random;

  constructor(rates: FaultRates, random: Random) {
    this.#random = random;
    const chancesOf = (name: MessageClass): Chances => {
      const kinds = kindsOf[name];
      const total = kinds.reduce((sum, kind) => sum + rates[kind], 0);
      if (total > 1) throw new RangeError(`faults of one ${name} message add up to ${total}; at most 1 can be`);
      return { total, kinds, weights: total > 0 ? new Weights(kinds.map((kind) => rates[kind])) : null };
    };
    this.#chances = { transaction: chancesOf('transaction'), sample: chancesOf('sample'), status: chancesOf('status'), heartbeat: chancesOf('heartbeat') };
  }

  throwFor(name: MessageClass): FaultKind | null {
    const { total, kinds, weights } = this.#chances[name];
    if (weights === null || !this.#random.chance(total)) return null;
    return kinds[weights.pick(this.#random)] as FaultKind;
  }
}
