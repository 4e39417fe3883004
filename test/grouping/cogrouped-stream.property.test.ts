import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapValues } from '../../operators/map-values.ts';
import type { Windowed } from '../../operators/operator.ts';
import { selectKey } from '../../operators/select-key.ts';
import { sessions } from '../../operators/windows/session-windows.ts';
import { sliding } from '../../operators/windows/sliding-windows.ts';
import { hopping, tumbling } from '../../operators/windows/time-windows.ts';
import { TopologyTestDriver } from '../../runtime/testing/topology-test-driver.ts';
import { json, utf8, windowedKey } from '../../schemas/builtin-codecs.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { logTopic } from '../../topology/sink.ts';
import type { Stream } from '../../topology/stream.ts';
import { Topology } from '../../topology/topology.ts';

interface Given {
  readonly topic: 'sessions' | 'alerts';
  readonly key: string | null;
  readonly value: string | null;
  readonly timestampMs: number;
  readonly restart: boolean;
}
interface Tagged {
  readonly from: Given['topic'];
  readonly value: string;
}
type Folded = string;

const words = { key: utf8, value: utf8 };
const folds = json<Folded>('folded');
const tagged = { key: utf8, value: json<Tagged>('tagged') };
const plain = logTopic<string, Folded | null>('plain', { key: utf8, value: json<Folded | null>() });
const ofSessions = logTopic<Windowed<string>, Folded | null>('windows-out', { key: windowedKey(utf8), value: json<Folded | null>() });
const ofWindows = logTopic<Windowed<string>, Folded>('windows-out', { key: windowedKey(utf8), value: folds });
const ofFinals = logTopic<Windowed<string>, Folded>('finals-out', { key: windowedKey(utf8), value: folds });

const addSession = (text: Folded, value: string | null): Folded => `${text}+${value}`;
const addAlert = (text: Folded, value: string | null, key: string): Folded => `${text}-${value}${key.length}`;
const nothing = { initial: () => '', aggregate: folds };
const merge = (earlier: Folded, later: Folded): Folded => `(${earlier}|${later})`;
const siteOf = (value: string | null): string | null => (value?.endsWith('x') === true ? null : (value ?? 's').slice(0, 1));

const windows = {
  tumbling: tumbling({ sizeMs: 10, graceMs: 15 }), hopping: hopping({ sizeMs: 20, advanceMs: 10, graceMs: 0 }),
  sliding: sliding({ timeDifferenceMs: 10, graceMs: 20 }), sessions: sessions({ gapMs: 8, graceMs: 15 }),
};
type Kind = keyof typeof windows;

/** Sessions by their key and alerts by a site that is read from them, in one aggregate. */
function cogrouped(kind: Kind): Topology {
  const topology = new Topology('cogrouped');
  const both = topology.stream<string | null, string | null>('sessions', words as never).groupByKey(words).cogroup(addSession)
    .cogroup(topology.stream<string | null, string | null>('alerts', words as never).groupBy(siteOf, words), addAlert);
  both.aggregate('all', nothing).toStream().to(plain);
  if (kind === 'sessions') {
    both.windowedBy(windows.sessions).aggregate('windows', { ...nothing, merge }).toStream().to(ofSessions);
  } else {
    const window = windows[kind];
    both.windowedBy(window).aggregate('windows', nothing).toStream().to(ofWindows);
    both.windowedBy(window).aggregate('finals', { ...nothing, emit: 'final' }).toStream().to(ofFinals);
  }
  return topology;
}

/** The same from one stream that both are merged into, each value marked with where it comes from. */
function merged(kind: Kind): Topology {
  const topology = new Topology('merged');
  const marked = (from: Given['topic']): Stream<string | null, Tagged | null> => {
    const stream = topology.stream<string | null, string | null>(from, words as never);
    const keyed = from === 'sessions' ? stream : stream.pipe(selectKey(siteOf));
    return keyed.pipe(mapValues((value): Tagged | null => (value === null ? null : { from, value })));
  };
  const both = marked('sessions').merge(marked('alerts')).groupByKey(tagged);
  const fold = (text: Folded, { from, value }: Tagged, key: string): Folded => (from === 'alerts' ? addAlert(text, value, key) : addSession(text, value));
  both.aggregate('all', { ...nothing, fold }).toStream().to(plain);
  if (kind === 'sessions') {
    both.windowedBy(windows.sessions).aggregate('windows', { ...nothing, fold, merge }).toStream().to(ofSessions);
  } else {
    both.windowedBy(windows[kind]).aggregate('windows', { ...nothing, fold }).toStream().to(ofWindows);
    both.windowedBy(windows[kind]).aggregate('finals', { ...nothing, fold, emit: 'final' }).toStream().to(ofFinals);
  }
  return topology;
}

const records = (values: fc.Arbitrary<string | null>): fc.Arbitrary<readonly Given[]> => fc.array(fc.record({
  topic: fc.constantFrom('sessions', 'alerts'),
  key: fc.constantFrom('s', 't', 'long', null),
  value: values,
  timestampMs: fc.nat(60),
  restart: fc.boolean(),
}), { maxLength: 20 });
const texts = fc.constantFrom('s1', 't2', 's3', 't4', 's5', 'sx');

function run(topology: Topology, given: readonly Given[], restarts: boolean): { readonly outputs: readonly unknown[]; readonly dropped: number } {
  const driver = new TopologyTestDriver(topology);
  let dropped = 0;
  const sinks = topology.build().subTopologies.flatMap((part) => part.sinks).filter(({ sink }) => sink.kind === 'log').map(({ name }) => name);
  for (const { topic, key, value, timestampMs, restart } of given) {
    driver.push(topic, key, value, timestampMs);
    if (!restarts || !restart) continue;
    dropped += driver.dropped;
    driver.restart();
  }
  return { outputs: [...new Set(sinks)].sort().map((sink) => driver.take(sink)), dropped: dropped + driver.dropped };
}

describe('a cogrouped stream', () => {
  it.each(['tumbling', 'hopping', 'sliding', 'sessions'] as const)('gives what one merged stream gives, by key and over %s windows', (kind) => {
    fc.assert(fc.property(records(texts), (given) => {
      const [all, one] = [run(cogrouped(kind), given, true), run(merged(kind), given, false)];
      expect(all.outputs).toEqual(one.outputs);
      // Merged, all records pass a topic of their group, where those without a key stay out uncounted.
      const withoutKey = given.filter(({ topic, key }) => topic === 'sessions' && key === null).length;
      expect(all.dropped).toBe(one.dropped + withoutKey * (kind === 'sessions' ? 2 : 3));
    }), propertyRuns(100));
  });

  it('drops and counts what has no key or value; what lost its key before it stays out uncounted, as in Kafka Streams', () => {
    const driver = new TopologyTestDriver(cogrouped('sliding'));
    for (const topic of ['sessions', 'alerts']) {
      driver.push(topic, 's', null, 1);
      driver.push(topic, null, 'sx', 1);
    }
    // Three records, in the aggregate by key, the windows, and the final windows.
    expect(driver.dropped).toBe(9);
    expect(driver.take('plain')).toEqual([]);
  });

  it('names the topics between by the place of a stream, and tells of all', () => {
    const topology = new Topology('names');
    const [first, second, third] = ['a', 'b', 'c'].map((name) => topology.stream(name, words).groupBy((value) => value, words));
    if (first === undefined || second === undefined || third === undefined) throw new Error('there are three');
    first.cogroup((text: string) => text).cogroup(second, (text) => text).cogroup(third, (text) => text)
      .aggregate('all', { initial: () => '', aggregate: utf8 }).toStream().to(logTopic('out', { key: utf8, value: json<string | null>() }));
    expect(topology.build().repartitionTopics).toEqual(['all-by-key-repartition', 'all-2-by-key-repartition', 'all-3-by-key-repartition']);
    expect(topology.describe()).toContain('step all (cogroup; 3 streams; stores: all)');
    expect(topology.describe('mermaid')).toContain('all<br/><i>cogroup</i>');
  });

  it('refuses a stream of another topology', () => {
    const here = new Topology('here').stream('a', words).groupByKey(words);
    const there = new Topology('there').stream('b', words).groupByKey(words);
    expect(() => here.cogroup((text: string) => text).cogroup(there, (text) => text).aggregate('all', { initial: () => '', aggregate: utf8 }))
      .toThrow(/another topology/);
  });
});
