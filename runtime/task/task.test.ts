import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import { mapValues } from '../../operators/map-values.ts';
import type { StreamRecord } from '../../operators/operator.ts';
import type { Emit } from '../../operators/record-step.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { MemoryStateStore } from '../../state/memory-state-store.ts';
import type { Commit, CommitOutcome } from '../../state/state-store.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { loadConfiguration } from '../configuration.ts';
import type { DeliveryTask, SinkDelivery } from '../delivery/delivery.ts';
import { FailurePolicies, RecordRetry } from './error-policy.ts';
import type { TaskCoreOptions } from './task-core.ts';
import { Task } from './task.ts';
import { batch, coreOf, textsOf } from './testing/core-fixture.ts';

/** A store whose commits wait for the test. */
class HeldStore extends MemoryStateStore {
  readonly held: (() => void)[] = [];
  holding = false;

  override async commit(commit: Commit): Promise<CommitOutcome> {
    if (this.holding) await new Promise<void>((resolve) => this.held.push(resolve));
    return super.commit(commit);
  }
}

const words = { key: utf8, value: utf8 };

function passing(): Topology {
  const topology = new Topology('task');
  topology.stream('in', words).pipe(mapValues((value: string) => {
    if (value === 'bad') throw new Error('planted');
    return value;
  })).to(logTopic('out', words));
  return topology;
}

async function drive(
  deliver: (texts: readonly string[], task: DeliveryTask) => Promise<void> = async () => undefined, flags: Readonly<Record<string, unknown>> = {},
  topology = passing(), options: Partial<TaskCoreOptions> = {},
) {
  const store = new HeldStore();
  const core = coreOf(topology, [], options);
  const delivered: string[] = [];
  const stopped: unknown[] = [];
  let nowMs = 0;
  const task = new Task({
    id: 'in_0', store, claim: await store.claim('in_0'), core, limits: loadConfiguration({ flags: { 'commit.intervalMs': 10, 'poll.waitMs': 1, ...flags } }),
    sinks: topology.build().subTopologies[0]?.sinks ?? [],
    deliveryOf: (_sink, deliveryTask): SinkDelivery => ({
      open: async () => undefined, close: async () => undefined,
      deliver: async (sealed) => {
        const texts = textsOf([{ batch: sealed }]);
        await deliver(texts, deliveryTask);
        delivered.push(...texts);
      },
    }),
    listener: {
      committing: (_task, _cells, work) => work(), delivering: (_task, _sink, _rows, work) => work(), retrying: () => undefined,
      stopped: (_task, error) => stopped.push(error),
    },
    nowMs: () => nowMs,
  });
  task.begin([]);
  const settle = () => new Promise((resolve) => setTimeout(resolve, 1));
  return { task, store, core, delivered, stopped, settle, at: (timeMs: number) => {
    nowMs = timeMs;
  } };
}

describe('Task', () => {
  it('shows nothing to a sink before the commit that made it is accepted (Law 1)', async () => {
    const { task, store, delivered, settle, at } = await drive();
    store.holding = true;
    task.accept(batch('in', 0, ['a', 'b']));
    expect(task.turn(100)).toBe(2);
    at(10);
    task.turn(100);
    await settle();
    expect([store.held.length, delivered, task.committedPositions]).toEqual([1, [], []]);
    store.holding = false;
    store.held.shift()?.();
    await settle();
    expect([delivered, task.committedPositions]).toEqual([['a', 'b'], [{ topic: 'in', partition: 0, offset: 2 }]]);
    expect(task.settled).toBe(false);                            // the acknowledgement is not committed yet
    at(20);
    task.turn(100);
    await settle();
    expect([task.settled, (await store.read('in_0', '$outbox.out')).length]).toEqual([true, 0]);
  });

  it('shows nothing at all of a commit that is FENCED, and stops', async () => {
    const { task, store, delivered, stopped, settle, at } = await drive();
    await store.claim('in_0');
    task.accept(batch('in', 0, ['a']));
    at(10);
    task.turn(100);
    await settle();
    expect([delivered, task.stopped, task.pausedBy, stopped]).toEqual([[], true, 'FENCED', [expect.objectContaining({ code: 'FENCED' })]]);
    expect([task.accept(batch('in', 1, ['b'])), task.turn(100)]).toEqual([false, 0]);
  });

  it('says whether it is still ours without anything to commit', async () => {
    const { task, store, stopped, settle } = await drive();
    task.confirmOwner();
    await settle();
    expect([task.stopped, stopped]).toEqual([false, []]);
    await store.claim('in_0'); // somebody else
    task.confirmOwner();
    await expect.poll(() => stopped).toMatchObject([{ code: 'FENCED' }]);
    expect(task.stopped).toBe(true);
  });

  it('commits by interval, by records and by bytes, and not twice at a time', async () => {
    const { task, store, settle, at } = await drive(undefined, { 'commit.recordsMax': 2, 'commit.intervalMs': 1_000 });
    store.holding = true;
    task.accept(batch('in', 0, ['a', 'b', 'c', 'd', 'e']));
    task.turn(1);
    await settle();
    expect(store.held.length).toBe(0);
    task.turn(1);                                                // two records: due before its time
    await settle();
    expect(store.held.length).toBe(1);
    task.turn(1);
    task.turn(1);
    at(5_000);
    task.turn(1);
    expect([store.held.length, task.pausedBy, task.queues[0]?.buffered]).toEqual([1, 'commit under way', 1]);
    store.holding = false;
    store.held.shift()?.();
    await settle();
    task.turn(1);
    expect([task.pausedBy, task.queues[0]?.buffered]).toEqual([null, 0]);
    const bytes = await drive(undefined, { 'commit.bytesMax': 65_536, 'commit.intervalMs': 60_000 });
    bytes.task.accept(batch('in', 0, ['x'.repeat(70_000)]));
    bytes.task.turn(1);
    await bytes.settle();
    expect(bytes.delivered.length).toBe(1);
  });

  it('commits at once when a record has passed that had failed before, and processes nothing else before that', async () => {
    const topology = passing();
    topology.errorPolicy({ process: { attempts: 2, backOffMs: 0, otherwise: 'fail' } });
    const failures = new FailurePolicies(topology.build());
    const before = { task: 'in_0', stage: 'process', step: 'mapValues-1', error: new Error('planted'), origin: { topic: 'in', partition: 0, offset: 1, timestampMs: 1 } } as const;
    expect(failures.stoppedBy(before)).toBeInstanceOf(RecordRetry);
    const { task, store, settle } = await drive(undefined, { 'commit.intervalMs': 60_000 }, topology, { failures });
    store.holding = true;
    task.accept(batch('in', 0, ['a', 'b', 'c']));
    expect([task.turn(100), task.queues[0]?.position]).toEqual([2, 2]);
    await settle();
    expect([store.held.length, task.turn(100), failures.hasTried('in_0', 'in', 1)]).toEqual([1, 1, true]);
    store.holding = false;
    store.held.shift()?.();
    await settle();
    expect([task.committedPositions, failures.remembers]).toEqual([[{ topic: 'in', partition: 0, offset: 2 }], false]);
  });

  it('still counts the attempts at a record whose commit is refused', async () => {
    const topology = passing();
    topology.errorPolicy({ process: { attempts: 3, backOffMs: 0, otherwise: 'fail' } });
    const failures = new FailurePolicies(topology.build());
    const failure = { task: 'in_0', stage: 'process', step: 'mapValues-1', error: new Error('planted'), origin: { topic: 'in', partition: 0, offset: 0, timestampMs: 0 } } as const;
    failures.stoppedBy(failure);
    const { task, store, stopped, settle } = await drive(undefined, {}, topology, { failures });
    await store.claim('in_0');
    task.accept(batch('in', 0, ['a']));
    task.turn(100);
    await settle();
    expect([stopped, failures.remembers]).toEqual([[expect.objectContaining({ code: 'FENCED' })], true]);
    expect(failures.stoppedBy(failure)).toMatchObject({ attempt: 2 });
  });

  it('stops at a record that fails, without a commit of what came before it in the same turn', async () => {
    const { task, store, stopped, settle, at } = await drive();
    task.accept(batch('in', 0, ['a', 'bad', 'c']));
    at(10);
    task.turn(100);
    await settle();
    expect([stopped, task.pausedBy]).toEqual([[expect.objectContaining({ code: 'PROCESSING_FAILED' })], 'PROCESSING_FAILED']);
    expect(await store.tasks()).toMatchObject([{ sequence: 0 }]);
  });

  it('stops at a delivery that cannot succeed, and ends one that is tried again when it is dropped', async () => {
    const refused = await drive(() => Promise.reject(new VoltstreamError('WAREHOUSE_REFUSED', 'planted')));
    refused.task.accept(batch('in', 0, ['a']));
    refused.at(10);
    refused.task.turn(100);
    await refused.settle();
    expect(refused.stopped).toEqual([expect.objectContaining({ code: 'WAREHOUSE_REFUSED' })]);
    let aborted = false;
    const waiting = await drive((_texts, task) => new Promise((_resolve, reject) => {
      task.signal.addEventListener('abort', () => {
        aborted = true;
        reject(new Error('dropped'));
      });
    }));
    waiting.task.accept(batch('in', 0, ['a']));
    waiting.at(10);
    waiting.task.turn(100);
    await waiting.settle();
    await waiting.task.drop('stopped');
    await waiting.settle();
    expect([aborted, waiting.stopped, waiting.delivered]).toEqual([true, [], []]);
  });

  it('flushes: commits, delivers and commits the acknowledgements, whatever the time', async () => {
    const { task, store, delivered } = await drive();
    task.accept(batch('in', 0, ['a', 'b']));
    task.turn(100);
    await task.flush();
    expect([delivered, task.settled]).toEqual([['a', 'b'], true]);
    expect((await store.read('in_0', '$outbox.out')).length + (await store.read('in_0', '$seal.out')).length).toBe(0);
  });

  it('ticks by its clock between turns, once the log has answered for idle sources, and not while it is paused', async () => {
    const topology = new Topology('ticking');
    topology.stream('in', { ...words, idleAfterMs: 20 }).pipe(statefulOperator({
      name: 'ticking', stores: {},
      process: (record: StreamRecord<string, string>, _context, emit: Emit<StreamRecord<string, string>>) => emit(record),
      punctuate: [{ type: 'wall-clock', intervalMs: 100, run: (timestampMs, _context, emit) => emit({ key: 'k', value: `tick ${timestampMs}`, timestampMs }) }],
      onIdle: (timestampMs, _context, emit) => emit({ key: 'k', value: `idle ${timestampMs}`, timestampMs }),
    })).to(logTopic('out', words));
    const { task, store, delivered, settle, at } = await drive(undefined, { 'commit.recordsMax': 1 }, topology);
    const turnAt = async (nowMs: number, polled?: boolean): Promise<void> => {
      at(nowMs);
      task.turn(100, polled);
      await settle();
    };
    task.accept(batch('in', 0, ['a']));
    await turnAt(0);
    await turnAt(20, false);
    await turnAt(25);
    await turnAt(40, false);
    expect(delivered).toEqual(['a', 'idle 25']);
    store.holding = true;
    task.accept(batch('in', 1, ['b']));
    await turnAt(55);                                             // its commit does not end
    task.accept(batch('in', 2, ['c']));
    await turnAt(60);
    await turnAt(130);
    expect(task.pausedBy).toBe('commit under way');
    store.holding = false;
    store.held.shift()?.();
    await settle();
    await turnAt(140);
    await turnAt(141);
    expect(delivered).toEqual(['a', 'idle 25', 'b', 'c', 'tick 140', 'idle 82']);
    // The machine was asleep: no source was idle meanwhile.
    for (const nowMs of [3_600_000, 3_600_010, 3_600_020, 3_600_030]) await turnAt(nowMs);
    expect(delivered.slice(6, 9)).toEqual(['idle 83', 'tick 3600000', 'idle 93']);
  });
});
