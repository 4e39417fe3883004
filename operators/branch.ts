import { VoltstreamError } from '../errors.ts';
import type { Operator } from './operator.ts';
import { handlerStep, stateless } from './record-step.ts';

export type Branches<K, V> = { readonly [port: string]: (value: V, key: K) => boolean };

/**
 * Sends each record to the first branch whose predicate holds, else to the branch named by `otherwise`, else nowhere (as Kafka
 * Streams' `split` does; not counted as dropped). Branches are side outputs by their names; nothing comes out of the main
 * output. An error of a predicate goes to the step's error policy.
 *
 * @example
 * const split = readings.pipe(branch({ slow: (reading) => reading.powerW < 11_000, fast: (reading) => reading.powerW < 50_000 }, 'rapid'));
 * split.side('slow');
 */
export function branch<K, V>(branches: Branches<K, V>, otherwise?: string): Operator<K, V, K, V> {
  const names = Object.keys(branches);
  const ports = otherwise === undefined || names.includes(otherwise) ? names : [...names, otherwise];
  if (ports.length === 0) throw new VoltstreamError('TOPOLOGY_INVALID', 'branch has no branches', { wanted: 'one or more', got: 'none' });
  return {
    ...stateless,
    kind: 'branch',
    ports,
    detail: ports.join(', '),
    build: (context) =>
      handlerStep(context, (_emit, guard) => {
        const routes = names.map((name) => ({ holds: branches[name] as (value: V, key: K) => boolean, output: guard(context.output<K, V>(name)) }));
        const rest = otherwise === undefined ? null : guard(context.output<K, V>(otherwise));
        return (record) => {
          for (const { holds, output } of routes) {
            if (holds(record.value, record.key)) {
              output(record);
              return;
            }
          }
          rest?.(record);
        };
      }),
  };
}
