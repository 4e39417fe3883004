import type { Operator } from './operator.ts';
import { recordStep, stateless } from './record-step.ts';

/**
 * Shows each record to a function, and passes it on as it is. For logs and counts only: after a crash the function sees records
 * again. When it throws, the record goes to the step's error policy instead of on.
 *
 * @example
 * peek((event: ChargingEvent, stationId) => console.log(stationId, event.type))
 */
export function peek<K, V>(look: (value: V, key: K) => void): Operator<K, V, K, V> {
  return {
    ...stateless,
    kind: 'peek',
    build: (context) =>
      recordStep((down) => (record) => {
        try {
          look(record.value, record.key);
        } catch (error) {
          context.failed(error, record);
          return;
        }
        down.next(record);
      }),
  };
}
