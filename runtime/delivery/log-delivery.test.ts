import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import { MemoryLog } from '../log/memory-log.ts';
import type { OrdinalProducer, OutboundRecord } from '../log/log.ts';
import type { SealedBatch } from '../task/outbox.ts';
import { Outbox } from '../task/outbox.ts';
import { writerMarkOf } from '../task/writer-header.ts';
import type { DeliveryTask } from './delivery.ts';
import { RepartitionDelivery, TopicDelivery } from './log-delivery.ts';
import { encodeTopicRow } from './topic-row.ts';

/** Batches of an outbox that numbers its rows from 0, cut as given. */
function batches(...cuts: readonly (readonly string[])[]): SealedBatch[] {
  const outbox = new Outbox('out', { rowsMax: 1, bytesMax: 1, ageMs: 0 });
  return cuts.map((texts) => {
    for (const text of texts) {
      outbox.add((into) => {
        encodeTopicRow({ key: Buffer.from(text), value: Buffer.from(text), timestampMs: 0 }, into);
        return '';
      });
    }
    const batch = outbox.takeCells([], 0, true);
    if (batch === null) throw new Error('a batch was sealed');
    return batch;
  });
}

async function world() {
  const log = new MemoryLog();
  await log.createTopics([{ topic: 'out', partitions: 1 }]);
  const retried: unknown[] = [];
  const steps: string[] = [];
  const abort = new AbortController();
  const task = (run = 1): DeliveryTask => ({
    id: 'in_0', run, signal: abort.signal, retrying: (_operation, error) => retried.push(error),
    verifyOwner: async () => void steps.push('verify'),
  });
  const records = async () => {
    const { start, end } = await log.bounds({ topic: 'out', partition: 0 });
    const all = [];
    for await (const batch of log.read({ topic: 'out', partition: 0 }, start, end)) all.push(...batch.records);
    return all;
  };
  return { log, retried, steps, abort, task, records, texts: async () => (await records()).map(({ value }) => Buffer.from(value ?? []).toString()) };
}

/** A log whose ordinal producers do as planned. */
class PlannedLog extends MemoryLog {
  readonly plan: ((deliver: () => Promise<void>) => Promise<void>)[] = [];
  readonly steps: string[];

  constructor(steps: string[]) {
    super();
    this.steps = steps;
  }

  override ordinalProducer(options: Parameters<MemoryLog['ordinalProducer']>[0]): OrdinalProducer {
    const inner = super.ordinalProducer(options);
    return {
      open: () => {
        this.steps.push('open');
        return inner.open();
      },
      deliver: (records: readonly OutboundRecord[], lastOrdinal) => {
        this.steps.push(`deliver ${records.length}`);
        const planned = this.plan.shift();
        return planned === undefined ? inner.deliver(records, lastOrdinal) : planned(() => inner.deliver(records, lastOrdinal));
      },
      close: () => {
        this.steps.push('close');
        return inner.close();
      },
    };
  }
}

describe('TopicDelivery', () => {
  it('fences its predecessors, proves its ownership, and only then sends', async () => {
    const { steps, task } = await world();
    const log = new PlannedLog(steps);
    await log.createTopics([{ topic: 'out', partitions: 1 }]);
    const delivery = new TopicDelivery(log, 'app', 'out', 'out', task());
    await delivery.open();
    for (const batch of batches(['a', 'b'], ['c'])) await delivery.deliver(batch);
    expect(steps).toEqual(['open', 'verify', 'deliver 2', 'deliver 1']);
  });

  it('leaves out what is at or below the mark, however the rows are cut the second time', async () => {
    const { log, task, texts } = await world();
    const first = new TopicDelivery(log, 'app', 'out', 'out', task());
    for (const batch of batches(['a', 'b'], ['c'])) await first.deliver(batch);
    const second = new TopicDelivery(log, 'app', 'out', 'out', task());
    for (const batch of batches(['a'], ['b', 'c', 'd'], ['e'])) await second.deliver(batch);
    expect(await texts()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('sends everything again in another run: a mark of an earlier one says nothing', async () => {
    const { log, task, texts } = await world();
    for (const run of [1, 2]) {
      const delivery = new TopicDelivery(log, 'app', 'out', 'out', task(run));
      for (const batch of batches(['a'])) await delivery.deliver(batch);
    }
    expect(await texts()).toEqual(['a', 'a']);
  });

  it('throws a producer away after any error, and starts at the beginning: the mark tells whether it was done', async () => {
    const { steps, task, retried } = await world();
    const log = new PlannedLog(steps);
    await log.createTopics([{ topic: 'out', partitions: 1 }]);
    log.plan.push(async (deliver) => {
      await deliver();
      throw new VoltstreamError('LOG_UNAVAILABLE', 'planted');   // done, but the answer was lost
    }, () => Promise.reject(new Error('planted')));
    const delivery = new TopicDelivery(log, 'app', 'out', 'out', task());
    for (const batch of batches(['a', 'b'], ['c'])) await delivery.deliver(batch);
    expect(steps).toEqual(['open', 'verify', 'deliver 2', 'close', 'open', 'verify', 'deliver 1', 'close', 'open', 'verify', 'deliver 1']);
    expect([retried.length, (await log.bounds({ topic: 'out', partition: 0 })).end]).toEqual([2, 3]);
  });

  it.each(['RECORD_TOO_LARGE', 'LOG_REFUSED', 'TOPIC_MISSING'] as const)('ends by %s, which no repetition cures', async (code) => {
    const { steps, task, retried } = await world();
    const log = new PlannedLog(steps);
    await log.createTopics([{ topic: 'out', partitions: 1 }]);
    log.plan.push(() => Promise.reject(new VoltstreamError(code, 'planted')));
    const [batch] = batches(['a']);
    await expect(new TopicDelivery(log, 'app', 'out', 'out', task()).deliver(batch as SealedBatch)).rejects.toMatchObject({ code });
    expect(retried).toEqual([]);
  });

  it('sends nothing, and does not try again, when the task turns out to be another\'s', async () => {
    const { log, task, texts, retried } = await world();
    const fenced = { ...task(), verifyOwner: () => Promise.reject(new VoltstreamError('FENCED', 'planted')) };
    const [batch] = batches(['a']);
    await expect(new TopicDelivery(log, 'app', 'out', 'out', fenced).deliver(batch as SealedBatch)).rejects.toMatchObject({ code: 'FENCED' });
    expect([await texts(), retried]).toEqual([[], []]);
    const older = new TopicDelivery(log, 'app', 'out', 'out', task());
    await older.open();
    await new TopicDelivery(log, 'app', 'out', 'out', task()).open();
    await expect(older.deliver(batch as SealedBatch)).rejects.toMatchObject({ code: 'FENCED' });
    expect(await texts()).toEqual([]);
  });
});

describe('RepartitionDelivery', () => {
  it('names writer, run and ordinal in every record, also when it sends it again', async () => {
    const { log, task, records } = await world();
    const delivery = new RepartitionDelivery(log, 'out', task(3));
    const [first, second] = batches(['a', 'b'], ['c']);
    for (const batch of [first, first, second]) await delivery.deliver(batch as SealedBatch);
    const marks = (await records()).map((record) => writerMarkOf(record));
    expect(marks).toEqual([0, 1, 0, 1, 2].map((ordinal) => ({ run: 3, task: 'in_0', ordinal })));
  });

  it('ends by what no repetition cures', async () => {
    const { log, task, retried } = await world();
    const [batch] = batches(['a']);
    await expect(new RepartitionDelivery(log, 'nowhere', task()).deliver(batch as SealedBatch)).rejects.toMatchObject({ code: 'TOPIC_MISSING' });
    expect(retried).toEqual([]);
  });

  it('ends when its task is dropped, though the log is away', async () => {
    const { log, task, abort, retried } = await world();
    await log.close();
    class AwayLog extends MemoryLog {
      override producer(): Promise<never> {
        return Promise.reject(new VoltstreamError('LOG_UNAVAILABLE', 'planted'));
      }
    }
    const [batch] = batches(['a']);
    const delivered = new RepartitionDelivery(new AwayLog(), 'out', task()).deliver(batch as SealedBatch);
    setTimeout(() => abort.abort(new Error('dropped')), 10);
    await expect(delivered).rejects.toThrow('dropped');
    expect(retried.length).toBe(1);
  });
});
