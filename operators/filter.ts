import type { Operator, StepContext, StreamRecord } from './operator.ts';
import { recordStep, stateless } from './record-step.ts';
import type { OperatorFunction } from 'rxjs';

/**
 * Lets through the records for which the predicate holds. What it holds back is not counted as dropped. An error of the
 * predicate goes to the step's error policy.
 *
 * @example
 * filter((event: ChargingEvent) => event.type === 'TransactionEnded')
 */
export function filter<K, V, V2 extends V>(predicate: (value: V, key: K) => value is V2): Operator<K, V, K, V2>;
export function filter<K, V>(predicate: (value: V, key: K) => boolean): Operator<K, V, K, V>;
export function filter<K, V>(predicate: (value: V, key: K) => boolean): Operator<K, V, K, V> {
  return { ...stateless, kind: 'filter', build: (context) => passWhen(context, predicate, true) };
}

/**
 * Lets through the records for which the predicate does not hold; the counterpart of `filter`.
 *
 * @example
 * filterNot((event: ChargingEvent) => event.type === 'Heartbeat')
 */
export function filterNot<K, V>(predicate: (value: V, key: K) => boolean): Operator<K, V, K, V> {
  return { ...stateless, kind: 'filterNot', build: (context) => passWhen(context, predicate, false) };
}

function passWhen<K, V>(
  context: StepContext, predicate: (value: V, key: K) => boolean, wanted: boolean,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, V>> {
  return recordStep((down) => (record) => {
    let passes: boolean;
    try {
      passes = predicate(record.value, record.key);
    } catch (error) {
      context.failed(error, record);
      return;
    }
    if (passes === wanted) down.next(record);
  });
}
