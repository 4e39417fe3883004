import type { Operator } from './operator.ts';
import { handlerStep, stateless } from './record-step.ts';

/**
 * Gives any number of records for each, in order, with keys and values of their own and the timestamp of their cause. An error
 * of the function goes to the step's error policy; when it is a generator, what it had given before stays.
 *
 * @example
 * flatMap((station: Station) => station.evses.map((evse) => ({ key: evse.id, value: evse })))
 */
export function flatMap<K, V, K2, V2>(
  project: (value: V, key: K) => Iterable<{ readonly key: K2; readonly value: V2 }>,
): Operator<K, V, K2, V2> {
  return {
    ...stateless,
    kind: 'flatMap',
    changesKey: true,
    build: (context) =>
      handlerStep(context, (emit) => ({ key, value, timestampMs }) => {
        for (const one of project(value, key)) emit({ key: one.key, value: one.value, timestampMs });
      }),
  };
}
