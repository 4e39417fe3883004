import { cpus } from 'node:os';
import { Subject, type OperatorFunction } from 'rxjs';
import { deduplicate } from '../operators/deduplicate.ts';
import { filter } from '../operators/filter.ts';
import { joinTable } from '../operators/join-table.ts';
import { map } from '../operators/map.ts';
import { mapValues } from '../operators/map-values.ts';
import type { Operator, StepContext, StreamRecord, StreamTime } from '../operators/operator.ts';
import { recordSubscriber } from '../operators/record-step.ts';
import { rxjsStep } from '../operators/rxjs-step.ts';
import { TaskStores } from '../operators/testing/harness.ts';
import { windowAggregate } from '../operators/window-aggregate.ts';
import { sliding } from '../operators/windows/sliding-windows.ts';
import { hopping, tumbling } from '../operators/windows/time-windows.ts';
import { float64, json, utf8 } from '../schemas/builtin-codecs.ts';
import { keyValueStore } from '../state/local/key-value-store.ts';
import { timestamped } from '../state/local/timestamped.ts';
import { tableIn } from '../operators/testing/tables.ts';
import { filter as rxjsFilter } from 'rxjs/operators';

/** Records per second of processor time through each operator alone and through a chain. `node bench/operators.ts [name]` */

interface Reading {
  readonly id: string;
  readonly deltaWh: number;
}
type In = StreamRecord<string, Reading>;

const runs = 5;
const batchRecords = 200_000;
const recordsPerCommit = 100_000;

class BenchTime implements StreamTime {
  ms = -1;
  advance(timestampMs: number): void {
    if (timestampMs > this.ms) this.ms = timestampMs;
  }
}

function contextOver(stores: TaskStores): StepContext {
  return {
    step: 'bench', subTopology: 'bench', partition: 0, streamTime: new BenchTime(),
    origin: { topic: 'in', partition: 0, offset: 0, timestampMs: 0 },
    input: 0,
    schedule: () => {},
    onIdle: () => {},
    store: (definition) => stores.get(definition),
    output: () => () => {},
    dropped: () => {},
    failed: (error) => { throw error; },
  };
}

/** Records whose keys are new strings each time, as decoded ones are. Ten seconds of event time a round over all keys. */
function makeRecords(keys: number, from: number): In[] {
  const records: In[] = [];
  for (let at = from; at < from + batchRecords; at += 1) {
    const key = Buffer.from(`station-${String((at * 7_919) % keys).padStart(7, '0')}`).toString('utf8');
    records.push({ key, value: { id: Buffer.from(`e${at}`).toString(), deltaWh: at % 50 }, timestampMs: Math.floor((at * 10_000) / keys) });
  }
  return records;
}

type Steps = (context: StepContext) => OperatorFunction<In, StreamRecord<unknown, unknown>>;

const alone = <KO, VO>(operator: Operator<string, Reading, KO, VO>): Steps => (context) => operator.build(context);
const wh = { key: utf8, aggregate: float64, initial: () => 0, fold: (sum: number, reading: Reading) => sum + reading.deltaWh };
const minute = tumbling({ sizeMs: 60_000, graceMs: 5_000 });
const sites = tableIn('sites', keyValueStore({ name: 'sites', key: utf8, value: timestamped(json<string>('site')) }));

const benchmarks: Readonly<Record<string, Steps>> = {
  'map': alone(map((reading: Reading, key: string) => ({ key, value: reading }))),
  'mapValues': alone(mapValues((reading: Reading) => reading.deltaWh)),
  'filter': alone(filter((reading: Reading) => reading.deltaWh > 0)),
  'raw RxJS filter': alone(rxjsStep(rxjsFilter((record: In) => record.value.deltaWh > 0))),
  'joinTable (no match)': alone(joinTable('join', sites, (reading: Reading, site: string) => ({ ...reading, site }))),
  'deduplicate 1 h': alone(deduplicate('once', { by: (reading: Reading) => reading.id, withinMs: 3_600_000 })),
  'tumbling, update': alone(windowAggregate('window', minute, wh)),
  'tumbling, final': alone(windowAggregate('window', minute, { ...wh, emit: 'final' })),
  'tumbling, final, by key': alone(windowAggregate('window', minute, { ...wh, emit: 'final', timeScope: 'key' })),
  'hopping 4, final': alone(windowAggregate('window', hopping({ sizeMs: 60_000, advanceMs: 15_000, graceMs: 5_000 }), { ...wh, emit: 'final' })),
  'sliding 1 min, update': alone(windowAggregate('window', sliding({ timeDifferenceMs: 60_000, graceMs: 5_000 }), wh)),
  'filter, map, mapValues': (context) => (source) =>
    source.pipe(
      filter<string, Reading>((reading) => reading.deltaWh >= 0).build(context),
      map((reading: Reading, key: string) => ({ key, value: reading })).build(context),
      mapValues<string, Reading, number>((reading) => reading.deltaWh).build(context),
    ),
  'filter, map, mapValues, tumbling final': (context) => (source) =>
    source.pipe(
      filter<string, Reading>((reading) => reading.deltaWh >= 0).build(context),
      map((reading: Reading, key: string) => ({ key, value: reading })).build(context),
      mapValues<string, Reading, Reading>((reading) => reading).build(context),
      windowAggregate('window', minute, { ...wh, emit: 'final' }).build(context),
    ),
};

function measure(steps: Steps, keys: number): { readonly rates: number[]; readonly commitRate: number } {
  const stores = new TaskStores();
  const source = new Subject<In>();
  let outputs = 0;
  source.pipe(steps(contextOver(stores))).subscribe(recordSubscriber(() => { outputs += 1; }));
  const rates: number[] = [];
  let commitMs = 0;
  let commitRecords = 0;
  // One run more than counted, to warm up.
  for (let run = 0; run <= runs; run += 1) {
    const records = makeRecords(keys, run * batchRecords);
    let processMs = 0;
    for (let at = 0; at < records.length; at += recordsPerCommit) {
      const begin = cpuMs();
      for (let next = at; next < at + recordsPerCommit && next < records.length; next += 1) source.next(records[next] as In);
      const done = cpuMs();
      processMs += done - begin;
      stores.takeChanges();
      if (run > 0) commitMs += cpuMs() - done;
    }
    if (run > 0) {
      rates.push(records.length / processMs * 1_000);
      commitRecords += records.length;
    }
  }
  return { rates: rates.sort((left, right) => left - right), commitRate: commitRecords / commitMs * 1_000 };
}

/** Processor time of all threads, collectors included: it stays comparable on a machine that is busy with other things. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const millions = (rate: number): string => (rate / 1e6).toFixed(2).padStart(7);
const wanted = process.argv[2];
console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; million records per CPU second, of ${runs} runs of ${batchRecords} records`);
console.log(`${'operator'.padEnd(40)} ${'keys'.padStart(8)}     min  median     max   (takeChanges)`);
for (const [name, steps] of Object.entries(benchmarks)) {
  if (wanted !== undefined && !name.includes(wanted)) continue;
  for (const keys of [1_000, 100_000]) {
    const { rates, commitRate } = measure(steps, keys);
    const [low = 0] = rates;
    console.log(`${name.padEnd(40)} ${String(keys).padStart(8)} ${millions(low)} ${millions(rates[rates.length >> 1] ?? 0)} ${millions(rates.at(-1) ?? 0)}   ${millions(commitRate)}`);
  }
}
