import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { MemoryLog } from './log/memory-log.ts';
import { createTopicsAtStart } from './topics-at-start.ts';

const topics = [{ topic: 'events', partitions: 4 }];
const signal = new AbortController().signal;

/** A log whose first calls fail. */
function failing(...failures: readonly [ErrorCode, string?][]): { readonly log: MemoryLog; readonly calls: () => number } {
  const log = new MemoryLog();
  const create = log.createTopics.bind(log);
  let calls = 0;
  log.createTopics = async (definitions) => {
    const failure = failures[calls++];
    if (failure !== undefined) throw new VoltstreamError(failure[0], 'planted', failure[1] === undefined ? {} : { got: failure[1] });
    await create(definitions);
  };
  return { log, calls: () => calls };
}

describe('topics at the start', () => {
  it('are waited for while brokers do not know them yet, and while no broker answers', async () => {
    const told: string[] = [];
    const { log, calls } = failing(['TOPIC_MISSING'], ['LOG_UNAVAILABLE']);
    await createTopicsAtStart(log, topics, signal, (operation) => told.push(operation));
    expect([calls(), told]).toEqual([3, ['create topics', 'create topics']]);
    expect(await log.partitionCount('events')).toBe(4);
  });

  it('are waited for until whoever is asked next knows them', async () => {
    const log = new MemoryLog();
    const count = log.partitionCount.bind(log);
    let asked = 0;
    log.partitionCount = (topic) => (++asked < 3 ? Promise.resolve(null) : count(topic));
    const told: unknown[] = [];
    await createTopicsAtStart(log, topics, signal, (_operation, error) => told.push(error));
    expect(told).toMatchObject([{ code: 'TOPIC_MISSING', where: 'events' }, { code: 'TOPIC_MISSING', where: 'events' }]);
  });

  it('with another number of partitions are refused at once', async () => {
    const { log, calls } = failing(['PARTITIONS_CHANGED', '8']);
    await expect(createTopicsAtStart(log, topics, signal, () => undefined)).rejects.toThrow('PARTITIONS_CHANGED');
    expect(calls()).toBe(1);
  });

  it('are given up when the time is over', async () => {
    const { log } = failing(...Array.from({ length: 50 }, (): [ErrorCode] => ['LOG_UNAVAILABLE']));
    await expect(createTopicsAtStart(log, topics, signal, () => undefined, 100)).rejects.toThrow('LOG_UNAVAILABLE');
  });

  it('created by several processes at once are there once', async () => {
    const log = new MemoryLog();
    await Promise.all(Array.from({ length: 5 }, () => createTopicsAtStart(log, topics, signal, () => undefined)));
    expect(await log.partitionCount('events')).toBe(4);
  });
});
