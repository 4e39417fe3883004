import type { Operator, StreamRecord } from './operator.ts';
import { recordStep, stateless } from './record-step.ts';

/**
 * Gives each record another key and value; the timestamp stays. Steps behind it that keep state by key need a repartition, so
 * use `mapValues` where the key does not change. An error of the function goes to the step's error policy.
 *
 * @example
 * map((event: ChargingEvent) => ({ key: event.transactionId, value: event }))
 */
export function map<K, V, K2, V2>(
  project: (value: V, key: K) => { readonly key: K2; readonly value: V2 },
): Operator<K, V, K2, V2> {
  return {
    ...stateless,
    kind: 'map',
    changesKey: true,
    build: (context) =>
      recordStep((down) => (record) => {
        let mapped: StreamRecord<K2, V2>;
        try {
          const { key, value } = project(record.value, record.key);
          mapped = { key, value, timestampMs: record.timestampMs };
        } catch (error) {
          context.failed(error, record);
          return;
        }
        down.next(mapped);
      }),
  };
}
