import type { DeadLetter } from '../../topology/dead-letter.ts';
import type { Logger } from '../logger.ts';

const REPEAT_MS = 60_000;
/** Kinds of failure that are remembered; a topology has far fewer. */
const KINDS_MAX = 1_000;

/**
 * Tells of records that are set aside: the first of a kind (step, stage, reason) with where it came from, then once a minute how many more there
 * were. Ten thousand broken records of one charger are one line, and the dead letters hold each of them.
 */
export class SetAsideLines {
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  readonly #kinds = new Map<string, { toldMs: number; since: number }>();

  constructor(logger: Logger, nowMs: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  add(task: string, letter: DeadLetter): void {
    const { step, stage, reason, topic, partition, offset } = letter;
    const kind = `${step}\n${stage}\n${reason}`;
    const nowMs = this.#nowMs();
    const known = this.#kinds.get(kind);
    if (known !== undefined && nowMs - known.toldMs < REPEAT_MS) {
      known.since++;
      return;
    }
    if (known === undefined && this.#kinds.size >= KINDS_MAX) this.#kinds.clear();
    this.#kinds.set(kind, { toldMs: nowMs, since: 0 });
    const more = known === undefined || known.since === 0 ? {} : { unsaidBefore: known.since };
    this.#logger.warn({ task, step, stage, topic, partition, offset, reason, ...more }, 'a record was set aside; the dead letters have its bytes and the reason');
  }
}
