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
    const { log, calls } = failing(['TOPIC_MISSING'], ['LOG_UNAVAILABLE'], ['PARTITIONS_CHANGED', 'null']);
    await createTopicsAtStart(log, topics, signal, (operation) => told.push(operation));
    expect([calls(), told]).toEqual([4, ['create topics', 'create topics', 'create topics']]);
    expect(await log.partitionCount('events')).toBe(4);
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
