import { expect, it } from 'vitest';
import { selectKey } from '../operators/select-key.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { Topology } from '../topology/topology.ts';
import { MemoryLog } from './log/memory-log.ts';
import { archiveTasksOf, internalTopicsOf, tasksOf } from './partition-counts.ts';

const words = { key: utf8, value: utf8 };

function joined() {
  const topology = new Topology('joined');
  topology.stream('a', words).merge(topology.stream('b', words));
  const [part] = topology.build().subTopologies;
  if (part === undefined) throw new Error('there is a sub-topology');
  return part;
}

it('makes one task of each partition, which reads that partition of all its topics', async () => {
  const log = new MemoryLog();
  await log.createTopics([{ topic: 'a', partitions: 2 }, { topic: 'b', partitions: 2 }]);
  expect(await tasksOf(joined(), log)).toEqual([0, 1].map((partition) => ({
    task: `a_${partition}`, partitions: [{ topic: 'a', partition }, { topic: 'b', partition }],
  })));
});

it('refuses joined topics with different numbers of partitions, and names both', async () => {
  const log = new MemoryLog();
  await log.createTopics([{ topic: 'a', partitions: 2 }, { topic: 'b', partitions: 3 }]);
  await expect(tasksOf(joined(), log)).rejects.toThrow(/PARTITIONS_CHANGED[^]*where: sub-topology a\n\s+wanted: 2, as a has\n\s+got: 3 of b/);
});

it('refuses topics that are not there, of tasks and of archives', async () => {
  const log = new MemoryLog();
  await expect(tasksOf(joined(), log)).rejects.toThrow(/TOPIC_MISSING[^]*where: a\n\s+wanted: topic a/);
  const archive = { name: 'raw', topic: 'a', form: words, sink: { kind: 'log', name: 's', topic: 't', key: utf8, value: utf8 } } as const;
  await expect(archiveTasksOf(archive as unknown as Parameters<typeof archiveTasksOf>[0], log)).rejects.toMatchObject({ code: 'TOPIC_MISSING', where: 'raw' });
});

it('gives a topic between sub-topologies the partitions of the topics that are read beside it, else those of the configuration', async () => {
  const topology = new Topology('shop');
  const forms = { ...words, foreignKey: utf8, foreignValue: utf8, result: utf8 };
  topology.table('left', words).foreignKeyJoin('joined', topology.table('right', words), (value) => value, (value) => value, forms);
  topology.stream('in', words).pipe(selectKey((value: string) => value)).repartition('by-value', words);
  const log = new MemoryLog();
  await log.createTopics([{ topic: 'left', partitions: 2 }, { topic: 'right', partitions: 3 }, { topic: 'in', partitions: 4 }]);
  expect((await internalTopicsOf(topology.build(), log, 5)).map(({ topic, partitions }) => [topic, partitions])).toEqual([
    ['joined-subscriptions-repartition', 3], ['joined-answers-repartition', 2], ['by-value-repartition', 5],
  ]);
});
