import { expect, expectTypeOf, it } from 'vitest';
import { filter } from '../operators/filter.ts';
import type { Windowed } from '../operators/operator.ts';
import { sessions } from '../operators/windows/session-windows.ts';
import { tumbling } from '../operators/windows/time-windows.ts';
import { float64, int64, json, utf8 } from '../schemas/builtin-codecs.ts';
import type { CogroupedStream } from './cogrouped-stream.ts';
import type { GroupedStream } from './grouped-stream.ts';
import type { GroupedTable } from './grouped-table.ts';
import type { Stream } from './stream.ts';
import type { Table } from './table.ts';
import { Topology } from './topology.ts';

interface Reading {
  readonly site: string | null;
  readonly wh: number;
}
const readings = { key: utf8, value: json<Reading>() };
const sites = { key: utf8, value: float64 };

it('gives aggregates of a stream the types of their codecs', () => {
  const grouped = new Topology('types').stream('in', readings).groupByKey(readings);
  expectTypeOf(grouped).toEqualTypeOf<GroupedStream<string, Reading>>();
  expectTypeOf(grouped.count('count')).toEqualTypeOf<Table<string, number>>();
  expectTypeOf(grouped.reduce('last', (_last, reading) => reading)).toEqualTypeOf<Table<string, Reading>>();
  expectTypeOf(grouped.aggregate('text', {
    initial: () => '', fold: (text, reading, key) => `${text}${key}${reading.wh.toFixed(1)}`, aggregate: utf8,
  })).toEqualTypeOf<Table<string, string>>();
  expectTypeOf(grouped.count('counts').toStream()).toEqualTypeOf<Stream<string, number | null>>();
});

it('lets an aggregate start at nothing, and be deleted', () => {
  const grouped = new Topology('types').stream('in', readings).groupByKey(readings);
  const highest = grouped.aggregate('highest', {
    initial: () => null,
    fold: (wh, reading) => {
      expectTypeOf(wh).toEqualTypeOf<number | null>();
      return reading.wh < 0 ? null : Math.max(wh ?? 0, reading.wh);
    },
    aggregate: float64,
  });
  expectTypeOf(highest).toEqualTypeOf<Table<string, number>>();
});

it('takes nothing that is null into a fold', () => {
  const topology = new Topology('types');
  const deleted = topology.table('table', readings).toStream();
  expectTypeOf(deleted).toEqualTypeOf<Stream<string, Reading | null>>();
  expectTypeOf(deleted.groupByKey(readings)).toEqualTypeOf<GroupedStream<string, Reading>>();
  expectTypeOf(topology.stream('in', readings).groupBy((reading) => reading.site, readings)).toEqualTypeOf<GroupedStream<string, Reading>>();
});

it('groups a table by a key of the group, whose values are those of the group', () => {
  const table = new Topology('types').table('in', readings);
  const grouped = table.groupBy((reading, id) => ({ key: reading.site, value: reading.wh + id.length }), sites);
  expectTypeOf(grouped).toEqualTypeOf<GroupedTable<string, number>>();
  expectTypeOf(grouped.count('count')).toEqualTypeOf<Table<string, number>>();
  expectTypeOf(grouped.reduce('sum', { add: (sum, wh) => sum + wh, subtract: (sum, wh) => sum - wh })).toEqualTypeOf<Table<string, number>>();
  expectTypeOf(grouped.aggregate('text', {
    initial: () => '', add: (text, wh) => text + wh.toFixed(1), subtract: (text, wh, site) => text.replace(`${site}${wh}`, ''), aggregate: utf8,
  })).toEqualTypeOf<Table<string, string>>();
});

it('folds each stream of a cogroup by a function of its own', () => {
  const topology = new Topology('types');
  const grouped = topology.stream('in', readings).groupByKey(readings);
  const cogrouped = grouped.cogroup((sum: number, reading) => sum + reading.wh)
    .cogroup(topology.stream('others', sites).groupByKey(sites), (sum, wh, key) => sum + wh + key.length);
  expectTypeOf(cogrouped).toEqualTypeOf<CogroupedStream<string, number>>();
  expectTypeOf(cogrouped.aggregate('sum', { initial: () => 0, aggregate: float64 })).toEqualTypeOf<Table<string, number>>();
  const tumbled = cogrouped.windowedBy(tumbling({ sizeMs: 1, graceMs: 0 })).aggregate('minutes', { initial: () => 0, aggregate: float64 });
  expectTypeOf(tumbled.toStream()).toEqualTypeOf<Stream<Windowed<string>, number>>();
  const merge = (earlier: number, later: number): number => earlier + later;
  const visits = cogrouped.windowedBy(sessions({ gapMs: 1, graceMs: 0 })).aggregate('visits', { initial: () => 0, merge, aggregate: float64 });
  expectTypeOf(visits.toStream()).toEqualTypeOf<Stream<Windowed<string>, number | null>>();
  // @ts-expect-error sessions need a way to make one aggregate of two
  cogrouped.windowedBy(sessions({ gapMs: 1, graceMs: 0 })).aggregate('unmerged', { initial: () => 0, aggregate: float64 });
  const numbered = topology.stream('numbered', { key: int64, value: float64 }).groupByKey({ key: int64, value: float64 });
  // @ts-expect-error the keys are numbers
  cogrouped.cogroup(numbered, (sum, wh) => sum + wh);
  // @ts-expect-error the aggregate is a number
  cogrouped.aggregate('text', { initial: () => '', aggregate: utf8 });
});

it('refuses what is not grouped, a missing codec, and one of another type', () => {
  const topology = new Topology('types');
  const stream = topology.stream('in', readings);
  const refused = (): void => {
    // @ts-expect-error a stream must be grouped to be counted
    stream.count('count');
    // @ts-expect-error a stream must be grouped to be windowed
    stream.windowedBy(null);
    // @ts-expect-error grouping needs codecs
    stream.groupByKey();
    // @ts-expect-error the key's codec is missing
    stream.groupByKey({ value: readings.value });
    // @ts-expect-error the key is a text
    stream.groupByKey({ key: int64, value: readings.value });
    // @ts-expect-error the new key is a number
    stream.groupBy((reading) => reading.wh, readings);
    // @ts-expect-error a step after grouping is not possible
    stream.groupByKey(readings).pipe(filter(() => true));
    // @ts-expect-error the aggregate's codec is missing
    stream.groupByKey(readings).aggregate('sum', { initial: () => 0, fold: (sum: number) => sum });
    // @ts-expect-error the aggregate is no text
    stream.groupByKey(readings).aggregate('sum', { initial: () => 0, fold: (sum, reading) => sum + reading.wh, aggregate: utf8 });
    // @ts-expect-error a count needs a name
    stream.groupByKey(readings).count();
    // @ts-expect-error a table cannot be windowed
    topology.table('table', readings).windowedBy(null);
    // @ts-expect-error an aggregate of a table needs a way to take a row out
    topology.table('other', readings).groupBy((row, key) => ({ key, value: row.wh }), sites).reduce('sum', { add: (sum, wh) => sum + wh });
    // @ts-expect-error the group's values are numbers
    topology.table('third', readings).groupBy((row, key) => ({ key, value: row }), sites);
  };
  expect(refused).toBeTypeOf('function');
});
