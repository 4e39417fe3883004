import type { Operator } from './operator.ts';
import { handlerStep, stateless } from './record-step.ts';

/**
 * Gives any number of values for each record, in order, with its key and timestamp. An error of the function goes to the step's
 * error policy; when it is a generator, what it had given before stays.
 *
 * @example
 * flatMapValues((event: ChargingEvent) => event.samples)
 */
export function flatMapValues<K, V, V2>(project: (value: V, key: K) => Iterable<V2>): Operator<K, V, K, V2> {
  return {
    ...stateless,
    kind: 'flatMapValues',
    build: (context) =>
      handlerStep(context, (emit) => ({ key, value, timestampMs }) => {
        for (const one of project(value, key)) emit({ key, value: one, timestampMs });
      }),
  };
}
