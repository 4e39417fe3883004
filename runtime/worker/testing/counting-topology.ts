import type { Operator } from '../../../operators/operator.ts';
import { selectKey } from '../../../operators/select-key.ts';
import { statefulOperator } from '../../../operators/stateful-operator.ts';
import { float64, utf8 } from '../../../schemas/builtin-codecs.ts';
import { keyValueStore } from '../../../state/local/key-value-store.ts';
import { clickhouse, logTopic } from '../../../topology/sink.ts';
import { Topology } from '../../../topology/topology.ts';
import type { TopicDefinition } from '../../log/log.ts';
import { tableOf } from './running.ts';

const words = { key: utf8, value: utf8 };

export const countingTopics: readonly TopicDefinition[] = ['in', 'out', 'groups'].map((topic) => ({ topic, partitions: 2 }));

/** Emits `<key><n>` for the n-th record of a key: a record that is lost or counted twice shows in all that follow. */
export function counting(name: string): Operator<string, string, string, string> {
  return statefulOperator({
    kind: 'counting', name, stores: { counts: keyValueStore({ name, key: utf8, value: float64 }) },
    process: (record, { stores: { counts } }, emit) => {
      const count = (counts.get(record.key) ?? 0) + 1;
      counts.put(record.key, count);
      emit({ ...record, value: `${record.key}${count}` });
    },
  });
}

/** Every kind of sink: counts into a topic and a table, counts of groups behind a repartition into a topic, and an archive. */
export function countingTopology(): Topology {
  const topology = new Topology('counting');
  const row = (text: string): { readonly text: string } => ({ text });
  topology.archive('raw', 'in', words, clickhouse(tableOf('raw'), row));
  const counts = topology.stream('in', words).pipe(counting('counted'));
  counts.to(logTopic('out', words)).to(clickhouse(tableOf('counts'), row));
  counts.pipe(selectKey((_value: string, key: string): string => key < 'd' ? 'low' : 'high')).repartition('by-group', words)
    .pipe(counting('groups-counted')).to(logTopic('groups', words));
  return topology;
}
