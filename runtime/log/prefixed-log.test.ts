import { expect, it } from 'vitest';
import { logContract } from './log-contract.ts';
import { MemoryLog } from './memory-log.ts';
import { PrefixedLog } from './prefixed-log.ts';

logContract('memory, under a prefix', async () => {
  const log = new PrefixedLog(new MemoryLog(), 'one.');
  return { make: () => log, dispose: () => log.close(), valueBytesMax: 10 * 1024 * 1024 };
});

it('keeps topics of the same name apart, and says what they are called in the cluster to nobody', async () => {
  const cluster = new MemoryLog();
  await cluster.open();
  const [one, other] = [new PrefixedLog(cluster, 'one.'), new PrefixedLog(cluster, 'other.')];
  await one.createTopics([{ topic: 'events', partitions: 1 }]);
  await other.createTopics([{ topic: 'events', partitions: 2 }]);
  expect(await Promise.all([one.partitionCount('events'), other.partitionCount('events'), cluster.partitionCount('events'), cluster.partitionCount('one.events')])).toEqual([1, 2, null, 1]);
  await (await one.producer()).append([{ topic: 'events', partition: 0, key: null, value: Buffer.from('a'), timestampMs: 1 }]);
  const read = [];
  for await (const batch of one.read({ topic: 'events', partition: 0 }, 0, 1)) read.push(batch.topic, batch.records.length);
  expect(read).toEqual(['events', 1]);
  expect(await other.bounds({ topic: 'events', partition: 0 })).toEqual({ start: 0, end: 0 });
  await cluster.close();
});
