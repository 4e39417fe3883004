import { describe, expect, it } from 'vitest';
import { deduplicate } from '../operators/deduplicate.ts';
import { joinGlobalTable } from '../operators/join-global-table.ts';
import { joinStream } from '../operators/join-stream.ts';
import { joinTable } from '../operators/join-table.ts';
import { selectKey } from '../operators/select-key.ts';
import { windowAggregate } from '../operators/window-aggregate.ts';
import { tumbling } from '../operators/windows/time-windows.ts';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import type { DeadLetter } from './dead-letter.ts';
import { clickhouse, logTopic } from './sink.ts';
import { Topology } from './topology.ts';

const words = { key: utf8, value: utf8 };

/** One of everything that a description can hold. */
function shop(): Topology {
  const topology = new Topology('shop');
  const table = { database: 'd', table: 'raw_orders', columns: { order: 'String' }, partitionOf: () => '' };
  topology.archive('raw', 'orders', words, clickhouse(table, (order: string) => ({ order })));
  topology.deadLetters(logTopic('dead', { key: utf8, value: json<DeadLetter>() }));
  const cities = topology.globalTable('cities', words);
  const refused = logTopic<string, string>('refused', words);
  const counts = topology.stream('orders', words)
    .pipe(deduplicate('once', { by: (order: string) => order, withinMs: 60_000 }), joinGlobalTable(cities, (order: string) => order, (order) => order),
      selectKey((order: string) => order))
    .to(refused)
    .repartition('by-order', words)
    .pipe(windowAggregate('per-minute', tumbling({ sizeMs: 60_000, graceMs: 0 }), {
      key: utf8, aggregate: json<number>(), initial: () => 0, fold: (count: number) => count + 1,
    }));
  counts.pipe(selectKey((_count: number, window) => window.key)).to(logTopic('counts', { key: utf8, value: json<number>() }));
  counts.side<string, string>('late').to(refused);
  return topology;
}

describe('describe', () => {
  it('tells as text what is read, by which steps with which stores, and where it goes', () => {
    expect(shop().describe()).toMatchInlineSnapshot(`
      "Topology shop

      Sub-topology orders
        source orders (topic orders)
          -> once
        step once (deduplicate; within 60000 ms, at most 10000 a key, time by task; stores: once, once.progress)
          -> joinGlobalTable-1
        step joinGlobalTable-1 (joinGlobalTable; with cities; reads: cities)
          -> selectKey-1
        step selectKey-1 (selectKey)
          -> refused
          -> by-order-sink
        sink refused (topic refused)
        sink by-order-sink (repartition topic by-order-repartition)

      Sub-topology by-order
        source by-order (repartition by-order-repartition)
          -> per-minute
        step per-minute (windowAggregate; tumbling 60000 ms, grace 0 ms, emits update, time by task; stores: per-minute)
          -> selectKey-2
          -late-> refused
        step selectKey-2 (selectKey)
          -> counts
        sink refused (topic refused)
        sink counts (topic counts)

      Global table cities (topic cities), read whole before the first record

      Archive raw: topic orders -> ClickHouse table raw_orders, row by record, past the store

      Dead letters -> topic dead
      "
    `);
  });

  it('draws the same as a Mermaid flowchart, each thing once', () => {
    expect(shop().describe('mermaid')).toMatchInlineSnapshot(`
      "flowchart LR
        subgraph s1["orders"]
          n1[/"orders"/]
          n2["once<br/><i>deduplicate</i>"]
          n3[("once")]
          n2 -.- n3
          n4[("once.progress")]
          n2 -.- n4
          n5["joinGlobalTable-1<br/><i>joinGlobalTable</i>"]
          n6["selectKey-1<br/><i>selectKey</i>"]
          n1 --> n2
          n2 --> n5
          n5 --> n6
        end
        subgraph s2["by-order"]
          n7[/"by-order-repartition"/]
          n8["per-minute<br/><i>windowAggregate</i>"]
          n9[("per-minute")]
          n8 -.- n9
          n10["selectKey-2<br/><i>selectKey</i>"]
          n7 --> n8
          n8 --> n10
        end
        n11[\\"refused"\\]
        n6 --> n11
        n6 ==> n7
        n8 -->|late| n11
        n12[\\"counts"\\]
        n10 --> n12
        n13[/"cities (global)"/]
        n13 -.-> n5
        n14[("raw_orders")]
        n1 -->|archive| n14
        n15[\\"dead"\\]
        s1 -.->|dead letters| n15
        s2 -.->|dead letters| n15
        n14 -.->|dead letters| n15
      "
    `);
  });

  it('tells when sources are idle, and which input of a step a stream comes to', () => {
    const topology = new Topology('joined');
    const orders = topology.stream('orders', { ...words, idleAfterMs: 60_000 });
    orders.pipe(joinStream('pairs', orders, { beforeMs: 0, afterMs: 10, graceMs: 0, key: utf8, left: utf8, right: utf8 }, (left: string, right: string) => left + right))
      .to(logTopic('out', words));
    expect(topology.describe()).toMatchInlineSnapshot(`
      "Topology joined

      Sub-topology orders
        source orders (topic orders; idle after 60000 ms)
          -> pairs (input 0)
          -> pairs (input 1)
        step pairs (joinStream; with orders, 0 ms before to 10 ms after, grace 0 ms; stores: pairs.left, pairs.right, pairs.times)
          -> out
        sink out (topic out)
      "
    `);
  });

  it('draws what joins read of local tables, and dead letters, dotted', () => {
    const topology = new Topology('joined');
    const stations = topology.table('stations', words);
    topology.stream('events', words).pipe(joinTable('with-station', stations, (event: string, station) => event + station)).to(logTopic('out', words));
    topology.deadLetters(logTopic('dead', { key: utf8, value: json<DeadLetter>() }));
    expect(topology.describe('mermaid')).toMatchInlineSnapshot(`
      "flowchart LR
        subgraph s1["events"]
          n1[/"stations"/]
          n2[/"events"/]
          n3["stations-table<br/><i>tableSource</i>"]
          n4[("stations-table")]
          n3 -.- n4
          n5["with-station<br/><i>joinTable</i>"]
          n4 -.-> n5
          n1 --> n3
          n2 --> n5
        end
        n6[\\"out"\\]
        n5 --> n6
        n7[\\"dead"\\]
        s1 -.->|dead letters| n7
      "
    `);
  });

  it('gives the same for the same topology', () => {
    expect([shop().describe(), shop().describe('mermaid')]).toEqual([shop().describe(), shop().describe('mermaid')]);
  });
});
