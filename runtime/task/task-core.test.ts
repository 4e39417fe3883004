import { describe, expect, it } from 'vitest';
import { InvariantViolation, VoltstreamError } from '../../errors.ts';
import { filter } from '../../operators/filter.ts';
import { joinTable } from '../../operators/join-table.ts';
import { mapValues } from '../../operators/map-values.ts';
import { selectKey } from '../../operators/select-key.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { SchemaNotLoaded } from '../../schemas/codec.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { readerOf } from '../testing/driver-forms.ts';
import { batch, CommittedCells, coreOf, textsOf } from './testing/core-fixture.ts';
import { writerHeader } from './writer-header.ts';

const words = { key: utf8, value: utf8 };

function merged(): Topology {
  const topology = new Topology('merged');
  const left = topology.stream('left', words);
  left.merge(topology.stream('right', words)).to(logTopic('out', words));
  return topology;
}

function mapped(map: (value: string) => string, deadLetters = false): Topology {
  const topology = new Topology('mapped');
  topology.stream('in', words).pipe(mapValues(map)).to(logTopic('out', words));
  if (deadLetters) topology.deadLetters(logTopic('dead', { key: utf8, value: json<DeadLetter>() }));
  return topology;
}

const at = (timestampMs: number) => ({ value: String(timestampMs), timestampMs });

describe('the order of a task with several inputs', () => {
  it('is that of the heads by timestamp, earlier inputs first among equals', () => {
    const core = coreOf(merged());
    core.accept(batch('left', 0, [at(1), at(5), at(4), { value: 'left 9', timestampMs: 9 }]));
    core.accept(batch('right', 0, [at(2), at(3), at(6), { value: 'right 9', timestampMs: 9 }]));
    expect(core.process(100, 0)).toBe(8);
    expect(textsOf(core.takeCommit(0, true).sealed)).toEqual(['1', '2', '3', '5', '4', '6', 'left 9', 'right 9']);
  });

  it('waits for what is known to be there, and by maxTaskIdleMs 0 for nothing else', () => {
    const core = coreOf(merged());
    core.accept(batch('left', 0, [at(1)]));
    core.accept({ ...batch('right', 0, []), endOffset: 3 });     // three records are there, and were not fetched yet
    expect(core.process(100, 1_000_000)).toBe(0);
    core.accept({ ...batch('right', 0, [at(0), at(2), at(3)]) });
    expect(core.process(100, 0)).toBe(4);
    core.accept(batch('left', 1, [at(1)]));
    expect(core.process(100, 0)).toBe(1);
  });

  it('waits maxTaskIdleMs for an input that has nothing, counted from its own last record', () => {
    const core = coreOf(merged(), [], { maxTaskIdleMs: 50 });
    core.accept(batch('left', 0, [at(1), at(2)]));
    expect(core.process(100, 0)).toBe(0);
    expect(core.process(100, 49)).toBe(0);
    expect(core.process(100, 50)).toBe(2);
    core.accept(batch('right', 0, [at(3)]));                     // left is empty only since 50
    expect(core.process(100, 99)).toBe(0);
    expect(core.process(100, 100)).toBe(1);
    core.accept(batch('left', 2, [at(4)]));                      // and right since 100
    expect(core.process(100, 100)).toBe(0);
    expect(core.process(100, 150)).toBe(1);
  });

  it('never waits by maxTaskIdleMs -1', () => {
    const core = coreOf(merged(), [], { maxTaskIdleMs: -1 });
    core.accept({ ...batch('right', 0, []), endOffset: 3 });
    core.accept(batch('left', 0, [at(1)]));
    expect(core.process(100, 0)).toBe(1);
  });

  it('is kept while an input waits for a schema, whatever the idle time', () => {
    let loaded = false;
    const registered = { decode: (bytes: Uint8Array) => {
      if (!loaded) throw new SchemaNotLoaded(1);
      return readerOf(utf8).decode(bytes);
    }, load: () => Promise.resolve() };
    const plain = readerOf(utf8);
    const core = coreOf(merged(), [], {
      maxTaskIdleMs: -1, readers: new Map([['left', { key: plain, value: plain }], ['right', { key: plain, value: registered }]]),
    });
    core.accept(batch('left', 0, [at(2)]));
    core.accept(batch('right', 0, [at(1)]));
    expect(core.process(100, 0)).toBe(0);
    loaded = true;
    core.process(100, 0);
    expect(textsOf(core.takeCommit(0, true).sealed)).toEqual(['1', '2']);
  });
});

describe('a commit', () => {
  it('says of a repartition record that it was taken only when it was processed', () => {
    const topology = new Topology('joined');
    const table = topology.table('names', words);
    topology.stream('ids', words).pipe(selectKey((id) => id)).repartition('by-id', words)
      .pipe(joinTable('named', table, (id, name) => `${id} ${name}`)).to(logTopic('out', words));
    const part = topology.build().subTopologies.find((candidate) => candidate.name === 'by-id');
    if (part === undefined) throw new Error('there is a sub-topology behind the repartition');
    const committed = new CommittedCells();
    const written = (ordinal: number, timestampMs: number) => ({
      key: 'a', value: `id ${ordinal}`, timestampMs, headers: [writerHeader({ run: 1, task: 'ids_0', ordinal })],
    });
    const topic = 'by-id-repartition';
    const before = coreOf(topology, [], { part });
    before.accept(batch('names', 0, [{ key: 'a', value: 'ann', timestampMs: 0 }, { key: 'a', value: 'anna', timestampMs: 15 }]));
    before.accept(batch(topic, 0, [written(0, 10), written(1, 20)]));
    before.process(2, 0);                                        // names@0 and by-id@0; both other records are decoded heads
    const first = before.takeCommit(0, true);
    committed.apply(first.cells);
    const after = coreOf(topology, committed.all, { part });     // a crash: read again from the positions
    after.accept(batch('names', 1, [{ key: 'a', value: 'anna', timestampMs: 15 }]));
    after.accept(batch(topic, 1, [written(1, 20), written(0, 10), written(1, 20)]));
    after.process(100, 0);
    expect(textsOf([...first.sealed, ...after.takeCommit(0, true).sealed])).toEqual(['id 0 ann', 'id 1 anna']);
    expect(after.counters.repeated).toBe(2);
  });

  it('carries positions, stream times, ordinals, run, partitions and forms, and only what has changed', () => {
    const topology = new Topology('sums');
    topology.stream('in', words).pipe(filter((value) => value !== 'no'), windowAggregate('sum', tumbling({ sizeMs: 10, graceMs: 0 }), {
      key: utf8, aggregate: json<number>(), initial: () => 0, fold: (sum: number) => sum + 1,
    }));
    const core = coreOf(topology);
    const committed = new CommittedCells();
    core.accept(batch('in', 0, [{ value: 'a', timestampMs: 7 }, { value: 'no', timestampMs: 99 }]));
    core.process(100, 0);
    committed.apply(core.takeCommit(0, false).cells);
    expect(['position/in', 'time/sum', 'run', 'partitions'].map((fact) => committed.text('$task', fact))).toEqual(['2', '7', '1', '1']);
    expect(committed.text('$task', 'schema/sum')).toMatch(/^time-key /);
    expect([core.dirty, core.takeCommit(0, false).cells]).toEqual([false, []]);
    const again = coreOf(topology, committed.all);
    expect([again.streamTimes().get('sum')?.ms, again.queues[0]?.position]).toEqual([7, 2]);
    expect(again.takeCommit(0, true)).toEqual({ cells: [], sealed: [], passed: [] });
  });

  it('is made of nothing after an error that stops the task', () => {
    const core = coreOf(mapped((value) => {
      if (value === 'bad') throw new Error('planted');
      return value;
    }));
    core.accept(batch('in', 0, ['a', 'bad', 'c']));
    expect(() => core.process(100, 0)).toThrow(/PROCESSING_FAILED: planted\n\s+where: task in_0, step "mapValues-1", in-0@1/);
    expect(core.queues[0]?.position).toBe(2);                    // the third was not begun
    expect(() => core.takeCommit(0, false)).toThrow(/planted/);
    expect(() => core.takeCommit(0, false)).toThrow(/planted/);
  });
});

describe('a record that fails', () => {
  it('stops the task when there is no sink for dead letters, also when it cannot be decoded', () => {
    const topology = new Topology('numbers');
    topology.stream('in', { key: utf8, value: json<number>() }).to(logTopic('out', { key: utf8, value: json<number>() }));
    const core = coreOf(topology);
    core.accept(batch('in', 0, ['1', '{']));
    expect(() => core.process(100, 0)).toThrow(VoltstreamError);
  });

  it('becomes a dead letter for each of its failures, numbered, with its bytes and the stage that refused it', () => {
    const topology = new Topology('careful');
    const lines = topology.stream('in', { key: utf8, value: json<number>() });
    const refusing = mapValues<string, number, number>((value) => {
      if (value < 0) throw new Error('negative');
      return value;
    });
    lines.pipe(refusing).to(logTopic('first', { key: utf8, value: json<number>() }));
    lines.pipe(refusing).to(logTopic('second', { key: utf8, value: json<number>() }));
    lines.pipe(mapValues((value) => value === 7 ? undefined as unknown as number : value)).to(logTopic('third', { key: utf8, value: {
      ...json<number>(), encode: (value) => {
        if (value === 8) throw new Error('unwritable');
        return Buffer.from(String(value));
      },
    } }));
    topology.deadLetters(logTopic('dead', { key: utf8, value: json<DeadLetter>() }));
    const core = coreOf(topology);
    core.accept(batch('in', 0, ['{', '-1', '8', '1']));
    core.process(100, 0);
    const { sealed } = core.takeCommit(0, true);
    const letters = textsOf(sealed.filter(({ sink }) => sink === 'dead')).map((text) => JSON.parse(text) as DeadLetter);
    expect(letters.map(({ stage, step, offset, index, reason }) => [stage, step, offset, index, reason])).toEqual([
      ['deserialise', 'in', 0, 0, 'DESERIALISATION_FAILED'],
      ['process', 'mapValues-1', 1, 0, 'PROCESSING_FAILED'],
      ['process', 'mapValues-2', 1, 1, 'PROCESSING_FAILED'],
      ['deliver', 'third', 2, 0, 'PROCESSING_FAILED'],
    ]);
    expect([core.deadLetters.count, textsOf(sealed.filter(({ sink }) => sink === 'first'))]).toEqual([4, ['8', '1']]);
  });

  it('is never a dead letter when an assertion of ours has failed: the task stops', () => {
    const core = coreOf(mapped(() => {
      throw new InvariantViolation('planted');
    }, true));
    core.accept(batch('in', 0, ['a']));
    expect(() => core.process(100, 0)).toThrow(InvariantViolation);
    expect(() => core.takeCommit(0, false)).toThrow(InvariantViolation);
    expect(core.deadLetters.count).toBe(0);
  });
});
