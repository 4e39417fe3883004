import type { Operator } from './operator.ts';
import { recordStep, stateless } from './record-step.ts';

/**
 * Passes on what comes from several streams, as it comes; the graph connects its inputs. Records of one task are already in
 * the order in which the task takes them from its partitions (lowest timestamp first).
 */
export function mergeStep<K, V>(): Operator<K, V, K, V> {
  return { ...stateless, kind: 'merge', build: () => recordStep((down) => (record) => down.next(record)) };
}
