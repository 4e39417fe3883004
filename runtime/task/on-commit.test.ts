import { describe, expect, it } from 'vitest';
import { mapValues } from '../../operators/map-values.ts';
import type { StreamRecord } from '../../operators/operator.ts';
import { statefulStep } from '../../operators/stateful-operator.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { TopologyTestDriver } from '../testing/topology-test-driver.ts';
import { batch, coreOf, textsOf } from './testing/core-fixture.ts';

const words = { key: utf8, value: utf8 };

/** All texts of a key so far, given once a commit. */
function lastOnly(name: string) {
  const stores = { texts: keyValueStore({ name, key: utf8, value: utf8 }) };
  return statefulStep<string, string, string, string, typeof stores>({
    name,
    stores,
    start: (context, emit) => {
      const held = new Map<string, StreamRecord<string, string>>();
      context.onCommit(() => {
        for (const record of held.values()) emit(record);
        held.clear();
      });
      return ({ key, value, timestampMs }) => {
        const text = `${context.stores.texts.get(key) ?? ''}${value}`;
        context.stores.texts.put(key, text);
        held.set(key, { key, value: text, timestampMs });
      };
    },
  });
}

function holding(...names: readonly string[]): Topology {
  const topology = new Topology('holding');
  let stream = topology.stream('in', words);
  for (const name of names) stream = stream.pipe(lastOnly(name));
  stream.to(logTopic('out', words));
  return topology;
}

describe('what a step holds back until a commit', () => {
  const values = (driver: TopologyTestDriver): unknown[] => driver.take('out').map(({ value }) => value);

  it('is the last of what was given since the commit before', () => {
    const driver = new TopologyTestDriver(holding('texts'), { commit: 'manual' });
    for (const value of ['a', 'b', 'c']) driver.push('in', 'k', value, 1);
    expect(values(driver)).toEqual([]);
    driver.commit();
    driver.commit();
    expect(values(driver)).toEqual(['abc']);
  });

  it('is part of the commit that asks for it', () => {
    const core = coreOf(holding('texts'));
    core.accept(batch('in', 0, [{ value: 'a', timestampMs: 10 }, { value: 'b', timestampMs: 11 }]));
    core.process(10, 0);
    expect(textsOf(core.takeCommit(0, true).sealed)).toEqual(['ab']);
    expect(core.dirty).toBe(false);
  });

  it('goes with its state when memory is dropped, and comes again', () => {
    const driver = new TopologyTestDriver(holding('texts'), { commit: 'manual' });
    driver.push('in', 'k', 'a', 1);
    driver.commit();
    driver.push('in', 'k', 'b', 2);
    driver.restart();
    driver.push('in', 'k', 'c', 3);
    driver.commit();
    expect(values(driver)).toEqual(['a', 'abc']);
  });

  it('reaches a step behind that holds back, too, in time for the same commit', () => {
    const driver = new TopologyTestDriver(holding('first', 'second'), { commit: 'manual' });
    for (const value of ['a', 'b']) driver.push('in', 'k', value, 1);
    driver.commit();
    driver.push('in', 'k', 'c', 2);
    driver.commit();
    expect(values(driver)).toEqual(['ab', 'ababc']);
  });

  it('is tried again from the commit before, and then set aside', () => {
    const topology = new Topology('failing');
    let failures = 0;
    topology.errorPolicy({ process: { attempts: 2, backOffMs: 1, otherwise: 'dead-letter' } });
    topology.deadLetters(logTopic('dead', { key: utf8, value: json<DeadLetter>() }));
    topology.stream('in', words).pipe(lastOnly('texts'), mapValues((value: string) => {
      if (value.includes('bad')) throw new RangeError(`failure ${++failures}`);
      return value;
    })).to(logTopic('out', words));
    const driver = new TopologyTestDriver(topology, { commit: 'manual' });
    driver.push('in', 'k', 'good', 1);
    driver.push('in', 'l', 'bad', 1);
    driver.commit();
    expect([values(driver), failures, driver.take<string, DeadLetter>('dead').length]).toEqual([['good'], 2, 1]);
  });

  it('is asked for while a step is built', () => {
    const topology = new Topology('later');
    topology.stream('in', words).pipe(statefulStep<string, string, string, string, Record<string, never>>({
      name: 'later', stores: {}, start: (context) => () => context.onCommit(() => undefined),
    })).to(logTopic('out', words));
    expect(() => new TopologyTestDriver(topology).push('in', 'k', 'a', 0)).toThrow(/step later asks for commits while it is built/);
  });
});
