import type { Operator } from './operator.ts';
import { recordStep, stateless } from './record-step.ts';

/**
 * Gives each record another key; value and timestamp stay. Steps behind it that keep state by key need a repartition. An error
 * of the function goes to the step's error policy.
 *
 * @example
 * selectKey((event: ChargingEvent) => event.transactionId)
 */
export function selectKey<K, V, K2>(select: (value: V, key: K) => K2): Operator<K, V, K2, V> {
  return {
    ...stateless,
    kind: 'selectKey',
    changesKey: true,
    build: (context) =>
      recordStep((down) => (record) => {
        let key: K2;
        try {
          key = select(record.value, record.key);
        } catch (error) {
          context.failed(error, record);
          return;
        }
        down.next({ key, value: record.value, timestampMs: record.timestampMs });
      }),
  };
}
