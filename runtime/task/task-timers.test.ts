import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import { mapValues } from '../../operators/map-values.ts';
import type { RecordOrigin, Schedule, StreamRecord } from '../../operators/operator.ts';
import type { Emit } from '../../operators/record-step.ts';
import { statefulOperator, statefulStep, type Punctuator } from '../../operators/stateful-operator.ts';
import { int64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { KeyValueStore } from '../../state/local-store.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { TopologyTestDriver } from '../testing/topology-test-driver.ts';
import { CommittedCells, batch, coreOf, textsOf } from './testing/core-fixture.ts';

const words = { key: utf8, value: utf8 };
type Text = StreamRecord<string, string>;

/** Passes records on, counts them, and gives `<step> <count>@<time>` at each call of a punctuator. */
function ticking(name: string, schedules: readonly Schedule[]) {
  const stores = { counts: keyValueStore({ name, key: utf8, value: int64 }) };
  return statefulOperator({
    name,
    stores,
    process(record: Text, { stores }, emit: Emit<Text>) {
      stores.counts.put('all', (stores.counts.get('all') ?? 0) + 1);
      emit(record);
    },
    punctuate: schedules.map((schedule): Punctuator<string, string, typeof stores> => ({
      ...schedule,
      run: (timestampMs, { stores }, emit) =>
        emit({ key: 'tick', value: `${name} ${stores.counts.get('all') ?? 0}@${timestampMs}`, timestampMs }),
    })),
  });
}

function tickingTopology(...schedules: readonly Schedule[]): Topology {
  const topology = new Topology('ticking');
  topology.stream('in', words).pipe(ticking('ticks', schedules)).to(logTopic('out', words));
  return topology;
}

const everyTen = (type: Schedule['type']): Schedule => ({ type, intervalMs: 10 });

describe('a stream-time punctuator', () => {
  const run = (times: readonly number[], driver = new TopologyTestDriver(tickingTopology(everyTen('stream-time')))): unknown[] => {
    for (const timeMs of times) driver.push('in', 'k', `r${timeMs}`, timeMs);
    return driver.take('out').map(({ value }) => value);
  };

  it('runs at the first record, and when the highest timestamp reaches another multiple, behind the record and once for all missed', () => {
    expect(run([3, 9, 10, 8, 47, 49, 50])).toEqual([
      'r3', 'ticks 1@3', 'r9', 'r10', 'ticks 3@10', 'r8', 'r47', 'ticks 5@47', 'r49', 'r50', 'ticks 7@50',
    ]);
  });

  it('goes on where it stood after a restart', () => {
    const driver = new TopologyTestDriver(tickingTopology(everyTen('stream-time')));
    run([3, 17], driver);
    driver.restart();
    expect(run([18, 19, 20], driver)).toEqual(['r18', 'r19', 'r20', 'ticks 5@20']);
  });

  it('runs before the next record of the same batch', () => {
    const core = coreOf(tickingTopology(everyTen('stream-time')));
    core.accept(batch('in', 0, [{ value: 'a', timestampMs: 10 }, { value: 'b', timestampMs: 11 }]));
    core.process(10, 0);
    expect(textsOf(core.takeCommit(0, true).sealed)).toEqual(['a', 'ticks 1@10', 'b']);
  });

  it('runs in the order of due times, then of steps', () => {
    const topology = new Topology('ticking');
    topology.stream('in', words)
      .pipe(ticking('first', [{ type: 'stream-time', intervalMs: 20 }]), ticking('second', [{ type: 'stream-time', intervalMs: 5 }, everyTen('stream-time')]))
      .to(logTopic('out', words));
    const driver = new TopologyTestDriver(topology);
    driver.push('in', 'k', 'a', 0);
    expect(driver.take('out').map(({ value }) => value)).toEqual(['a', 'first 1@0', 'second 2@0', 'second 2@0']);
    driver.push('in', 'k', 'b', 20);
    expect(driver.take('out').map(({ value }) => value)).toEqual(['b', 'second 3@20', 'second 3@20', 'first 2@20']);
  });
});

describe('a wall-clock punctuator', () => {
  const values = (driver: TopologyTestDriver): unknown[] => driver.take('out').map(({ value }) => value);

  it('runs an interval after the start, then at each further one; missed ones collapse', () => {
    const driver = new TopologyTestDriver(tickingTopology(everyTen('wall-clock')));
    driver.advanceWallClock(9);
    expect(values(driver)).toEqual([]);
    driver.advanceWallClock(2);
    expect(values(driver)).toEqual(['ticks 0@11']);
    driver.advanceWallClock(8);
    expect(values(driver)).toEqual([]);
    driver.advanceWallClock(1);
    driver.advanceWallClock(35);
    driver.advanceWallClock(5);
    expect(values(driver)).toEqual(['ticks 0@20', 'ticks 0@55', 'ticks 0@60']);
  });

  it('goes on where it stood after a restart, and comes again when it was not committed', () => {
    const driver = new TopologyTestDriver(tickingTopology(everyTen('wall-clock')), { commit: 'manual' });
    driver.push('in', 'k', 'a', 0);
    driver.commit();
    driver.advanceWallClock(7);
    driver.restart();
    driver.advanceWallClock(3);
    driver.restart();                                             // between tick and commit
    driver.commit();
    expect(values(driver)).toEqual(['a', 'ticks 1@10']);
    driver.restart();
    driver.commit();
    expect(values(driver)).toEqual([]);
  });

  it('is not there in replay and backfill', () => {
    const driver = new TopologyTestDriver(tickingTopology(everyTen('wall-clock')), { wallClock: false });
    driver.advanceWallClock(1_000);
    expect(values(driver)).toEqual([]);
  });

  it('is given no time below an earlier one when the clock is set back, and is called on', () => {
    const topology = tickingTopology(everyTen('wall-clock'));
    const core = coreOf(topology);
    const committed = new CommittedCells();
    const ticksAt = (of: typeof core, ...times: readonly number[]): string[] => {
      for (const timeMs of times) of.tick(timeMs, true);
      const { cells, sealed } = of.takeCommit(0, true);
      committed.apply(cells);
      return textsOf(sealed);
    };
    expect(ticksAt(core, 1_000, 1_010)).toEqual(['ticks 0@1010']);
    const elsewhere = coreOf(topology, committed.all);
    expect(ticksAt(elsewhere, 500, 510, 520)).toEqual(['ticks 0@1010', 'ticks 0@1010']);
  });

  it('asks for a commit when it starts, so that it comes to its turn, and for none while it has no effect', () => {
    const topology = new Topology('quiet');
    topology.stream('in', words).pipe(statefulOperator({
      name: 'quiet', stores: {}, punctuate: [{ ...everyTen('wall-clock'), run: () => undefined }],
      process: (record: Text, _context, emit: Emit<Text>) => emit(record),
    })).to(logTopic('out', words));
    const core = coreOf(topology);
    const committed = new CommittedCells();
    committed.apply(core.takeCommit(0, true).cells);
    core.tick(0, true);
    expect(core.dirty).toBe(true);
    committed.apply(core.takeCommit(0, true).cells);
    for (let nowMs = 1; nowMs < 100; nowMs++) core.tick(nowMs, true);
    expect([core.dirty, committed.text('$task', 'due/wall-clock/quiet/0')]).toEqual([false, '10']);
  });

  it('makes the task dirty by what it puts and by what it emits', () => {
    const effects = { put: false, emit: false };
    const topology = new Topology('effects');
    topology.stream('in', words).pipe(statefulOperator({
      name: 'effects', stores: { times: keyValueStore({ name: 'effects', key: utf8, value: int64 }) },
      process: (record: Text, _context, emit: Emit<Text>) => emit(record),
      punctuate: [{ ...everyTen('wall-clock'), run(timestampMs, { stores }, emit) {
        if (effects.put) stores.times.put('last', timestampMs);
        if (effects.emit) emit({ key: 'k', value: 'v', timestampMs });
      } }],
    })).to(logTopic('out', words));
    const core = coreOf(topology);
    const dirtyAfter = (nowMs: number, now: Partial<typeof effects>): boolean => {
      Object.assign(effects, { put: false, emit: false }, now);
      core.tick(nowMs, true);
      const { dirty } = core;
      core.takeCommit(0, true);
      return dirty;
    };
    dirtyAfter(0, {});
    expect([dirtyAfter(10, {}), dirtyAfter(20, { put: true }), dirtyAfter(30, {}), dirtyAfter(40, { emit: true })]).toEqual([false, true, false, true]);
  });
});

describe('what runs between records', () => {
  it('gives records of no origin', () => {
    const seen: RecordOrigin[] = [];
    const topology = new Topology('origins');
    topology.stream('in', words).pipe(statefulStep<string, string, string, string, Record<string, never>>({
      name: 'origins', stores: {},
      start: (context, emit) => {
        context.schedule(everyTen('wall-clock'), (timestampMs) => emit({ key: 'k', value: '', timestampMs }));
        return (record) => emit(record);
      },
    }), statefulOperator({
      name: 'sees', stores: {}, process: (record: Text, { origin }, emit: Emit<Text>) => {
        seen.push({ topic: origin.topic, partition: origin.partition, offset: origin.offset, timestampMs: origin.timestampMs });
        emit(record);
      },
    })).to(logTopic('out', words));
    const driver = new TopologyTestDriver(topology);
    driver.push('in', 'k', 'a', 5);
    driver.advanceWallClock(10);
    expect(seen).toEqual([{ topic: 'in', partition: 0, offset: 0, timestampMs: 5 }, { topic: '', partition: -1, offset: -1, timestampMs: 10 }]);
  });

  it.each(['the punctuator', 'a step behind it'])('stops the task with step and time when %s throws, if the policy says so', (who) => {
    const topology = new Topology('failing');
    topology.errorPolicy({ process: 'fail' });
    topology.deadLetters(logTopic('dead', { key: utf8, value: json<DeadLetter>() }));
    topology.stream('in', words).pipe(statefulOperator({
      name: 'failing', stores: {},
      process: (record: Text, _context, emit: Emit<Text>) => emit(record),
      punctuate: [{ type: 'stream-time', intervalMs: 10, run(timestampMs, _context, emit) {
        if (who === 'the punctuator' && timestampMs > 20) throw new Error('planted');
        emit({ key: 'k', value: timestampMs > 20 ? 'bad' : 'good', timestampMs });
      } }],
    }), mapValues((value: string) => {
      if (value === 'bad') throw new Error('planted');
      return value;
    })).to(logTopic('out', words));
    const driver = new TopologyTestDriver(topology);
    driver.push('in', 'k', 'a', 5);
    const step = who === 'the punctuator' ? 'failing' : 'mapValues-1';
    expect(() => driver.push('in', 'k', 'a', 21)).toThrow(new RegExp(`PROCESSING_FAILED: planted\\n.*step "${step}", between records at 21`));
    expect(driver.take('dead')).toEqual([]);
  });

  it('is asked for while a step is built, and at an interval that is one', () => {
    const later = new Topology('later');
    later.stream('in', words).pipe(statefulStep<string, string, string, string, Record<string, never>>({
      name: 'later', stores: {}, start: (context) => () => context.schedule(everyTen('stream-time'), () => undefined),
    })).to(logTopic('out', words));
    expect(() => new TopologyTestDriver(later).push('in', 'k', 'a', 0)).toThrow(/step later schedules while it is built/);
    const build = (): unknown => new TopologyTestDriver(tickingTopology({ type: 'wall-clock', intervalMs: 0 }));
    expect(build).toThrow(VoltstreamError);
    expect(build).toThrow(/TOPOLOGY_INVALID: the interval of a punctuator/);
  });
});

describe('the same records and ticks', () => {
  type Move = { readonly recordMs: number } | { readonly advanceMs: number } | 'commit' | 'restart';
  const moves = fc.array(fc.oneof<fc.Arbitrary<Move>[]>(
    fc.nat(100).map((recordMs) => ({ recordMs })), fc.nat(25).map((advanceMs) => ({ advanceMs })), fc.constant('commit'), fc.constant('restart'),
  ), { maxLength: 30 });

  function build(): Topology {
    const topology = new Topology('ticking');
    topology.stream('in', words).pipe(
      ticking('first', [everyTen('wall-clock'), { type: 'stream-time', intervalMs: 7 }]),
      ticking('second', [{ type: 'wall-clock', intervalMs: 6 }, everyTen('stream-time')]),
    ).to(logTopic('out', words));
    return topology;
  }

  function play(driver: TopologyTestDriver, script: readonly Move[], disturb: (driver: TopologyTestDriver, move: Move) => void): unknown[] {
    for (const [index, move] of script.entries()) {
      if (typeof move === 'string') disturb(driver, move);
      else if ('recordMs' in move) driver.push('in', 'k', `r${index}`, move.recordMs);
      else driver.advanceWallClock(move.advanceMs);
    }
    driver.commit();
    return [driver.take('out'), ...['first', 'second'].map((name) => [...driver.store<KeyValueStore<string, number>>(name).range()])];
  }

  it('give the same outputs and state, with restarts in the middle', () => {
    fc.assert(fc.property(moves, (script) => {
      const undisturbed = play(new TopologyTestDriver(build(), { commit: 'manual' }), script, () => undefined);
      const disturbed = play(new TopologyTestDriver(build(), { commit: 'manual' }), script, (driver, move) => {
        driver.commit();
        if (move === 'restart') driver.restart();
      });
      expect(disturbed).toEqual(undisturbed);
    }), propertyRuns());
  });

  it('give each output once, whatever call of store or sink the process dies at', () => {
    fc.assert(fc.property(moves, fc.integer({ min: 1, max: 60 }), fc.constantFrom('before' as const, 'after' as const), (script, call, moment) => {
      const undisturbed = play(new TopologyTestDriver(build()), script, () => undefined);
      const driver = new TopologyTestDriver(build());
      driver.commit();                                            // before, nothing says when the process started
      driver.crashAtCall(call, moment);
      expect(play(driver, script, () => undefined)).toEqual(undisturbed);
    }), propertyRuns());
  });
});
