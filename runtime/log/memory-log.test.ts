import { expect, it } from 'vitest';
import { logContract } from './log-contract.ts';
import { MemoryLog } from './memory-log.ts';

logContract('memory', async () => {
  const log = new MemoryLog();
  return { make: () => log, dispose: () => log.close(), valueBytesMax: 10 * 1024 * 1024 };
});

it('deletes what is older than retention.ms by record timestamp', async () => {
  const log = new MemoryLog({ now: () => 10_000 });
  await log.open();
  await log.createTopics([{ topic: 'short', partitions: 1, settings: { 'retention.ms': '1000' } }]);
  const producer = await log.producer();
  await producer.append([8_000, 8_999, 9_000, 8_500].map((timestampMs) => ({ topic: 'short', partition: 0, key: null, value: null, timestampMs })));
  expect(await log.applyRetention()).toBe(2);
  expect(await log.bounds({ topic: 'short', partition: 0 })).toEqual({ start: 2, end: 4 });
  await log.close();
});
