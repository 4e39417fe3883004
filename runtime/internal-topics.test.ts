import { expect, it } from 'vitest';
import { selectKey } from '../operators/select-key.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { logTopic } from '../topology/sink.ts';
import { Topology } from '../topology/topology.ts';
import { ownInternalTopics } from './internal-topics.ts';

const words = { key: utf8, value: utf8 };

it('puts the application in front of topics between sub-topologies, where they are written, read and created, and of no others', () => {
  const topology = new Topology('shop');
  topology.stream('orders', words).pipe(selectKey((value: string) => value)).repartition('by-value', words).to(logTopic('values', words));
  const built = topology.build();
  const own = ownInternalTopics(built, 'city');
  expect(own.repartitionTopics).toEqual(['city-by-value-repartition']);
  expect(own.subTopologies.flatMap(({ sources }) => sources.map(({ topic }) => topic))).toEqual(['orders', 'city-by-value-repartition']);
  expect(own.subTopologies.flatMap(({ sinks }) => sinks.map(({ sink }) => sink.kind === 'warehouse' ? '' : sink.topic))).toEqual(['city-by-value-repartition', 'values']);
  expect(own.subTopologies.map(({ name }) => name)).toEqual(built.subTopologies.map(({ name }) => name));
  expect(built.repartitionTopics).toEqual(['by-value-repartition']);
});
