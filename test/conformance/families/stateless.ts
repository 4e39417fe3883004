import { branch } from '../../../operators/branch.ts';
import { filter, filterNot } from '../../../operators/filter.ts';
import { flatMapValues } from '../../../operators/flat-map-values.ts';
import { map } from '../../../operators/map.ts';
import { mapValues } from '../../../operators/map-values.ts';
import type { Operator } from '../../../operators/operator.ts';
import { selectKey } from '../../../operators/select-key.ts';
import { utf8 } from '../../../schemas/builtin-codecs.ts';
import type { Stream } from '../../../topology/stream.ts';
import { textOutput, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface StatelessCase extends Case {
  readonly op: 'stateless-chain';
  readonly steps: readonly string[];
  readonly end: 'to' | 'split' | 'merge-with-original';
}

const isEven = (value: Text): boolean => Number(value) % 2 === 0;

const steps: Readonly<Record<string, () => Operator<Text, Text, Text, Text>>> = {
  'filter-even': () => filter(isEven),
  'filterNot-even': () => filterNot(isEven),
  'mapValues-plus1': () => mapValues((value) => String(Number(value) + 1)),
  'selectKey-mod3': () => selectKey((value) => String(Number(value) % 3)),
  'flatMapValues-twice': () => flatMapValues((value) => [value, value]),
  'map-swap': () => map((value, key) => ({ key: value, value: key })),
};

export const stateless: Family = {
  ops: ['stateless-chain'],
  build(one: StatelessCase, { topology, output }: CaseBuilder): void {
    const source: Stream<Text, Text> = topology.stream<Text, Text>('in', { key: utf8, value: utf8 } as never);
    let chain = source;
    for (const name of one.steps) {
      const step = steps[name];
      if (step === undefined) throw new Error(`no such step: ${name}`);
      chain = chain.pipe(step());
    }
    switch (one.end) {
      case 'to': return output(chain, textOutput);
      case 'merge-with-original': return output(chain.merge(source), textOutput);
      case 'split': {
        const split = chain.pipe(branch<Text, Text>({ low: (value) => Number(value) < 30, mid: (value) => Number(value) < 60 }, 'high'));
        for (const topic of ['low', 'mid', 'high']) output(split.side<Text, Text>(topic), (record) => ({ topic, ...textOutput(record) }));
      }
    }
  },
};
