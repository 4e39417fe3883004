import type { Operator, StreamRecord, Windowed } from '../operator.ts';
import { handlerStep } from '../record-step.ts';
import { checkingValues, checkSilentKeys, foldByInput, type WindowedInputs, type WindowedOptions } from './aggregation.ts';
import { slidingWindowStep } from './sliding-window-step.ts';
import type { SlidingWindows } from './sliding-windows.ts';
import { timeWindowStep } from './time-window-step.ts';
import type { TimeWindows } from './time-windows.ts';
import { windowStores } from './window-stores.ts';

/** An aggregate over windows of time that takes one or more inputs, each with a fold of its own. */
export function windowOperator<K, V, A>(
  name: string, windows: TimeWindows | SlidingWindows, options: WindowedOptions<K, V, A>, inputs: WindowedInputs<K, A> = {},
): Operator<K | null, V, Windowed<K>, A> {
  checkSilentKeys(name, options);
  const { others = [], dropsNullValues = false } = inputs;
  const { emit: emits = 'update', timeScope = 'task' } = options;
  const stores = windowStores(name, options, windows.kind === 'sliding' && emits === 'final', describeWindows(windows));
  return {
    kind: 'windowAggregate',
    name,
    others: others.map((other) => other.stream),
    stores: stores.all,
    reads: [],
    ports: ['late'],
    changesKey: false,
    detail: `${describeWindows(windows)}, grace ${windows.graceMs} ms, emits ${emits}, time by ${timeScope}`,
    build: (context) =>
      handlerStep<StreamRecord<K | null, V>, StreamRecord<Windowed<K>, A>>(context, (emit, guard) => {
        const folded = { ...options, fold: foldByInput(context, options.fold, others) };
        return checkingValues(context, dropsNullValues, windows.kind === 'sliding'
          ? slidingWindowStep(context, windows, folded, stores, emit, guard)
          : timeWindowStep(context, windows, folded, stores, emit, guard));
      }),
  };
}

function describeWindows(windows: TimeWindows | SlidingWindows): string {
  if (windows.kind === 'sliding') return `sliding ${windows.timeDifferenceMs} ms`;
  return windows.kind === 'tumbling' ? `tumbling ${windows.sizeMs} ms` : `hopping ${windows.sizeMs} ms every ${windows.advanceMs} ms`;
}
