import { distinctUntilChanged, filter as rxjsFilter, map as rxjsMap, type OperatorFunction } from 'rxjs';
import { expect, expectTypeOf, it } from 'vitest';
import { float64, json, utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { branch } from './branch.ts';
import { deduplicate } from './deduplicate.ts';
import { filter, filterNot } from './filter.ts';
import { flatMap } from './flat-map.ts';
import { flatMapValues } from './flat-map-values.ts';
import { joinGlobalTable, leftJoinGlobalTable } from './join-global-table.ts';
import { joinTable, leftJoinTable } from './join-table.ts';
import { map } from './map.ts';
import { mapValues } from './map-values.ts';
import type { Operator, StreamRecord, Windowed } from './operator.ts';
import { peek } from './peek.ts';
import { rxjsStep } from './rxjs-step.ts';
import { selectKey } from './select-key.ts';
import { windowAggregate } from './window-aggregate.ts';
import { tableIn } from './testing/tables.ts';
import { sliding } from './windows/sliding-windows.ts';
import { tumbling } from './windows/time-windows.ts';

type Step<K, V, K2, V2> = Operator<K, V, K2, V2> | OperatorFunction<StreamRecord<K, V>, StreamRecord<K2, V2>>;

/** A stream as a pipe sees it: types only. */
class MockStream<K, V> {
  readonly steps: number;
  readonly recordType?: StreamRecord<K, V>;
  constructor(steps = 0) {
    this.steps = steps;
  }
  pipe<K1, V1>(a: Step<K, V, K1, V1>): MockStream<K1, V1>;
  pipe<K1, V1, K2, V2>(a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>): MockStream<K2, V2>;
  pipe<K1, V1, K2, V2, K3, V3>(a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>): MockStream<K3, V3>;
  pipe<K1, V1, K2, V2, K3, V3, K4, V4>(
    a: Step<K, V, K1, V1>, b: Step<K1, V1, K2, V2>, c: Step<K2, V2, K3, V3>, d: Step<K3, V3, K4, V4>,
  ): MockStream<K4, V4>;
  pipe(...steps: readonly unknown[]): MockStream<unknown, unknown> {
    return new MockStream(steps.length);
  }
}

interface Reading {
  readonly id: string;
  readonly wh: number;
  readonly site: string | null;
}
const readings = new MockStream<string, Reading>();
const table = tableIn<string, { readonly name: string }>('sites', keyValueStore({ name: 'sites', key: utf8, value: timestamped(json('site')) }), true);

it('infers keys and values from step to step', () => {
  const windows = readings.pipe(
    filter((reading) => reading.wh > 0),
    mapValues((reading, key) => ({ wh: reading.wh, at: key })),
    windowAggregate('per-minute', tumbling({ sizeMs: 60_000, graceMs: 0 }), {
      key: utf8, aggregate: float64, initial: () => 0, fold: (sum, reading) => sum + reading.wh,
    }),
    mapValues((sum, window) => `${window.key} ${window.startMs} ${sum.toFixed(1)}`),
  );
  expectTypeOf(windows).toEqualTypeOf<MockStream<Windowed<string>, string>>();
  expect(windows.steps).toBe(4);
});

it('infers through every stateless step', () => {
  expectTypeOf(readings.pipe(
    map((reading, key) => ({ key: reading.wh, value: key })),
    selectKey((value, key) => value.length + key),
    flatMap((value, key) => [{ key: `${key}`, value: value.length }]),
    flatMapValues((value) => [value > 1, value]),
  )).toEqualTypeOf<MockStream<string, number | boolean>>();
  expectTypeOf(readings.pipe(
    filterNot((reading) => reading.wh === 0),
    peek((reading, key) => void `${key}${reading.id}`),
    branch({ low: (reading) => reading.wh < 10 }, 'high'),
    deduplicate('once', { by: (reading) => reading.id, withinMs: 1 }),
  )).toEqualTypeOf<MockStream<string, Reading>>();
});

it('infers what a join sees of its table: null only in a left join', () => {
  expectTypeOf(readings.pipe(
    joinTable('site', table, (reading, site) => ({ id: reading.id, name: site.name })),
    leftJoinTable('site', table, (reading, site, key) => `${key}${reading.name}${site?.name}`),
  )).toEqualTypeOf<MockStream<string, string>>();
  expectTypeOf(readings.pipe(
    joinGlobalTable(table, (reading) => reading.site, (reading, site) => ({ ...reading, name: site.name })),
    leftJoinGlobalTable(table, (reading) => reading.name, (reading, site) => site?.name ?? reading.name),
  )).toEqualTypeOf<MockStream<string, string>>();
});

it('narrows by a type guard, and takes null keys out of windows', () => {
  const mixed = new MockStream<string | null, Reading | null>();
  const isReading = (value: Reading | null): value is Reading => value !== null;
  expectTypeOf(mixed.pipe(
    joinTable('site', table, (reading, site) => reading.wh + site.name.length + reading.id.length),
  )).toEqualTypeOf<MockStream<string, number>>();
  expectTypeOf(mixed.pipe(
    leftJoinTable('site', table, (reading, site) => reading.wh + (site?.name ?? '').length),
  )).toEqualTypeOf<MockStream<string | null, number>>();
  expectTypeOf(mixed.pipe(
    filter(isReading),
    windowAggregate('sliding', sliding({ timeDifferenceMs: 1, graceMs: 0 }), {
      key: utf8, aggregate: float64, initial: () => 0, fold: (sum, reading, key) => sum + reading.wh + key.length,
    }),
  )).toEqualTypeOf<MockStream<Windowed<string>, number>>();
});

it('infers through RxJS operators in rxjsStep, wherever they stand', () => {
  expectTypeOf(readings.pipe(
    rxjsStep(rxjsFilter((record) => record.timestampMs > record.key.length)),
    filter((reading, key) => reading.wh > key.length),
    rxjsStep(rxjsMap((record) => ({ ...record, value: record.value.wh * 2 }))),
    mapValues((doubled, key) => doubled + key.length),
  )).toEqualTypeOf<MockStream<string, number>>();
});

it('infers up to RxJS operators as they are, and what they give at the end of a pipe', () => {
  expectTypeOf(readings.pipe(
    filter((reading) => reading.wh > 0),
    rxjsMap((record) => ({ ...record, value: record.value.wh * 2 })),
    distinctUntilChanged((before, after) => before.value === after.value && before.key === after.key),
  )).toEqualTypeOf<MockStream<string, number>>();
  // Before another step their type arguments are wanted: TypeScript looks at that step first.
  expectTypeOf(readings.pipe(
    rxjsFilter<StreamRecord<string, Reading>>((record) => record.timestampMs > 0),
    mapValues((reading, key) => reading.wh + key.length),
  )).toEqualTypeOf<MockStream<string, number>>();
  // @ts-expect-error unknown has no wh; when TypeScript infers this one day, the docs of rxjsStep say too little of it
  readings.pipe(rxjsFilter((record) => record.timestampMs > 0), mapValues((reading) => reading.wh));
});

it('refuses a step that does not fit', () => {
  // @ts-expect-error a Reading has no such field
  readings.pipe(mapValues((reading) => reading.power));
  // @ts-expect-error keys are texts
  readings.pipe(windowAggregate('x', tumbling({ sizeMs: 1, graceMs: 0 }), { key: float64, aggregate: float64, initial: () => 0, fold: (sum) => sum }));
  expect(readings.steps).toBe(0);
});
