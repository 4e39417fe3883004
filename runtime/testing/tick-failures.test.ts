import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leftJoinStream } from '../../operators/join-stream.ts';
import { joinTable } from '../../operators/join-table.ts';
import { mapValues } from '../../operators/map-values.ts';
import type { StreamRecord, Windowed } from '../../operators/operator.ts';
import type { Emit } from '../../operators/record-step.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { int64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { deadLetterTopic } from '../../topology/dead-letter.ts';
import type { ErrorPolicy } from '../../topology/error-policy.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { TopologyTestDriver } from './topology-test-driver.ts';

const words = { key: utf8, value: utf8 };
type Text = StreamRecord<string, string>;

interface Letter {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestampMs: number;
  readonly header: (name: string) => string | undefined;
}

function lettersOf(driver: TopologyTestDriver): readonly Letter[] {
  return driver.take<Uint8Array | null, Uint8Array | null>('dead').map(({ key, value, timestampMs, headers }) => ({
    key: key === null ? null : Buffer.from(key).toString(),
    value: value === null ? null : Buffer.from(value).toString(),
    timestampMs,
    header: (name: string) => headers?.find((one) => one.key === name)?.value,
  }));
}

/** Sums of ten milliseconds that are closed by idle sources, and a step behind them that refuses some, so often. */
function closing(policy: ErrorPolicy, refuses: (sum: number) => boolean, times = Number.POSITIVE_INFINITY) {
  let failed = 0;
  const topology = new Topology('closing');
  topology.stream('in', { key: utf8, value: int64, idleAfterMs: 100 }).pipe(
    windowAggregate('sums', tumbling({ sizeMs: 10, graceMs: 0 }), {
      key: utf8, aggregate: int64, initial: () => 0, fold: (sum: number, value: number) => sum + value, emit: 'final',
    }),
    mapValues((sum: number) => {
      if (refuses(sum) && failed++ < times) throw new RangeError(`${sum} is too much`);
      return sum;
    }),
  ).to(logTopic('out', { key: json<Windowed<string>>(), value: int64 }));
  topology.deadLetters(deadLetterTopic('dead'));
  topology.errorPolicy({ process: policy });
  return { topology, failures: () => failed };
}

const none = (): boolean => false;

describe('a step behind a window that an idle tick closes', () => {
  const play = (policy: ErrorPolicy, times = Number.POSITIVE_INFINITY) => {
    const { topology, failures } = closing(policy, (sum) => sum > 9, times);
    const driver = new TopologyTestDriver(topology);
    driver.push('in', 'a', 10, 1);
    driver.push('in', 'b', 2, 2);
    driver.advanceWallClock(150);
    return { driver, failures };
  };

  it('stops the driver with `fail`, with step and time', () => {
    expect(() => play('fail')).toThrow(/10 is too much\n.*step "mapValues-1", between records at 152/);
  });

  it('sets its record aside as JSON with `dead-letter`, and the other windows and later records go on', () => {
    const { driver } = play('dead-letter');
    const [letter, ...others] = lettersOf(driver);
    expect([others, letter?.key, letter?.value, letter?.timestampMs]).toEqual([[], '{"key":"a","startMs":0,"endMs":10}', '10', 1]);
    expect(['__streams.errors.topic', '__streams.errors.partition', '__streams.errors.offset', '__voltstream.errors.stage', '__voltstream.errors.step', '__voltstream.errors.form']
      .map((name) => letter?.header(name))).toEqual(['', '0', '-1', 'process', 'mapValues-1', 'json']);
    expect(driver.take('out').map(({ value }) => value)).toEqual([2]);
    driver.restart();
    driver.push('in', 'a', 3, 200);
    driver.advanceWallClock(150);
    expect([driver.take('out').map(({ value }) => value), lettersOf(driver)]).toEqual([[3], []]);
  });

  it('is tried again from the last commit, and gives what an undisturbed run does', () => {
    const { driver, failures } = play({ attempts: 3, backOffMs: 0, otherwise: 'fail' }, 2);
    driver.advanceWallClock(150);
    driver.advanceWallClock(150);
    expect([driver.take('out').map(({ value }) => value), lettersOf(driver), failures()]).toEqual([[10, 2], [], 3]);
  });

  it('has no more attempts than there are, though other commits come between', () => {
    const { driver, failures } = play({ attempts: 3, backOffMs: 0, otherwise: 'dead-letter' });
    for (let time = 0; time < 5; time++) {
      driver.push('in', 'c', 1, 3);                               // commits, and does not close the window
      driver.advanceWallClock(150);
    }
    expect([lettersOf(driver).map(({ value }) => value), failures()]).toEqual([['10'], 3]);
  });

  it('leaves each window as a result or as a letter, once, whatever commits and restarts come between', () => {
    const moves = fc.array(fc.oneof(
      fc.record({ key: fc.constantFrom('a', 'b'), value: fc.integer({ min: 1, max: 5 }), stepMs: fc.nat(12) }),
      fc.constantFrom('commit' as const, 'restart' as const, 'idle' as const),
    ), { maxLength: 30 });
    const policies = fc.constantFrom<ErrorPolicy[]>('dead-letter', { attempts: 3, backOffMs: 0, otherwise: 'dead-letter' });
    fc.assert(fc.property(moves, policies, fc.constantFrom('each' as const, 'manual' as const), (list, policy, commit) => {
      const outcome = (refuses: (sum: number) => boolean) => {
        const driver = new TopologyTestDriver(closing(policy, refuses).topology, { commit });
        let timeMs = 0;
        for (const move of list) {
          if (move === 'commit') driver.commit();
          else if (move === 'restart') {
            driver.commit();
            driver.restart();
          } else if (move === 'idle') {
            // Behind a restart the first tick only begins to count.
            for (let tick = 0; tick < 4; tick++) driver.advanceWallClock(150);
            timeMs += 2_000;
          } else driver.push('in', move.key, move.value, (timeMs += move.stepMs));
        }
        for (let tick = 0; tick < 12; tick++) driver.advanceWallClock(150);
        driver.commit();
        return { sums: driver.take('out').map(({ value }) => value as number), letters: lettersOf(driver).length };
      };
      const all = outcome(none).sums;
      const { sums, letters } = outcome((sum) => sum > 6);
      expect([sums, letters]).toEqual([all.filter((sum) => sum <= 6), all.filter((sum) => sum > 6).length]);
    }), propertyRuns());
  });
});

describe('a punctuator that throws', () => {
  const ticking = (times: number, policy: ErrorPolicy) => {
    let failed = 0;
    const topology = new Topology('ticking');
    topology.stream('in', words).pipe(statefulOperator({
      name: 'ticks', stores: {},
      process: (record: Text, _context, emit: Emit<Text>) => emit(record),
      punctuate: [{ type: 'wall-clock', intervalMs: 10, run(timestampMs, _context, emit) {
        if (failed++ < times) throw new TypeError('planted');
        emit({ key: 'k', value: 'tick', timestampMs });
      } }],
    })).to(logTopic('out', words));
    topology.deadLetters(deadLetterTopic('dead'));
    topology.errorPolicy({ steps: { ticks: policy } });
    const driver = new TopologyTestDriver(topology);
    driver.commit();                                              // before, nothing says when the process started
    return driver;
  };
  const values = (driver: TopologyTestDriver): unknown[] => driver.take('out').map(({ value }) => value);

  it('leaves a letter of no record, and is called again at its next time', () => {
    const driver = ticking(1, 'dead-letter');
    driver.advanceWallClock(10);
    expect(lettersOf(driver).map(({ key, value, timestampMs, header }) => [key, value, timestampMs, header('__streams.errors.message')]))
      .toEqual([[null, null, 10, 'planted']]);
    driver.advanceWallClock(10);
    expect(values(driver)).toEqual(['tick']);
  });

  it('numbers its letters, so that none takes the place of another', () => {
    const driver = ticking(3, 'dead-letter');
    for (let tick = 0; tick < 3; tick++) {
      driver.advanceWallClock(10);
      driver.restart();
    }
    expect(lettersOf(driver).map(({ header }) => header('__voltstream.errors.index'))).toEqual(['0', '1', '2']);
  });

  it('is tried again as its policy says', () => {
    const driver = ticking(2, { attempts: 3, backOffMs: 0, otherwise: 'fail' });
    driver.advanceWallClock(10);
    expect([values(driver), lettersOf(driver)]).toEqual([['tick'], []]);
    expect(() => ticking(3, { attempts: 3, backOffMs: 0, otherwise: 'fail' }).advanceWallClock(10)).toThrow('planted');
  });
});

describe('a row of a tick that cannot be encoded', () => {
  it('is set aside in the stage deliver, with what cannot be said in JSON told all the same', () => {
    const topology = new Topology('refused');
    topology.stream('in', words).pipe(statefulOperator({
      name: 'ticks', stores: {}, process: () => undefined,
      punctuate: [{ type: 'wall-clock', intervalMs: 10, run(timestampMs, _context, emit: Emit<StreamRecord<string, unknown>>) {
        const circle: { self?: unknown } = {};
        circle.self = circle;
        emit({ key: 'k', value: circle, timestampMs });
        emit({ key: 'k', value: { big: 2n ** 60n, bytes: Buffer.from('hi'), map: new Map([['a', 1]]) }, timestampMs });
      } }],
    })).to(logTopic('out', { key: utf8, value: json<unknown>() }));
    topology.deadLetters(deadLetterTopic('dead'));
    const driver = new TopologyTestDriver(topology);
    driver.advanceWallClock(10);
    const [circle, big] = lettersOf(driver);
    expect([circle?.value?.includes('[Circular'), circle?.header('__voltstream.errors.stage')]).toEqual([true, 'deliver']);
    expect(big?.value).toBe('{"big":"1152921504606846976","bytes":"aGk=","map":[["a",1]]}');
  });
});

describe('a joiner that throws for a record that waited', () => {
  it('leaves a letter of that record, and not of the one that released it', () => {
    const topology = new Topology('joined');
    const right = topology.stream('right', words);
    topology.stream('left', words).pipe(leftJoinStream(
      'joined', right, { beforeMs: 0, afterMs: 10, graceMs: 0, key: utf8, left: utf8, right: utf8 },
      (left: string, other: string | null) => {
        if (left === 'bad') throw new Error('planted');
        return `${left}+${other ?? ''}`;
      },
    )).to(logTopic('out', words));
    topology.deadLetters(deadLetterTopic('dead'));
    const driver = new TopologyTestDriver(topology);
    driver.push('left', 'a', 'bad', 0);
    driver.push('left', 'b', 'fine', 1);
    driver.push('left', 'c', 'releases', 100);
    expect(lettersOf(driver).map(({ key, value, timestampMs, header }) => [key, value, timestampMs, header('__voltstream.errors.form'), header('__streams.errors.offset')]))
      .toEqual([['"a"', '"bad"', 0, 'json', '-1']]);
    expect(driver.take('out').map(({ value }) => value)).toEqual(['fine+']);
  });

  it('keeps the bytes of the record under way for what fails by itself', () => {
    const topology = new Topology('joined');
    const table = topology.table('table', words);
    topology.stream('in', words).pipe(joinTable('joined', table, (): string => {
      throw new Error('planted');
    })).to(logTopic('out', words));
    topology.deadLetters(deadLetterTopic('dead'));
    const driver = new TopologyTestDriver(topology);
    driver.push('table', 'a', 'row', 0);
    driver.push('in', 'a', 'bad', 1);
    expect(lettersOf(driver).map(({ key, value, header }) => [key, value, header('__voltstream.errors.form'), header('__streams.errors.topic')]))
      .toEqual([['a', 'bad', undefined, 'in']]);
  });
});
