import { describe, expect, it } from 'vitest';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { MemoryStateStore } from '../../state/memory-state-store.ts';
import { deadLetterTopic } from '../../topology/dead-letter.ts';
import { clickhouse } from '../../topology/sink.ts';
import type { WarehouseSink } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { TopicDelivery } from '../delivery/log-delivery.ts';
import { warehouseEncoder } from '../delivery/sink-encoders.ts';
import { MemoryLog } from '../log/memory-log.ts';
import type { Warehouse } from '../sinks/warehouse.ts';
import { driverEncoder, readerOf } from '../testing/driver-forms.ts';
import { FailurePolicies } from '../task/error-policy.ts';
import type { PositionPolicy } from '../worker/positions.ts';
import { FakeWarehouse } from '../worker/testing/fake-warehouse.ts';
import { tableColumns, tableOf } from '../worker/testing/running.ts';
import type { ArchiveTask } from './archive-task.ts';
import { intentOf } from './archive-task.ts';
import { ArchiveFactory } from './archive-factory.ts';

const form = { key: utf8, value: json<string>() };
const assignment = { task: 'raw_0', partitions: [{ topic: 'in', partition: 0 }] };
const never = new Promise<never>(() => undefined);

async function world(readByStream = true) {
  const log = new MemoryLog();
  await log.createTopics(['in', 'dead'].map((topic) => ({ topic, partitions: 1 })));
  const store = new MemoryStateStore();
  const warehouse = new FakeWarehouse(tableColumns);
  const topology = new Topology('archive');
  /** Texts of which no row can be made. */
  const unmakeable = new Set<string>();
  topology.archive('raw', 'in', form, clickhouse(tableOf('raw'), (text: string) => {
    if (unmakeable.has(text)) throw new Error(`${text} is planted`);
    return { text };
  }));
  topology.stream('in', form);
  const deadLetters = deadLetterTopic('dead');
  topology.deadLetters(deadLetters);
  const built = topology.build();
  const archive = built.archives[0];
  if (archive === undefined) throw new Error('there is an archive');
  const sink = archive.sink as unknown as WarehouseSink<unknown, unknown, Readonly<Record<string, never>>>;
  const append = async (...texts: readonly (string | null)[]): Promise<void> => {
    const producer = await log.producer();
    await producer.append(texts.map((text) => ({ topic: 'in', key: null, value: text === null ? null : Buffer.from(text), timestampMs: 0 })));
  };
  /** The next claim of the archive's task; positions and everything else as after a restart. */
  const claim = async (options: { readonly warehouse?: Warehouse; readonly rowsMax?: number; readonly policy?: PositionPolicy['onOffsetOutOfRange'] } = {}) => {
    const stopped: unknown[] = [];
    const notices: string[] = [];
    const factory = new ArchiveFactory({
      archive: { ...archive, readByStream }, application: 'app', log, store, warehouse: options.warehouse ?? warehouse, table: sink.table, facts: { engine: 'MergeTree', replicated: false },
      readers: { key: readerOf(form.key), value: readerOf(form.value) as never }, encoderOf: (run) => warehouseEncoder(sink, run, () => 0),
      limits: { rowsMax: options.rowsMax ?? 3, bytesMax: 1_000_000, ageMs: 1_000_000 },
      positions: { onOffsetOutOfRange: options.policy ?? 'fail', reset: false, notice: (message) => notices.push(message) },
      newRun: () => 1, nowMs: () => 0, signal: new AbortController().signal,
      failures: new FailurePolicies(built),
      letters: { sink: { kind: 'sink', name: 'dead', sink: deadLetters as never }, encoderOf: () => driverEncoder({ kind: 'sink', name: 'dead', sink: deadLetters as never }) },
      deliveryOf: (_sink, task) => new TopicDelivery(log, 'app', 'dead', 'dead', task),
      listener: {
        committing: (_task, _cells, work) => work(), delivering: (_task, _sink, _rows, work) => work(), retrying: () => undefined,
        stopped: (_task, error) => stopped.push(error),
      },
    });
    const task = await factory.claim(assignment, log.consumer({ group: 'g', tasks: [] }));
    return { task, stopped, notices };
  };
  const feed = async (task: ArchiveTask): Promise<void> => {
    const [queue] = task.queues;
    const { end } = await log.bounds({ topic: 'in', partition: 0 });
    for await (const batch of log.read({ topic: 'in', partition: 0 }, queue?.requestPosition ?? 0, end)) task.accept(batch);
  };
  const intent = async () => intentOf([await store.read('raw_0', '$archive')]);
  const letters = async (): Promise<string[]> => {
    const values: string[] = [];
    const { end } = await log.bounds({ topic: 'dead', partition: 0 });
    for await (const batch of log.read({ topic: 'dead', partition: 0 }, 0, end)) for (const { value } of batch.records) values.push(Buffer.from(value ?? []).toString());
    return values;
  };
  return { log, store, warehouse, append, claim, feed, intent, letters, unmakeable, texts: () => warehouse.textsOf('raw') };
}

const quoted = (...texts: readonly string[]): string[] => texts.map((text) => JSON.stringify(text));
const turns = async (task: ArchiveTask, count = 8): Promise<void> => {
  for (let turn = 0; turn < count; turn++) {
    task.turn(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Dies at its first insert: before it takes effect, or after. */
function dying(warehouse: FakeWarehouse, moment: 'before' | 'after'): Warehouse {
  return Object.assign(Object.create(warehouse) as FakeWarehouse, {
    query: (sql: string) => warehouse.query(sql),
    insert: async (insert: Parameters<Warehouse['insert']>[0]) => {
      if (moment === 'after') await warehouse.insert(insert);
      return never;
    },
  });
}

describe('an archive', () => {
  it('has one row for each record, in the order of the log, in inserts of the wanted size', async () => {
    const { append, claim, feed, texts, warehouse } = await world();
    await append(...quoted('a1', 'b1', 'a2', 'a3', 'a4'));
    const { task } = await claim();
    await feed(task);
    await turns(task);
    expect(texts()).toEqual(['a1', 'a2', 'b1']);                 // three rows were full: one insert for each table partition
    await task.flush();
    expect([texts(), warehouse.inserts, task.rowsInserted]).toEqual([['a1', 'a2', 'b1', 'a3', 'a4'], 3, 5]);
    expect(task.committedPositions).toEqual([{ topic: 'in', partition: 0, offset: 5 }]);
  });

  it('commits the range and its hashes before the insert, and moves on only after the acknowledgement', async () => {
    const { append, claim, feed, intent, texts, warehouse } = await world();
    await append(...quoted('a1', 'b1', 'a2'));
    const { task } = await claim({ warehouse: dying(warehouse, 'before') });
    await feed(task);
    await turns(task);
    expect(await intent()).toMatchObject({ from: 0, to: 3, hashes: [expect.stringMatching(/^[0-9a-f]{32}$/), expect.any(String)] });
    expect([texts(), task.committedPositions[0]?.offset, task.settled]).toEqual([[], 0, false]);
  });

  it.each(['before', 'after'] as const)('makes an unfinished range again from the log, after a crash %s its insert, once and in order', async (moment) => {
    const { append, claim, feed, intent, texts, warehouse } = await world();
    await append(...quoted('a1', 'b1', 'a2'));
    const crashed = await claim({ warehouse: dying(warehouse, moment) });
    await feed(crashed.task);
    await turns(crashed.task);
    expect(texts()).toEqual(moment === 'before' ? [] : ['a1', 'a2']);   // of the second piece nothing was sent
    await append(...quoted('a3'));
    const { task } = await claim();
    expect(texts()).toEqual(['a1', 'a2', 'b1']);
    await feed(task);
    await turns(task);
    await task.flush();
    expect(texts()).toEqual(['a1', 'a2', 'b1', 'a3']);
    expect(await intent()).toEqual({ from: 4, to: 4, hashes: [] });     // the next claim has nothing to look for
    const inserts = warehouse.inserts;
    await claim();
    expect(warehouse.inserts).toBe(inserts);
  });

  it('encodes the next rows while an insert is under way, and inserts them after it', async () => {
    const { append, claim, feed, texts, warehouse } = await world();
    let answer: () => void = () => undefined;
    let under = 0;
    let most = 0;
    const slow: Warehouse = Object.assign(Object.create(warehouse) as FakeWarehouse, {
      insert: async (insert: Parameters<Warehouse['insert']>[0]) => {
        most = Math.max(most, ++under);
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        await warehouse.insert(insert);
        under--;
      },
    });
    await append(...quoted('a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'));
    const { task } = await claim({ warehouse: slow });
    await feed(task);
    await turns(task);
    expect([texts(), task.waitingRows, task.pausedBy]).toEqual([[], 3, 'insert under way']);
    const flushed = task.flush();
    for (let answers = 0; answers < 3; answers++) {
      await expect.poll(() => under).toBe(1);
      answer();
      await expect.poll(() => under === 0 || texts().length > answers * 3).toBe(true);
      await turns(task, 2);
    }
    await flushed;
    expect([texts(), most]).toEqual([['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'], 1]);
  });

  it('passes records that cannot be decoded or have no value, also in a range that is made again', async () => {
    const { append, claim, feed, texts, warehouse } = await world();
    await append('{', ...quoted('a1'), null, ...quoted('a2'), '{', ...quoted('a3'), '{');
    const crashed = await claim({ warehouse: dying(warehouse, 'before') });
    await feed(crashed.task);
    await turns(crashed.task);
    const { task, stopped } = await claim();
    await feed(task);
    await turns(task);
    await task.flush();
    expect([texts(), stopped, task.queues[0]?.position]).toEqual([['a1', 'a2', 'a3'], [], 7]);
  });

  it('refuses an unfinished range that the log no longer holds whole, or goes on with its rest when it is told to', async () => {
    const { append, claim, feed, log, texts, warehouse } = await world();
    await append(...quoted('a1', 'b1', 'a2'));
    const crashed = await claim({ warehouse: dying(warehouse, 'before') });
    await feed(crashed.task);
    await turns(crashed.task);
    await log.deleteRecords([{ topic: 'in', partition: 0, offset: 1 }]);
    await expect(claim()).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    const { task, notices } = await claim({ policy: 'earliest' });
    await feed(task);
    await turns(task);
    await task.flush();
    expect([texts(), notices.length, task.committedPositions[0]?.offset]).toEqual([['b1', 'a2'], 1, 3]);
  });

  it('stops when another owner has claimed it, and sends nothing of what it could not commit', async () => {
    const { append, claim, feed, texts } = await world();
    const older = await claim();
    await claim();
    await append(...quoted('a1', 'a2', 'a3'));
    await feed(older.task);
    await turns(older.task);
    expect([texts(), older.task.stopped, older.stopped]).toEqual([[], true, [expect.objectContaining({ code: 'FENCED' })]]);
  });
});

describe('dead letters of an archive', () => {
  it('are committed with the range that they lie in, which names their offsets, and come once each', async () => {
    const { append, claim, feed, intent, letters, texts, unmakeable } = await world();
    unmakeable.add('b1').add('b2');
    await append(...quoted('a1', 'b1', 'b2', 'a2'));
    const { task } = await claim();
    await feed(task);
    await turns(task);
    await task.flush();
    expect([texts(), await letters(), task.settled, task.deadLetters]).toEqual([['a1', 'a2'], quoted('b1', 'b2'), true, 2]);
    await append(...quoted('b1'));
    await feed(task);
    task.turn(1_000);
    expect(task.settled).toBe(false);
    await task.flush();                                           // a range without rows
    expect([texts(), await letters(), task.committedPositions[0]?.offset]).toEqual([['a1', 'a2'], quoted('b1', 'b2', 'b1'), 5]);
    expect(await intent()).toEqual({ from: 5, to: 5, hashes: [] });
    const again = await claim();
    await again.task.flush();
    expect(await letters()).toEqual(quoted('b1', 'b2', 'b1'));
  });

  it.each(['before', 'after'] as const)('come once when the process dies %s the insert of their range, also when the code that makes rows has changed', async (moment) => {
    const { append, claim, feed, intent, letters, texts, unmakeable, warehouse } = await world();
    unmakeable.add('b1');
    await append(...quoted('a1', 'b1', 'a2', 'a3'));
    const crashed = await claim({ warehouse: dying(warehouse, moment) });
    await feed(crashed.task);
    await turns(crashed.task);
    expect(await intent()).toMatchObject({ from: 0, to: 4, refused: [1] });
    unmakeable.clear();
    unmakeable.add('a2');
    const { task } = await claim();
    expect(await intent()).toEqual({ from: 4, to: 4, hashes: [] });
    await task.flush();
    // What is in the table stays; what is made only now, is made by the code of now.
    expect(texts()).toEqual(moment === 'after' ? ['a1', 'a2', 'a3'] : ['a1', 'a3']);
    expect((await letters()).sort()).toEqual(quoted('a2', 'b1'));
    await (await claim()).task.flush();
    expect((await letters()).sort()).toEqual(quoted('a2', 'b1'));
  });

  it('are those that cannot be decoded, too, when no stream reads the topic: once each, also in a range that is made again', async () => {
    const { append, claim, feed, letters, texts, warehouse } = await world(false);
    await append('{', ...quoted('a1'), '{', ...quoted('a2'), null, '{');
    const crashed = await claim({ warehouse: dying(warehouse, 'before') });
    await feed(crashed.task);
    await turns(crashed.task);
    const { task } = await claim();
    await feed(task);
    await turns(task);
    await task.flush();
    await (await claim()).task.flush();
    expect([texts(), await letters()]).toEqual([['a1', 'a2'], ['{', '{', '{']]);
  });

  it('hold the archive back while too many wait', async () => {
    const { append, claim, feed, letters, log, unmakeable } = await world();
    unmakeable.add('b1');
    await append(...quoted('b1', 'b1', 'b1', 'b1'));
    const { task } = await claim();
    const make = log.ordinalProducer.bind(log);
    const down = Promise.withResolvers<void>();
    log.ordinalProducer = (options) => {
      const producer = make(options);
      return { open: () => down.promise.then(() => producer.open()), deliver: (records, last) => producer.deliver(records, last), close: () => producer.close() };
    };
    await feed(task);
    await turns(task);
    expect([task.pausedBy, task.queues[0]?.position]).toEqual(['dead letters wait', 3]);
    down.resolve();
    await turns(task, 20);
    await task.flush();
    expect([task.pausedBy, (await letters()).length]).toEqual([null, 4]);
  });
});
