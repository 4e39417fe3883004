import type { Operator, StreamRecord, Windowed } from '../operator.ts';
import { handlerStep } from '../record-step.ts';
import type { WindowAggregateOptions } from '../window-aggregate.ts';
import { checkingValues, checkSilentKeys, foldByInput, type WindowedInputs, type WindowedOptions } from './aggregation.ts';
import { checkedRollups, type PeriodicEmission } from './periodic-emission.ts';
import { PeriodicWindowStep } from './periodic-window-step.ts';
import { slidingWindowStep } from './sliding-window-step.ts';
import type { SlidingWindows } from './sliding-windows.ts';
import { timeWindowStep } from './time-window-step.ts';
import type { TimeWindows } from './time-windows.ts';
import { periodicStores, windowStores } from './window-stores.ts';

/** An aggregate over windows of time that takes one or more inputs, each with a fold of its own. */
export function windowOperator<K, V, A>(
  name: string, windows: TimeWindows | SlidingWindows, options: WindowAggregateOptions<K, V, A>, inputs: WindowedInputs<K, A> = {},
): Operator<K | null, V, Windowed<K>, A> {
  checkSilentKeys(name, options);
  const { emit } = options;
  if (typeof emit === 'object') return periodicOperator(name, windows, options, emit, inputs);
  return changesOrResults(name, windows, { ...options, emit: emit ?? 'update' }, inputs);
}

function changesOrResults<K, V, A>(
  name: string, windows: TimeWindows | SlidingWindows, options: WindowedOptions<K, V, A>, inputs: WindowedInputs<K, A>,
): Operator<K | null, V, Windowed<K>, A> {
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

function periodicOperator<K, V, A>(
  name: string, windows: TimeWindows | SlidingWindows, options: WindowAggregateOptions<K, V, A>, emission: PeriodicEmission<K, A>,
  { others = [], dropsNullValues = false }: WindowedInputs<K, A>,
): Operator<K | null, V, Windowed<K>, A> {
  const rollups = checkedRollups(name, windows, emission);
  const described = [describeWindows(windows), ...rollups.map((rollup) => `${rollup.name} of ${rollup.sizeMs} ms`)].join(' in ');
  const stores = periodicStores(name, options, emission.everyMs, rollups, described);
  const rhythms = [emission, ...rollups].map(({ everyMs }) => everyMs).join(', ');
  return {
    kind: 'windowAggregate',
    name,
    others: others.map((other) => other.stream),
    stores: stores.all,
    reads: [],
    ports: ['late', ...rollups.map((rollup) => rollup.name)],
    changesKey: false,
    detail: `${described}, grace ${windows.graceMs} ms, emits every ${rhythms} ms, time by ${options.timeScope ?? 'task'}`,
    build: (context) =>
      handlerStep<StreamRecord<K | null, V>, StreamRecord<Windowed<K>, A>>(context, (emit, guard) => {
        const folded = { ...options, fold: foldByInput(context, options.fold, others) };
        // checkedRollups has refused sliding windows.
        const step = new PeriodicWindowStep(context, windows as TimeWindows, folded, stores, emit, guard);
        context.onIdle((timeMs) => step.idle(timeMs));
        return checkingValues(context, dropsNullValues, (record) => step.process(record));
      }),
  };
}

function describeWindows(windows: TimeWindows | SlidingWindows): string {
  if (windows.kind === 'sliding') return `sliding ${windows.timeDifferenceMs} ms`;
  return windows.kind === 'tumbling' ? `tumbling ${windows.sizeMs} ms` : `hopping ${windows.sizeMs} ms every ${windows.advanceMs} ms`;
}
