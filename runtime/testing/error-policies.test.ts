import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertInvariant } from '../../errors.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { selectKey } from '../../operators/select-key.ts';
import { int64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import { deadLetterTopic } from '../../topology/dead-letter.ts';
import type { ErrorPolicies, ErrorPolicy, ErrorStage } from '../../topology/error-policy.ts';
import { logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import { TopologyTestDriver } from './topology-test-driver.ts';

const stages = ['deserialise', 'process', 'deliver'] as const satisfies readonly ErrorStage[];
const nameOf = { deserialise: 'in', process: 'counted', deliver: 'out' } as const;

/** Values that begin with `bad` fail in one stage, each so often; the call that fails has put and emitted before. */
function failing(stage: ErrorStage, times: number, policies: ErrorPolicies | null, letters = true) {
  const failures = new Map<string, number>();
  const tried = (at: ErrorStage, text: string): void => {
    if (at !== stage || !text.includes('bad')) return;
    const failed = failures.get(text) ?? 0;
    if (failed >= times) return;
    failures.set(text, failed + 1);
    throw new TypeError(`${text} is planted`);
  };
  const codec = (at: 'deserialise' | 'deliver'): Codec<string> => ({
    ...utf8,
    encode(text) {
      if (at === 'deliver') tried(at, text);
      return utf8.encode(text);
    },
    decode(bytes) {
      const text = utf8.decode(bytes);
      if (at === 'deserialise') tried(at, text);
      return text;
    },
  });
  const topology = new Topology('policies');
  const counted = topology.stream('in', { key: utf8, value: codec('deserialise') }).pipe(statefulOperator({
    name: 'counted', stores: { counts: keyValueStore({ name: 'counted', key: utf8, value: int64 }) },
    process(record: { key: string; value: string; timestampMs: number }, { stores }, emit: (record: { key: string; value: string; timestampMs: number }) => void) {
      const count = (stores.counts.get(record.key) ?? 0) + 1;
      stores.counts.put(record.key, count);
      emit({ ...record, value: `first ${count}` });
      tried('process', record.value);
      emit({ ...record, value: `${record.value} ${count}` });
    },
  }));
  counted.to(logTopic('out', { key: utf8, value: codec('deliver') }));
  counted.pipe(selectKey((value: string) => value.slice(0, 1))).repartition('by-letter', { key: utf8, value: utf8 }).to(logTopic('letters', { key: utf8, value: utf8 }));
  if (letters) topology.deadLetters(deadLetterTopic('dead'));
  if (policies !== null) topology.errorPolicy(policies);
  return { topology, failures };
}

const given = ['one', 'bad two', 'three', 'bad four', 'five'];

function run(stage: ErrorStage, times: number, policies: ErrorPolicies | null, letters = true) {
  const { topology, failures } = failing(stage, times, policies, letters);
  const driver = new TopologyTestDriver(topology);
  given.forEach((text, index) => driver.push('in', 'k', text, index));
  return { out: driver.take('out'), letters: driver.take('letters'), dead: letters ? driver.take('dead') : [], failures, driver };
}

const undisturbed = run('process', 0, null);
const valuesOf = (records: readonly { readonly value: unknown }[]): unknown[] => records.map(({ value }) => value);
const byStage = (stage: ErrorStage, policy: ErrorPolicy): ErrorPolicies => ({ [stage]: policy });
const byName = (stage: ErrorStage, policy: ErrorPolicy): ErrorPolicies => ({ [stage]: 'fail', steps: { [nameOf[stage]]: policy } });

describe.each(stages)('a record that fails in the stage %s', (stage) => {
  it.each([['by its stage', byStage], ['by its name', byName]] as const)('stops the driver with `fail`, %s, and the error names step and record', (_how, policies) => {
    expect(() => run(stage, 1, policies(stage, 'fail'))).toThrow(expect.objectContaining({
      code: stage === 'deserialise' ? 'DESERIALISATION_FAILED' : 'PROCESSING_FAILED', message: expect.stringMatching(new RegExp(`bad two.* is planted\n.*task in_0, step "${nameOf[stage]}", in-0@1`)),
    }));
  });

  it('stops the driver without a word when there is no sink for dead letters', () => {
    expect(() => run(stage, 1, null, false)).toThrow('is planted');
  });

  it.each([['by its stage', byStage], ['by its name', byName]] as const)('is set aside once with `dead-letter`, %s, and what follows goes on', (_how, policies) => {
    const { out, dead } = run(stage, Number.POSITIVE_INFINITY, policies(stage, 'dead-letter'));
    expect(dead.map(({ headers }) => headers?.find(({ key }) => key === '__streams.errors.offset')?.value)).toEqual(['1', '3']);
    expect(dead.map(({ headers }) => headers?.find(({ key }) => key === '__voltstream.errors.stage')?.value)).toEqual([stage, stage]);
    expect(valuesOf(out).filter((value) => /^(one|three|five)/.test(value as string))).toHaveLength(3);
  });

  it.each([['by its stage', byStage], ['by its name', byName]] as const)('leaves the outputs of an undisturbed run when the second attempt succeeds, %s', (_how, policies) => {
    const { out, letters, dead, failures } = run(stage, 1, policies(stage, { attempts: 2, backOffMs: 60_000, otherwise: 'fail' }));
    expect({ out, letters, dead }).toEqual({ out: undisturbed.out, letters: undisturbed.letters, dead: [] });
    expect([...failures.values()]).toEqual([1, 1]);
  });

  it('is set aside when its attempts are used up, or stops the driver, as `otherwise` says', () => {
    const { dead, failures } = run(stage, Number.POSITIVE_INFINITY, byStage(stage, { attempts: 3, backOffMs: 0, otherwise: 'dead-letter' }));
    expect(dead).toHaveLength(2);
    expect([...failures.values()]).toEqual([3, 3]);
    expect(() => run(stage, 3, byStage(stage, { attempts: 3, backOffMs: 0, otherwise: 'fail' }))).toThrow('is planted');
    expect(run(stage, 2, byStage(stage, { attempts: 3, backOffMs: 0, otherwise: 'fail' })).out).toEqual(undisturbed.out);
  });

  it('is tried again from the last commit, wherever that was, and however often restarts come between', () => {
    const moves = fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom('good', 'bad a', 'bad b') }, { weight: 1, arbitrary: fc.constantFrom('commit', 'restart') }), { maxLength: 30 });
    fc.assert(fc.property(moves, fc.integer({ min: 0, max: 3 }), (list, times) => {
      const outcome = (failures: number): unknown => {
        const { topology } = failing(stage, failures, byStage(stage, { attempts: 4, backOffMs: 0, otherwise: 'fail' }));
        const driver = new TopologyTestDriver(topology, { commit: 'manual' });
        list.forEach((move, index) => {
          if (move === 'commit') driver.commit();
          else if (move === 'restart') driver.restart();
          else driver.push('in', `k${index % 2}`, `${move}${index}`, index);
        });
        driver.commit();
        return [driver.take('out'), driver.take('letters'), driver.take('dead')];
      };
      expect(outcome(times)).toEqual(outcome(0));
    }), propertyRuns());
  });

  it('becomes the same dead letters once each, whatever call crashes', () => {
    const outcome = (crash?: { readonly call: number; readonly moment: 'before' | 'after' }) => {
      const { topology } = failing(stage, Number.POSITIVE_INFINITY, byStage(stage, { attempts: 2, backOffMs: 0, otherwise: 'dead-letter' }));
      const driver = new TopologyTestDriver(topology);
      if (crash !== undefined) driver.crashAtCall(crash.call, crash.moment);
      given.forEach((text, index) => driver.push('in', 'k', text, index));
      return { out: driver.take('out'), letters: driver.take('letters'), dead: driver.take('dead'), calls: driver.calls };
    };
    const { calls, ...calm } = outcome();
    expect(calm.dead).toHaveLength(2);
    for (let call = 1; call <= calls; call++) {
      for (const moment of ['before', 'after'] as const) expect(outcome({ call, moment })).toMatchObject(calm);
    }
  });
});

describe('a bug of our own', () => {
  it('stops the driver whatever the policy', () => {
    const topology = new Topology('bugs');
    topology.stream('in', { key: utf8, value: utf8 }).pipe(selectKey((value: string) => {
      assertInvariant(value !== 'bad', 'planted');
      return value;
    })).to(logTopic('out', { key: utf8, value: utf8 }));
    topology.deadLetters(deadLetterTopic('dead'));
    topology.errorPolicy({ process: { attempts: 5, backOffMs: 0, otherwise: 'dead-letter' } });
    expect(() => new TopologyTestDriver(topology).push('in', 'k', 'bad', 0)).toThrow('invariant violated: planted');
  });
});

describe('a dead letter that its sink refuses', () => {
  it('stops the driver, with the name of that sink', () => {
    const topology = new Topology('refused');
    topology.stream('in', { key: utf8, value: int64 });
    topology.deadLetters(logTopic('dead', { key: utf8, value: { ...json<DeadLetter>(), encode: () => {
      throw new TypeError('too much');
    } } }));
    expect(() => new TopologyTestDriver(topology).pushBytes('in', null, Buffer.from('x'), 0)).toThrow(/too much\n.*step "dead", in-0@0/);
  });
});

describe('a value of state that its codec refuses', () => {
  it('stops the driver at the commit, with store and key', () => {
    const topology = new Topology('state');
    topology.stream('in', { key: utf8, value: utf8 }).pipe(statefulOperator({
      name: 'kept', stores: { kept: keyValueStore({ name: 'kept', key: utf8, value: int64 }) },
      process: (record: { key: string; value: string; timestampMs: number }, { stores }) => stores.kept.put(record.key, 0.5),
    }));
    topology.deadLetters(deadLetterTopic('dead'));
    expect(() => new TopologyTestDriver(topology).push('in', 'one', 'a', 0)).toThrow(expect.objectContaining({
      code: 'SERIALISATION_FAILED', where: expect.stringMatching(/^task in_0, store "kept", key one/),
    }));
  });
});

describe('a topic of dead letters', () => {
  it('holds key, value and time as they came, the record’s own headers, then those of Kafka Streams and ours, all text', () => {
    const { topology } = failing('process', Number.POSITIVE_INFINITY, null);
    const driver = new TopologyTestDriver(topology);
    driver.push('in', 'k', 'bad', 7);
    const [letter] = driver.take<Uint8Array, Uint8Array>('dead');
    expect([Buffer.from(letter?.key ?? []).toString(), Buffer.from(letter?.value ?? []).toString(), letter?.timestampMs]).toEqual(['k', 'bad', 7]);
    const stacktrace = letter?.headers?.find(({ key }) => key === '__streams.errors.stacktrace')?.value ?? '';
    expect(letter?.headers).toEqual([
      { key: '__streams.errors.exception', value: 'TypeError' },
      { key: '__streams.errors.message', value: 'bad is planted' },
      { key: '__streams.errors.stacktrace', value: stacktrace },
      { key: '__streams.errors.topic', value: 'in' },
      { key: '__streams.errors.partition', value: '0' },
      { key: '__streams.errors.offset', value: '0' },
      { key: '__voltstream.errors.stage', value: 'process' },
      { key: '__voltstream.errors.step', value: 'counted' },
      { key: '__voltstream.errors.code', value: 'PROCESSING_FAILED' },
      { key: '__voltstream.errors.index', value: '0' },
    ]);
    expect(stacktrace).toMatch(/^TypeError: bad is planted\n\s+at tried /);
    expect(stacktrace).not.toMatch(/task-core|pipeline\.ts/);
  });

  it('keeps null apart from empty', () => {
    const { topology } = failing('process', 0, null);
    topology.stream('broken', { key: utf8, value: int64 });
    const driver = new TopologyTestDriver(topology);
    driver.pushBytes('broken', null, Buffer.alloc(0), 1);
    driver.pushBytes('broken', Buffer.from([0xff]), null, 1);
    expect(driver.take<Uint8Array | null, Uint8Array | null>('dead').map(({ key, value }) => [key?.length ?? null, value?.length ?? null])).toEqual([[null, 0], [1, null]]);
  });
});
