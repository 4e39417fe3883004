import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filter } from '../../operators/filter.ts';
import { joinTable } from '../../operators/join-table.ts';
import { mapValues } from '../../operators/map-values.ts';
import { peek } from '../../operators/peek.ts';
import { listCodec } from '../../operators/joins/list-codec.ts';
import type { StreamRecord } from '../../operators/operator.ts';
import type { Emit } from '../../operators/record-step.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { tumbling } from '../../operators/windows/time-windows.ts';
import { avroCodec, registered } from '../../schemas/avro-codec.ts';
import { int64, json, pair, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import { groupedStore } from '../../state/local/grouped-store.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import { versionedStore } from '../../state/local/versioned-store.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { logTopic } from '../../topology/sink.ts';
import type { Stream } from '../../topology/stream.ts';
import { Topology } from '../../topology/topology.ts';
import { TopologyTestDriver } from '../testing/topology-test-driver.ts';

const words = { key: utf8, value: utf8 };
const numbers = { key: utf8, value: int64 };

/** Counts the records of each key. */
const counted = (name: string) => statefulOperator({
  name, stores: { counts: keyValueStore({ name, key: utf8, value: int64 }) },
  process(record: StreamRecord<string, string>, { stores }, emit: Emit<StreamRecord<string, number>>) {
    const count = (stores.counts.get(record.key) ?? 0) + 1;
    stores.counts.put(record.key, count);
    emit({ ...record, value: count });
  },
});

function topologyOf(build: (stream: Stream<string, string>, topology: Topology) => void, source = 'in'): Topology {
  const topology = new Topology('evolving');
  build(topology.stream(source, words), topology);
  return topology;
}

const first = () => topologyOf((stream) => stream.pipe(counted('counts')).to(logTopic('out', numbers)));

/** A driver that has counted `k` twice. */
function counting(partitions = 1): TopologyTestDriver {
  const driver = new TopologyTestDriver(first(), { partitions });
  driver.push('in', 'k', 'a', 1);
  driver.push('in', 'k', 'b', 2);
  expect(driver.take('out').map(({ value }) => value)).toEqual([1, 2]);
  return driver;
}

describe('a named step keeps its state', () => {
  const changes: Readonly<Record<string, (stream: Stream<string, string>, topology: Topology) => void>> = {
    'when steps come before and behind it': (stream) => stream
      .pipe(filter((value) => value !== ''), mapValues((value) => value), counted('counts'), peek(() => {}))
      .to(logTopic('out', numbers)),
    'when a stateful step comes before it': (stream) => stream
      .pipe(counted('earlier'), mapValues((count) => String(count)), counted('counts')).to(logTopic('out', numbers)),
    'when it moves behind others, with another sink and branch beside it': (stream) => {
      stream.pipe(counted('beside')).to(logTopic('other', numbers));
      stream.pipe(mapValues((value) => value)).pipe(counted('counts')).to(logTopic('out', numbers));
    },
    'when another stream, table and sub-topology come': (stream, topology) => {
      const more = topology.stream('more', words);
      const table = topology.table('table', words);
      stream.merge(more).pipe(joinTable('joined', table, (value: string) => value));
      stream.pipe(counted('counts')).to(logTopic('out', numbers));
      topology.stream('apart', words).pipe(counted('apart-counts')).to(logTopic('apart-out', numbers));
    },
  };

  it.each(Object.entries(changes))('%s, and back again', (_what, build) => {
    const driver = counting().evolve(topologyOf(build));
    driver.push('in', 'k', 'c', 3);
    expect(driver.take('out').map(({ value }) => value)).toEqual([3]);
    driver.restart();
    driver.push('in', 'k', 'd', 4);
    expect(driver.take('out').map(({ value }) => value)).toEqual([4]);
    const names = ['earlier', 'beside', 'joined', 'table-table', 'table', 'more', 'apart'];
    driver.evolve(first().dropState(...names));
    driver.push('in', 'k', 'e', 5);
    expect(driver.take('out').map(({ value }) => value)).toEqual([5]);
  });
});

describe('state that would stay behind is refused', () => {
  it('when its step is gone or renamed, until it is let go of', () => {
    const renamed = (dropped: readonly string[]) => topologyOf((stream) => stream.pipe(counted('renamed')).to(logTopic('out', numbers))).dropState(...dropped);
    const driver = counting();
    expect(() => driver.evolve(renamed([]))).toThrow(
      /STATE_ORPHANED(.|\n)*task in_0\n\s+wanted: a step with the store "counts"\n\s+got: renamed\n\s+cure: (.*)topology\.dropState\("counts"\)/,
    );
    expect(() => driver.evolve(renamed(['count']))).toThrow(/STATE_ORPHANED/);
    driver.push('in', 'k', 'c', 3);
    expect(driver.take('out').map(({ value }) => value)).toEqual([3]);   // it is as it was
    driver.evolve(renamed(['counts', 'never-there']));
    driver.push('in', 'k', 'd', 4);
    expect(driver.take('out').map(({ value }) => value)).toEqual([1]);
    driver.evolve(first().dropState('renamed'));                           // what was let go of is gone
    driver.push('in', 'k', 'e', 5);
    expect(driver.take('out').map(({ value }) => value)).toEqual([1]);
  });

  it('with the parts of a step by the name of the step', () => {
    const driver = new TopologyTestDriver(topologyOf((stream) => stream.pipe(windowAggregate('load', tumbling({ sizeMs: 10, graceMs: 0 }), {
      key: utf8, aggregate: int64, initial: () => 0, fold: (sum: number) => sum + 1, emit: 'update', timeScope: 'key',
    }))));
    driver.push('in', 'k', 'a', 1);
    const without = (...dropped: string[]) => topologyOf((stream) => stream.to(logTopic('out', words))).dropState(...dropped);
    expect(() => driver.evolve(without())).toThrow(/the store "load", "load\.progress"/);
    driver.evolve(without('load'));
    driver.evolve(without());
  });

  it('when a source is renamed, until it is let go of', () => {
    const renamed = () => topologyOf((stream) => stream.pipe(counted('counts')).to(logTopic('out', numbers)), 'input');
    const driver = counting(2);
    driver.push('in', 'another', 'a', 3);
    driver.take('out');
    expect(() => driver.evolve(renamed())).toThrow(/STATE_ORPHANED(.|\n)*tasks in_0, in_1, with the stores counts\n\s+wanted: .* named in\n\s+got: input(.|\n)*dropState\("in"\)/);
    driver.evolve(renamed().dropState('in'));
    driver.push('input', 'k', 'c', 4);
    expect(driver.take('out').map(({ value }) => value)).toEqual([1]);
  });

  it('refuses to let go of what it has', () => {
    expect(() => first().dropState('counts').build()).toThrow(/TOPOLOGY_INVALID: its state is let go of/);
    expect(() => first().dropState('in').build()).toThrow(/TOPOLOGY_INVALID: its state is let go of/);
    expect(() => first().dropState('a b')).toThrow(/TOPOLOGY_INVALID/);
  });
});

interface Reading { readonly wh: number; readonly site?: string; readonly city?: string | null }

const reading = (fields: readonly object[]): Codec<Reading> => avroCodec(registered<Reading>({ type: 'record', name: 'Reading', namespace: 'test', fields }));
const versions = {
  v1: reading([{ name: 'wh', type: 'int' }]),
  v2: reading([{ name: 'wh', type: 'double' }, { name: 'site', type: 'string', default: 'unknown' }, { name: 'city', type: ['null', 'string'], default: null }]),
  v3: reading([{ name: 'wh', type: 'double' }, { name: 'site', type: 'string' }]),
  text: reading([{ name: 'wh', type: 'string' }]),
  // A type that cannot be compared with what was written before, by a rule of its own.
  json: json<Reading>('reading'),
};
type Version = keyof typeof versions;

/** Sums what comes in every kind of store; the output is what all of them hold. */
function summing(version: Version): Topology {
  const codec = versions[version];
  const topology = new Topology('sums');
  const step = statefulOperator({
    name: 'sums',
    stores: {
      plain: keyValueStore({ name: 'sums.plain', key: utf8, value: codec }),
      wrapped: keyValueStore({ name: 'sums.wrapped', key: utf8, value: pair(listCodec(codec), int64) }),
      timed: timeKeyStore({ name: 'sums.timed', key: utf8, value: codec }),
      grouped: groupedStore({ name: 'sums.grouped', value: codec }),
      versions: versionedStore({ name: 'sums.versions', key: utf8, value: codec, historyMs: 1_000 }),
    },
    process({ key, value: add, timestampMs }: StreamRecord<string, number>, { stores }, emit: Emit<StreamRecord<string, readonly (number | undefined)[]>>) {
      const more = (before: Reading | undefined): Reading => ({ site: 'new', city: null, ...before, wh: (before?.wh ?? 0) + add });
      stores.plain.put(key, more(stores.plain.get(key)));
      const [list, times] = stores.wrapped.get(key) ?? [[], 0];
      stores.wrapped.put(key, [[...list.slice(-3), more(list.at(-1))], times + 1]);
      stores.timed.put(key, timestampMs % 7, more(stores.timed.get(key, timestampMs % 7)));
      stores.grouped.put(key, 'member', more(stores.grouped.get(key, 'member')));
      if (add % 5 === 0) stores.versions.put(key, null, timestampMs);
      else stores.versions.put(key, more(stores.versions.get(key)?.value), timestampMs);
      emit({ key, timestampMs, value: [
        stores.plain.get(key)?.wh, stores.wrapped.get(key)?.[0].at(-1)?.wh, stores.wrapped.get(key)?.[0].length, stores.wrapped.get(key)?.[1],
        stores.timed.get(key, timestampMs % 7)?.wh, stores.grouped.get(key, 'member')?.wh, stores.versions.get(key)?.value.wh,
        stores.versions.getAsOf(key, timestampMs - 2)?.value.wh,
      ] });
    },
  });
  topology.stream('in', numbers).pipe(step).to(logTopic('out', { key: utf8, value: json<readonly (number | undefined)[]>() }));
  return topology;
}

describe('state whose schema changed compatibly', () => {
  it('is read by the schema it was written with, in every kind of store and inside of other codecs, at any place of a history', () => {
    const record = fc.record({ key: fc.constantFrom('a', 'b'), add: fc.integer({ min: 1, max: 20 }), change: fc.constantFrom(null, null, 'evolve', 'restart', 'commit') });
    fc.assert(fc.property(fc.array(record, { maxLength: 25 }), fc.constantFrom('each' as const, 'manual' as const), (records, commit) => {
      const plain = new TopologyTestDriver(summing('v2'), { commit });
      const evolving = new TopologyTestDriver(summing('v1'), { commit });
      const next: Version[] = ['v2', 'v3'];
      records.forEach(({ key, add, change }, at) => {
        for (const driver of [plain, evolving]) {
          driver.push('in', key, add, at);
          if (change === 'commit' || change === 'evolve') driver.commit();
          if (change === 'restart') driver.restart();
        }
        const version = change === 'evolve' ? next.shift() : undefined;
        if (version !== undefined) evolving.evolve(summing(version));
      });
      for (const driver of [plain, evolving]) driver.commit();
      expect(evolving.take('out')).toEqual(plain.take('out'));
    }), propertyRuns(100));
  });

  it('is written anew at the first commit, without a record: what can read the present form need not read the first', () => {
    const driver = new TopologyTestDriver(summing('v1'));
    driver.push('in', 'a', 1, 0);
    expect(() => driver.evolve(summing('v3'))).toThrow(/STATE_INCOMPATIBLE/);
    driver.evolve(summing('v2')).evolve(summing('v3'));
    expect(driver.store<ReturnType<ReturnType<typeof keyValueStore<string, Reading>>['create']>>('sums.plain').get('a')).toEqual({ wh: 1, site: 'unknown' });
  });

  it('is rewritten whole or not at all, whatever call crashes', () => {
    const run = (crash: { readonly call: number; readonly moment: 'before' | 'after' } | null): unknown => {
      const driver = new TopologyTestDriver(summing('v1'));
      for (let at = 0; at < 5; at++) driver.push('in', 'ab'[at % 2] ?? '', at + 1, at);
      if (crash !== null) driver.crashAtCall(crash.call, crash.moment);
      driver.evolve(summing('v2'));
      for (let at = 5; at < 9; at++) driver.push('in', 'ab'[at % 2] ?? '', at + 1, at);
      driver.evolve(summing('v3'));
      return driver.take('out');
    };
    const calm = run(null);
    for (let call = 1; call <= 12; call++) for (const moment of ['before', 'after'] as const) expect(run({ call, moment })).toEqual(calm);
  });
});

describe('state that cannot be read is refused, with store, step and both forms', () => {
  it.each([
    ['text', 'a schema that does not resolve', /another form: SCHEMA_INCOMPATIBLE.*\n\s+where: task in_0, step "sums", store "sums\.plain"\n\s+wanted: key-value utf8\/test\.Reading:\w+\n\s+got: key-value utf8\/test\.Reading:\w+\n\s+cure: (.*)dropState\("sums\.plain"\)/],
    ['json', 'another codec', /store "sums\.plain"\n\s+wanted: key-value utf8\/json:reading\n\s+got: key-value utf8\/test\.Reading:\w+/],
  ] as const)('%s: %s', (version, _what, message) => {
    const driver = new TopologyTestDriver(summing('v1'));
    driver.push('in', 'a', 1, 0);
    expect(() => driver.evolve(summing(version))).toThrow(message);
    driver.push('in', 'a', 1, 1);
    expect(driver.take('out').map(({ value }) => (value as readonly number[])[0])).toEqual([1, 2]);
  });

  it('also where the same bytes mean something else: windows of another size', () => {
    const sums = (sizeMs: number, graceMs: number): Topology => topologyOf((stream) => stream.pipe(windowAggregate('sums', tumbling({ sizeMs, graceMs }), {
      key: utf8, aggregate: int64, initial: () => 0, fold: (sum: number) => sum + 1, emit: 'update',
    })));
    const driver = new TopologyTestDriver(sums(10, 0));
    driver.push('in', 'k', 'a', 1);
    expect(() => driver.evolve(sums(20, 0))).toThrow(/STATE_INCOMPATIBLE(.|\n)*store "sums"\n\s+wanted: tumbling 20 ms\n\s+got: tumbling 10 ms/);
    driver.evolve(sums(10, 5)).evolve(topologyOf(() => {}).dropState('sums')).evolve(sums(20, 0));
  });

  it('also when only the key changed, however well its schema resolves', () => {
    const keyed = (key: Codec<unknown>): Topology => topologyOf((stream) => stream.pipe(statefulOperator({
      name: 'keyed', stores: { all: keyValueStore({ name: 'keyed', key, value: utf8 }) },
      process: (record: StreamRecord<string, string>, { stores }) => { stores.all.put({ wh: 1, site: 'x', city: null }, record.value); },
    })));
    const driver = new TopologyTestDriver(keyed(versions.v1));
    driver.push('in', 'k', 'a', 1);
    expect(() => driver.evolve(keyed(versions.v2))).toThrow(/STATE_INCOMPATIBLE(.|\n)*store "keyed"/);
  });

  it('but a name that was let go of may be used again for another form', () => {
    const driver = new TopologyTestDriver(summing('v1'));
    driver.push('in', 'a', 1, 0);
    const without = new Topology('sums').dropState('sums');
    without.stream('in', numbers);
    driver.evolve(without);
    driver.evolve(summing('text'));
  });
});
