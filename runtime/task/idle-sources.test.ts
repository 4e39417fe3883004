import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../../operators/operator.ts';
import type { Emit } from '../../operators/record-step.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { mapValues } from '../../operators/map-values.ts';
import { selectKey } from '../../operators/select-key.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { int64, utf8 } from '../../schemas/builtin-codecs.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { TopologyTestDriver } from '../testing/topology-test-driver.ts';
import { batch, coreOf, textsOf } from './testing/core-fixture.ts';

const words = { key: utf8, value: utf8 };
type Text = StreamRecord<string, string>;

/** Passes records on, and gives `<step>@<time>` when it is told that its sources are idle; with a mark if its stream time is lower. */
function told(name: string) {
  return statefulOperator({
    name, stores: {},
    process: (record: Text, _context, emit: Emit<Text>) => emit(record),
    onIdle: (timestampMs, { streamTime }, emit) => emit({ key: 'idle', value: `${name}@${timestampMs}${streamTime.ms < timestampMs ? '!' : ''}`, timestampMs }),
  });
}

/** `left` and `right` behind one step; an undefined time is no `idleAfterMs`. */
function merged(leftMs: number | undefined, rightMs: number | undefined): Topology {
  const topology = new Topology('idle');
  const form = (idleAfterMs: number | undefined) => (idleAfterMs === undefined ? words : { ...words, idleAfterMs });
  topology.stream('left', form(leftMs)).merge(topology.stream('right', form(rightMs))).pipe(told('step')).to(logTopic('out', words));
  return topology;
}

function single(): Topology {
  const topology = new Topology('idle');
  topology.stream('in', { ...words, idleAfterMs: 10 }).pipe(told('first'), told('second')).to(logTopic('out', words));
  return topology;
}

const values = (driver: TopologyTestDriver): unknown[] => driver.take('out').map(({ value }) => value);

describe('a source with idleAfterMs', () => {
  it('lets the time of the steps behind it go on, in their order, once nothing has come for so long', () => {
    const driver = new TopologyTestDriver(single());
    driver.push('in', 'k', 'a', 100);
    driver.push('in', 'k', 'b', 90);
    driver.advanceWallClock(9);
    expect(values(driver)).toEqual(['a', 'b']);
    driver.advanceWallClock(1);
    expect(values(driver)).toEqual(['first@110', 'second@110']);  // what a step gives reaches those behind before they are told
    driver.advanceWallClock(5);
    expect(values(driver)).toEqual(['first@115', 'second@115']);
    driver.push('in', 'k', 'c', 111);
    driver.advanceWallClock(9);
    expect(values(driver)).toEqual(['c']);
    driver.advanceWallClock(3);
    expect(values(driver)).toEqual(['first@123', 'second@123']);
  });

  it('never lets it fall', () => {
    const driver = new TopologyTestDriver(single());
    driver.push('in', 'k', 'a', 100);
    driver.advanceWallClock(50);
    driver.push('in', 'k', 'b', 120);
    driver.advanceWallClock(20);
    driver.advanceWallClock(20);
    expect(values(driver).filter((value) => String(value).startsWith('first'))).toEqual(['first@150', 'first@160']);
  });

  it('says nothing before its first record, and nothing in replay and backfill', () => {
    const driver = new TopologyTestDriver(single());
    driver.advanceWallClock(1_000);
    expect(values(driver)).toEqual([]);
    const replay = new TopologyTestDriver(single(), { wallClock: false });
    replay.push('in', 'k', 'a', 100);
    replay.advanceWallClock(1_000);
    expect(values(replay)).toEqual(['a']);
  });

  it('goes on after a restart where it stood, when it has been idle for so long again', () => {
    const driver = new TopologyTestDriver(single());
    driver.push('in', 'k', 'a', 100);
    driver.advanceWallClock(30);
    driver.restart();
    driver.advanceWallClock(9);
    expect(values(driver)).toEqual(['a', 'first@130', 'second@130']);
    driver.advanceWallClock(1);
    expect(values(driver)).toEqual(['first@140', 'second@140']);
  });

  it('is no reason to commit', () => {
    const topology = new Topology('idle');
    topology.stream('in', { ...words, idleAfterMs: 10 }).pipe(windowAggregate('sum', tumbling({ sizeMs: 1_000, graceMs: 0 }), {
      key: utf8, aggregate: int64, initial: () => 0, fold: (count) => count + 1,
    })).pipe(selectKey((_count, window) => window.key)).to(logTopic('out', { key: utf8, value: int64 }));
    const core = coreOf(topology);
    core.accept(batch('in', 0, ['a']));
    core.process(1, 0);
    core.takeCommit(0, true);
    for (let nowMs = 0; nowMs < 500; nowMs += 10) core.tick(nowMs, true);
    expect([core.dirty, core.streamTimes().get('sum')?.ms]).toEqual([false, 490]);
    for (let nowMs = 500; nowMs < 1_500; nowMs += 10) core.tick(nowMs, true);
    expect(core.dirty).toBe(true);                                // a window was closed
  });

  it('is idle only when its end is reached and while the log answers', () => {
    const core = coreOf(single());
    const tickAt = (nowMs: number, polled: boolean): string[] => {
      core.tick(nowMs, polled);
      return textsOf(core.takeCommit(0, true).sealed).filter((text) => text.startsWith('first'));
    };
    core.accept({ ...batch('in', 0, ['a', 'b']), endOffset: 3 });
    core.process(10, 0);
    expect([tickAt(0, true), tickAt(100, true)]).toEqual([[], []]);       // a third record is known to be there
    core.accept(batch('in', 2, ['c']));
    core.process(10, 100);
    expect([tickAt(110, true), tickAt(115, false), tickAt(120, true)]).toEqual([[], [], ['first@12']]);
    // The log is away for an hour: that time is left out.
    for (let nowMs = 130; nowMs < 3_600_130; nowMs += 1_000) expect(tickAt(nowMs, false)).toEqual([]);
    expect(tickAt(3_600_120, true)).toEqual([]);
    expect(tickAt(3_600_125, true)).toEqual(['first@17']);
  });

  it('must be idle for a length of time', () => {
    expect(() => new Topology('wrong').stream('in', { ...words, idleAfterMs: 0 })).toThrow(/TOPOLOGY_INVALID: idleAfterMs is not a length of time/);
  });
});

describe('a step behind several sources', () => {
  it('is told the lowest time when all are idle, each counted from its own last record', () => {
    const driver = new TopologyTestDriver(merged(10, 20));
    driver.push('left', 'k', 'a', 100);
    driver.advanceWallClock(5);
    driver.push('right', 'k', 'b', 200);
    driver.advanceWallClock(19);
    expect(values(driver)).toEqual(['a', 'b']);
    driver.advanceWallClock(1);
    expect(values(driver)).toEqual(['step@125']);
    driver.push('left', 'k', 'c', 300);
    driver.advanceWallClock(10);
    expect(values(driver)).toEqual(['c', 'step@230']);
  });

  it('does not wait for one that never had a record', () => {
    const driver = new TopologyTestDriver(merged(10, 20));
    driver.push('left', 'k', 'a', 100);
    driver.advanceWallClock(19);
    expect(values(driver)).toEqual(['a']);
    driver.advanceWallClock(1);
    expect(values(driver)).toEqual(['step@120']);
  });

  it('is held back by one without idleAfterMs', () => {
    const driver = new TopologyTestDriver(merged(10, undefined));
    driver.push('left', 'k', 'a', 100);
    driver.push('right', 'k', 'b', 100);
    driver.advanceWallClock(1_000);
    expect(values(driver)).toEqual(['a', 'b']);
  });

  it('is not held back by tables', () => {
    const topology = new Topology('idle');
    const table = topology.table('names', words);
    topology.stream('in', { ...words, idleAfterMs: 10 }).merge(table.toStream().pipe(mapValues((value) => value ?? '')))
      .pipe(told('step')).to(logTopic('out', words));
    const driver = new TopologyTestDriver(topology);
    driver.push('in', 'k', 'a', 100);
    driver.advanceWallClock(10);
    expect(values(driver)).toEqual(['a', 'step@110']);
  });
});

describe('behind a repartition', () => {
  const repartitioned = (idleAfterMs?: number): Topology => {
    const topology = new Topology('idle');
    topology.stream('in', { ...words, idleAfterMs: 10 }).pipe(told('before'))
      .repartition('again', idleAfterMs === undefined ? words : { ...words, idleAfterMs }).pipe(told('behind')).to(logTopic('out', words));
    return topology;
  };
  const behind = (driver: TopologyTestDriver): unknown[] => values(driver).filter((value) => String(value).startsWith('behind'));

  it('time stays idleAfterMs behind, which is that of the sources in front', () => {
    const topology = new Topology('idle');
    topology.stream('in', { ...words, idleAfterMs: 10 }).repartition('again', words).pipe(told('behind')).to(logTopic('out', words));
    const driver = new TopologyTestDriver(topology);
    driver.push('in', 'k', 'a', 100);
    driver.advanceWallClock(9);
    driver.advanceWallClock(3);
    expect(behind(driver)).toEqual(['behind@102']);
  });

  it('nothing is idle that has just brought what the idle time in front gave', () => {
    const driver = new TopologyTestDriver(repartitioned());
    driver.push('in', 'k', 'a', 100);
    driver.advanceWallClock(3_600_000);
    expect(values(driver)).toEqual(['a', `before@${3_600_100}`]);
  });

  it('an idleAfterMs of its own counts, and without one in front there is none', () => {
    const sourceOf = (topology: Topology) => topology.build().subTopologies.flatMap(({ sources }) => sources).find(({ name }) => name === 'again');
    expect(sourceOf(repartitioned())?.idleAfterMs).toBe(10);
    expect(sourceOf(repartitioned(500))?.idleAfterMs).toBe(500);
    const topology = new Topology('idle');
    topology.stream('left', { ...words, idleAfterMs: 10 }).merge(topology.stream('right', words)).repartition('again', words)
      .pipe(told('behind')).to(logTopic('out', words));
    expect(sourceOf(topology)).not.toHaveProperty('idleAfterMs');
  });
});
