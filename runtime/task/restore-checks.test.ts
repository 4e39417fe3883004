import { describe, expect, it } from 'vitest';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { restoreAll } from './restore-all.ts';
import { batch, CommittedCells, coreOf } from './testing/core-fixture.ts';

const words = { key: utf8, value: utf8 };

interface Written {
  readonly value?: Codec<string>;
  readonly step?: string | null;
  readonly kind?: 'key-value' | 'time-key';
  readonly sink?: string | null;
}

function topologyOf({ value = utf8, step = 'last', kind = 'key-value', sink = 'out' }: Written = {}): Topology {
  const topology = new Topology('lasts');
  const stream = topology.stream('in', words);
  const remembered = step === null ? stream : stream.pipe(statefulOperator({
    kind: 'last', name: step,
    stores: { last: kind === 'key-value' ? keyValueStore({ name: step, key: utf8, value }) : timeKeyStore({ name: step, key: utf8, value }) },
    process: (record, context, emit) => {
      if ('get' in context.stores.last) (context.stores.last as { put(key: string, value: string): void }).put(record.key, record.value);
      emit(record);
    },
  }));
  if (sink !== null) remembered.to(logTopic(sink, words));
  return topology;
}

/** State of a task that has processed one record, with its output waiting in the outbox. */
function writtenBy(topology: Topology): CommittedCells {
  const committed = new CommittedCells();
  const core = coreOf(topology);
  core.accept(batch('in', 0, ['a']));
  core.process(1, 0);
  committed.apply(core.takeCommit(0, true).cells);
  return committed;
}

describe('a task restored from state of another version', () => {
  const { all } = writtenBy(topologyOf());

  it('goes on where nothing has changed, or a step without state has come', () => {
    expect(coreOf(topologyOf(), all).outboxes.get('out')?.rows).toBe(1);
  });

  it('refuses another number of partitions', () => {
    expect(() => coreOf(topologyOf(), all, { partitions: 2 })).toThrow(/PARTITIONS_CHANGED.*\n.*task in_0\n\s+wanted: 1\n\s+got: 2/);
  });

  it('refuses a store with another codec, or of another kind', () => {
    expect(() => coreOf(topologyOf({ value: { ...utf8, schemaId: 'other' } }), all))
      .toThrow(/STATE_INCOMPATIBLE.*another form\n.*task in_0, step "last", store "last"\n\s+wanted: key-value utf8\/other\n\s+got: key-value utf8\/utf8/);
    expect(() => coreOf(topologyOf({ kind: 'time-key' }), all)).toThrow(/STATE_INCOMPATIBLE(.|\n)*wanted: time-key utf8\/utf8\n\s+got: key-value utf8\/utf8/);
  });

  it('refuses state of a step that is gone, and names its store', () => {
    expect(() => coreOf(topologyOf({ step: null }), all)).toThrow(/no longer has\n.*\n\s+wanted: a step with the store "last"\n\s+got: no stores/);
    expect(() => coreOf(topologyOf({ step: 'renamed' }), all)).toThrow(/got: renamed/);
  });

  it('refuses waiting rows of a sink that is gone, renamed, or has another form', () => {
    expect(() => coreOf(topologyOf({ sink: null }), all)).toThrow(/rows wait for a sink that the topology no longer has\n.*\n\s+wanted: a sink "out"/);
    expect(() => coreOf(topologyOf({ sink: 'renamed' }), all)).toThrow(/wanted: a sink "out"\n\s+got: renamed\n\s+cure: Run the earlier version/);
    const encoders = new Map([['out', { schemaId: 'other', encode: () => '' }]]);
    expect(() => coreOf(topologyOf(), all, { encoders })).toThrow(/rows wait for a sink whose columns or schema have changed.*\n.*sink "out", 1 rows/);
  });

  it('takes a sink of another form, or none, when no row waits', () => {
    const committed = writtenBy(topologyOf());
    const core = coreOf(topologyOf(), committed.all);
    const [due] = restoreAll(core, []);
    expect(due).toBeUndefined();
    const restarted = coreOf(topologyOf(), []);
    const [batchDue] = restoreAll(restarted, [committed.all]);
    if (batchDue === undefined) throw new Error('the sealed row is due');
    restarted.outboxes.get('out')?.acknowledge(batchDue.batch);
    committed.apply(restarted.takeCommit(0, false).cells);
    expect(coreOf(topologyOf(), committed.all, { encoders: new Map([['out', { schemaId: 'other', encode: () => '' }]]) }).dirty).toBe(false);
    expect(coreOf(topologyOf({ sink: null }), committed.all).outboxes.size).toBe(0);
  });

  it('counts waiting dead letters as rows of their sink', () => {
    const withDead = (): Topology => {
      const topology = new Topology('dead');
      topology.stream('in', { key: utf8, value: json<number>() });
      topology.deadLetters(logTopic('dead', { key: utf8, value: json<DeadLetter>() }));
      return topology;
    };
    const { all: cells } = writtenBy(withDead());
    expect(coreOf(withDead(), cells).outboxes.get('dead')?.rows).toBe(1);
    const without = new Topology('dead');
    without.stream('in', { key: utf8, value: json<number>() });
    expect(() => coreOf(without, cells)).toThrow(/wanted: a sink "dead"/);
  });
});
