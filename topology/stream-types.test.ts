import { filter as rxjsFilter } from 'rxjs';
import { expect, expectTypeOf, it } from 'vitest';
import { branch } from '../operators/branch.ts';
import { filter, filterNot } from '../operators/filter.ts';
import { joinTable } from '../operators/join-table.ts';
import { map } from '../operators/map.ts';
import { mapValues } from '../operators/map-values.ts';
import type { Windowed } from '../operators/operator.ts';
import { rxjsStep } from '../operators/rxjs-step.ts';
import { selectKey } from '../operators/select-key.ts';
import { windowAggregate } from '../operators/window-aggregate.ts';
import { tumbling } from '../operators/windows/time-windows.ts';
import { float64, json, utf8 } from '../schemas/builtin-codecs.ts';
import { clickhouse, logTopic } from './sink.ts';
import type { Stream } from './stream.ts';
import type { Table } from './table.ts';
import { Topology } from './topology.ts';

interface Reading {
  readonly id: string;
  readonly wh: number;
}

const form = { key: utf8, value: json<Reading>() };

it('gives streams and tables the types of their form', () => {
  const topology = new Topology('types');
  expectTypeOf(topology.stream('in', form)).toEqualTypeOf<Stream<string, Reading>>();
  expectTypeOf(topology.table('table', form)).toEqualTypeOf<Table<string, Reading>>();
  // @ts-expect-error the time is taken from a Reading, which has no such field
  topology.stream('timed', { ...form, timestampOf: (reading) => reading.atMs });
});

it('infers keys and values through a pipe of up to nine steps', () => {
  const topology = new Topology('types');
  const names = topology.table('names', { key: utf8, value: json<{ readonly name: string }>() });
  const piped = topology.stream('in', form).pipe(
    filter((reading) => reading.wh > 0),
    joinTable('named', names, (reading, name) => ({ ...reading, ...name })),
    mapValues((reading, key) => reading.wh + key.length + reading.name.length),
    windowAggregate('sum', tumbling({ sizeMs: 1, graceMs: 0 }), { key: utf8, aggregate: float64, initial: () => 0, fold: (sum, wh) => sum + wh }),
    map((sum, window) => ({ key: window.startMs, value: String(sum) })),
    selectKey((value, startMs) => `${value}${startMs}`),
    rxjsStep(rxjsFilter((record) => record.key.length > record.value.length)),
    mapValues((value, key) => value.length + key.length),
    filterNot((length, key) => length > key.length),
  );
  expectTypeOf(piped).toEqualTypeOf<Stream<string, number>>();
  expectTypeOf(topology.stream('other', form).pipe(windowAggregate('sums', tumbling({ sizeMs: 1, graceMs: 0 }), {
    key: utf8, aggregate: float64, initial: () => 0, fold: (sum, reading) => sum + reading.wh,
  }))).toEqualTypeOf<Stream<Windowed<string>, number>>();
});

it('merges streams of one type only', () => {
  const topology = new Topology('types');
  const readings = topology.stream('a', form);
  expectTypeOf(readings.merge(topology.stream('b', form))).toEqualTypeOf<Stream<string, Reading>>();
  // @ts-expect-error numbers are no Readings
  readings.merge(topology.stream('c', { key: utf8, value: float64 }));
});

it('repartitions with forms for the key and value that the stream has', () => {
  const readings = new Topology('types').stream('in', form);
  expectTypeOf(readings.repartition('same', form)).toEqualTypeOf<Stream<string, Reading>>();
  // @ts-expect-error the key is a text
  readings.repartition('other', { key: float64, value: json<Reading>() });
});

it('ends in sinks that take its key and value, and goes on as the same stream', () => {
  const readings = new Topology('types').stream('in', form);
  expectTypeOf(readings.to(logTopic('out', form))).toEqualTypeOf<Stream<string, Reading>>();
  const table = { database: 'd', table: 't', columns: { id: 'String' }, partitionOf: (row: { readonly id: string }) => row.id };
  readings.to(clickhouse(table, (reading: Reading, key: string) => ({ id: reading.id + key })));
  // @ts-expect-error the topic's values are numbers
  readings.to(logTopic('numbers', { key: utf8, value: float64 }));
  // @ts-expect-error the row lacks the column
  clickhouse(table, (reading: Reading) => ({ wh: reading.wh }));
});

it('takes the types of a side output from whoever asks, else those of the stream', () => {
  const split = new Topology('types').stream('in', form).pipe(branch({ low: (reading: Reading) => reading.wh < 1 }, 'high'));
  expectTypeOf(split.side('low')).toEqualTypeOf<Stream<string, Reading>>();
  expectTypeOf(split.side<string, number>('high')).toEqualTypeOf<Stream<string, number>>();
  expect(() => split.side('none')).toThrow(/TOPOLOGY_INVALID/);
});
