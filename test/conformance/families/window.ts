import { windowAggregate } from '../../../operators/window-aggregate.ts';
import { sliding, type SlidingWindows } from '../../../operators/windows/sliding-windows.ts';
import { hopping, tumbling, type TimeWindows } from '../../../operators/windows/time-windows.ts';
import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import { aggregationOf, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface WindowCase extends Case {
  readonly op: 'window-aggregate';
  readonly window: {
    readonly type: 'tumbling' | 'hopping' | 'sliding';
    readonly sizeMs?: number;
    readonly advanceMs?: number;
    readonly timeDifferenceMs?: number;
    readonly graceMs: number;
  };
  readonly aggregate: string;
  readonly emit: 'update' | 'final';
}

function windowsOf({ window }: WindowCase): TimeWindows | SlidingWindows {
  const { sizeMs = 0, advanceMs = 0, timeDifferenceMs = 0, graceMs } = window;
  switch (window.type) {
    case 'tumbling': return tumbling({ sizeMs, graceMs });
    case 'hopping': return hopping({ sizeMs, advanceMs, graceMs });
    case 'sliding': return sliding({ timeDifferenceMs, graceMs });
  }
}

export const window: Family = {
  ops: ['window-aggregate'],
  build(one: WindowCase, { topology, output }: CaseBuilder): void {
    const aggregation = aggregationOf(one.aggregate);
    const windows = topology.stream<Text, Text>('in', { key: utf8, value: utf8 } as never)
      .pipe(windowAggregate<string, Text, number | string | null>('windows', windowsOf(one), {
        key: utf8, aggregate: json('aggregate'), emit: one.emit, initial: () => aggregation.initial, fold: aggregation.fold,
      }));
    output(windows, ({ key, value, timestampMs }) => ({
      key: key.key, window: [key.startMs, key.endMs], value: String(value), ts: timestampMs,
    }));
  },
};
