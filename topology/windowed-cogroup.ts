import type { FurtherInput } from '../operators/windows/aggregation.ts';
import type { SessionWindows } from '../operators/windows/session-windows.ts';
import type { SlidingWindows } from '../operators/windows/sliding-windows.ts';
import type { TimeWindows } from '../operators/windows/time-windows.ts';
import type { CogroupParts } from './cogrouped-stream.ts';
import {
  aggregateSessions, aggregateWindows, type Emission, type SessionAggregation, type SessionWindowed, type TimeWindowed,
  type WindowedAggregateOptions, type WindowInputs,
} from './windowed-stream.ts';

/** What folds the values is known of each stream already. */
export type WindowedCogroupOptions<K, A, E extends Emission> = Omit<WindowedAggregateOptions<K, never, A, E>, 'fold'>;
export type SessionCogroupOptions<K, A, E extends Emission> = Omit<SessionAggregation<K, never, A, E>, 'fold'>;

/** Streams that are grouped by the same key, and by windows of time, to be folded into one aggregate a window. */
export class TimeWindowedCogroup<K, A> {
  readonly #parts: CogroupParts<K, A>;
  readonly #windows: TimeWindows | SlidingWindows;

  constructor(parts: CogroupParts<K, A>, windows: TimeWindows | SlidingWindows) {
    this.#parts = parts;
    this.#windows = windows;
  }

  /**
   * Folds the values of all the streams that lie in a window into one aggregate. Records without a key are dropped and counted; over
   * sliding windows those without a value, too.
   */
  aggregate<E extends Emission = 'update'>(name: string, options: WindowedCogroupOptions<K, A, E>): TimeWindowed<K, A, unknown, E> {
    const { inputs, fold } = inputsOf(this.#parts, name);
    return aggregateWindows<K, unknown, A, E>(inputs, name, this.#windows, { ...options, fold });
  }
}

/** Streams that are grouped by the same key, and by sessions, to be folded into one aggregate a session. */
export class SessionWindowedCogroup<K, A> {
  readonly #parts: CogroupParts<K, A>;
  readonly #windows: SessionWindows;

  constructor(parts: CogroupParts<K, A>, windows: SessionWindows) {
    this.#parts = parts;
    this.#windows = windows;
  }

  /** Folds the values of all the streams that lie in a session into one aggregate; `merge` makes one of two. */
  aggregate<E extends Emission = 'update'>(name: string, options: SessionCogroupOptions<K, A, E>): SessionWindowed<K, A, unknown, E> {
    const { inputs, fold } = inputsOf(this.#parts, name);
    return aggregateSessions<K, unknown, A, E>(inputs, name, this.#windows, { ...options, fold });
  }
}

function inputsOf<K, A>(
  { builder, key, inputsFor }: CogroupParts<K, A>, name: string,
): { readonly inputs: WindowInputs<K, A>; readonly fold: (aggregate: A, value: unknown, key: K) => A } {
  const [first, ...others] = inputsFor(name);
  const further = others.map(({ stream, fold }): FurtherInput<K, A> => ({ stream, fold }));
  return { inputs: { builder, key, first: first.stream, others: further }, fold: first.fold };
}
