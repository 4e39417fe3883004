import type { Operator, StreamRecord } from './operator.ts';
import { recordStep, stateless } from './record-step.ts';

/**
 * Shows each record to a function, and ends there. For logs and counts only: after a crash the function sees records again.
 * When it throws, the record goes to the step's error policy.
 *
 * @example
 * forEach((event: ChargingEvent, stationId) => console.log(stationId, event.type))
 */
export function forEach<K, V>(look: (value: V, key: K) => void): Operator<K, V, never, never> {
  return {
    ...stateless,
    kind: 'forEach',
    build: (context) =>
      recordStep<StreamRecord<K, V>, StreamRecord<never, never>>(() => (record) => {
        try {
          look(record.value, record.key);
        } catch (error) {
          context.failed(error, record);
        }
      }),
  };
}
