import { expect, expectTypeOf, it } from 'vitest';
import type { Windowed } from '../operators/operator.ts';
import { sessionAggregate } from '../operators/session-aggregate.ts';
import { untilTimeLimit, untilWindowCloses } from '../operators/suppress.ts';
import { sessions } from '../operators/windows/session-windows.ts';
import { sliding } from '../operators/windows/sliding-windows.ts';
import { tumbling } from '../operators/windows/time-windows.ts';
import { float64, json, utf8, windowedKey } from '../schemas/builtin-codecs.ts';
import type { Stream } from './stream.ts';
import type { Table } from './table.ts';
import { Topology } from './topology.ts';
import type { SessionWindowedStream, TimeWindowedStream } from './windowed-stream.ts';
import type { WindowedResults, WindowedTable } from './windowed-table.ts';

interface Reading {
  readonly id: string;
  readonly wh: number;
}

const form = { key: utf8, value: json<Reading>() };
const minutes = tumbling({ sizeMs: 60_000, graceMs: 0 });
const visits = sessions({ gapMs: 60_000, graceMs: 0 });
const sum = { initial: () => 0, fold: (total: number, reading: Reading) => total + reading.wh, aggregate: float64 };
const merge = (earlier: number, later: number): number => earlier + later;

it('windows what is grouped, by the kind of the windows', () => {
  const stream = new Topology('types').stream('in', form);
  const grouped = stream.groupByKey(form);
  expectTypeOf(grouped.windowedBy(minutes)).toEqualTypeOf<TimeWindowedStream<string, Reading>>();
  expectTypeOf(grouped.windowedBy(sliding({ timeDifferenceMs: 1, graceMs: 0 }))).toEqualTypeOf<TimeWindowedStream<string, Reading>>();
  expectTypeOf(grouped.windowedBy(visits)).toEqualTypeOf<SessionWindowedStream<string, Reading>>();
  const refused = (): void => {
    // @ts-expect-error a stream must be grouped to be windowed
    stream.windowedBy(minutes);
    // @ts-expect-error a table cannot be windowed
    new Topology('types').table('table', form).windowedBy(minutes);
    // @ts-expect-error windows are aggregated at once
    grouped.windowedBy(minutes).windowedBy(visits);
  };
  expect(refused).toBeTypeOf('function');
});

it('gives results of the aggregate\'s type, with null only where sessions may be taken back', () => {
  const grouped = new Topology('types').stream('in', form).groupByKey(form);
  const load = grouped.windowedBy(minutes).aggregate('load', sum);
  expectTypeOf(load).toEqualTypeOf<WindowedTable<string, number, Reading, number>>();
  expectTypeOf(load.toStream()).toEqualTypeOf<Stream<Windowed<string>, number>>();
  expectTypeOf(load.late()).toEqualTypeOf<Stream<string, Reading>>();
  const stays = grouped.windowedBy(visits).aggregate('stays', { ...sum, merge });
  expectTypeOf(stays.toStream()).toEqualTypeOf<Stream<Windowed<string>, number | null>>();
  expectTypeOf(stays.suppress(untilTimeLimit(1)).toStream()).toEqualTypeOf<Stream<Windowed<string>, number | null>>();
  expectTypeOf(stays.suppress(untilWindowCloses(), 'closed').toStream()).toEqualTypeOf<Stream<Windowed<string>, number>>();
  expectTypeOf(grouped.windowedBy(visits).count('final', { emit: 'final' }).toStream()).toEqualTypeOf<Stream<Windowed<string>, number>>();
  expectTypeOf(grouped.windowedBy(visits).reduce('last', (_last, reading) => reading).toStream())
    .toEqualTypeOf<Stream<Windowed<string>, Reading | null>>();
  expectTypeOf(stays.toStream().toTable('stays-table', { key: windowedKey(utf8), value: float64 })).toEqualTypeOf<Table<Windowed<string>, number>>();
});

it('infers types without annotations, also through a pipe', () => {
  const stream = new Topology('types').stream('in', form);
  const named = stream.groupByKey(form).windowedBy(visits).aggregate('named', {
    initial: () => '', fold: (all, reading, key) => all + reading.id + key, merge: (earlier, later) => earlier + later, aggregate: utf8, emit: 'final',
  });
  expectTypeOf(named).toEqualTypeOf<WindowedResults<string, string, Reading>>();
  const options = { key: utf8, aggregate: float64, initial: () => 0, merge };
  expectTypeOf(stream.pipe(sessionAggregate('updates', visits, { ...options, fold: (total, reading) => total + reading.wh })))
    .toEqualTypeOf<Stream<Windowed<string>, number | null>>();
  expectTypeOf(stream.pipe(sessionAggregate('results', visits, { ...options, emit: 'final', fold: (total, reading) => total + reading.wh })))
    .toEqualTypeOf<Stream<Windowed<string>, number>>();
});

it('holds back until a window closes only what has windows and is not final, and never emits that early', () => {
  const topology = new Topology('types');
  const grouped = topology.stream('in', form).groupByKey(form);
  const refused = (): void => {
    // @ts-expect-error a table without windows has none that could close
    topology.table('table', form).suppress('closed', form, untilWindowCloses());
    // @ts-expect-error a count without windows has none that could close
    grouped.count('count').suppress('closed', { key: utf8, value: float64 }, untilWindowCloses());
    // @ts-expect-error final results wait for nothing
    grouped.windowedBy(minutes).count('final', { emit: 'final' }).suppress(untilWindowCloses());
    // @ts-expect-error what was held back is not held back again
    grouped.windowedBy(minutes).count('twice').suppress(untilTimeLimit(1)).suppress(untilWindowCloses());
    // @ts-expect-error a window's result must not leave early
    untilWindowCloses({ maxRecords: 1, whenFull: 'emit-early' });
    // @ts-expect-error sessions need a way to make one aggregate of two
    grouped.windowedBy(visits).aggregate('unmerged', sum);
    // @ts-expect-error the aggregate's codec is missing
    grouped.windowedBy(minutes).aggregate('formless', { initial: () => 0, fold: (count: number) => count + 1 });
    // @ts-expect-error the aggregate is no text
    grouped.windowedBy(minutes).aggregate('text', { ...sum, aggregate: utf8 });
  };
  expect(refused).toBeTypeOf('function');
});
