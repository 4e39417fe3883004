import type { Operator, StreamRecord, Windowed } from '../operator.ts';
import { handlerStep } from '../record-step.ts';
import type { SessionAggregateOptions } from '../session-aggregate.ts';
import { checkingValues, checkSilentKeys, foldByInput, type WindowedInputs } from './aggregation.ts';
import { SessionStep } from './session-step.ts';
import { sessionStores } from './session-store.ts';
import type { SessionWindows } from './session-windows.ts';

/** A session aggregate over one or more inputs, each with a fold of its own. */
export function sessionOperator<K, V, A>(
  name: string, windows: SessionWindows, options: SessionAggregateOptions<K, V, A>, inputs: WindowedInputs<K, A> = {},
): Operator<K | null, V, Windowed<K>, A | null> {
  checkSilentKeys(name, options);
  const { others = [], dropsNullValues = false } = inputs;
  const stores = sessionStores(name, options);
  return {
    kind: 'sessionAggregate',
    name,
    others: others.map((other) => other.stream),
    stores: stores.all,
    reads: [],
    ports: ['late'],
    changesKey: false,
    detail: `sessions with a gap of ${windows.gapMs} ms, grace ${windows.graceMs} ms, ` +
      `emits ${options.emit ?? 'update'}, time by ${options.timeScope ?? 'task'}`,
    build: (context) =>
      handlerStep<StreamRecord<K | null, V>, StreamRecord<Windowed<K>, A | null>>(context, (emit, guard) => {
        const folded = { ...options, fold: foldByInput(context, options.fold, others) };
        const step = new SessionStep(context, windows, folded, stores, emit, guard(context.output<K | null, V>('late')));
        context.onIdle((timeMs) => step.idle(timeMs));
        return checkingValues(context, dropsNullValues, (record) => step.process(record));
      }),
  };
}
