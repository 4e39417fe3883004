import type { Operator } from './operator.ts';
import { recordStep, stateless } from './record-step.ts';

/**
 * Gives each record another value; key and timestamp stay. Null values are handed to the function like any other. An error of
 * the function goes to the step's error policy.
 *
 * @example
 * mapValues((event: ChargingEvent) => ({ ...event, energyKwh: event.energyWh / 1_000 }))
 */
export function mapValues<K, V, V2>(project: (value: V, key: K) => V2): Operator<K, V, K, V2> {
  return {
    ...stateless,
    kind: 'mapValues',
    build: (context) =>
      recordStep((down) => (record) => {
        let value: V2;
        try {
          value = project(record.value, record.key);
        } catch (error) {
          context.failed(error, record);
          return;
        }
        down.next({ key: record.key, value, timestampMs: record.timestampMs });
      }),
  };
}
