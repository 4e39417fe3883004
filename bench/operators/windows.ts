import { deduplicate } from '../../operators/deduplicate.ts';
import { filter } from '../../operators/filter.ts';
import { mapValues } from '../../operators/map-values.ts';
import { detectSilence } from '../../operators/detect-silence.ts';
import { sessionAggregate } from '../../operators/session-aggregate.ts';
import { untilTimeLimit, untilWindowCloses } from '../../operators/suppress.ts';
import { windowAggregate } from '../../operators/window-aggregate.ts';
import { sessions } from '../../operators/windows/session-windows.ts';
import { sliding } from '../../operators/windows/sliding-windows.ts';
import { hopping, tumbling } from '../../operators/windows/time-windows.ts';
import { float64, int64, utf8 } from '../../schemas/builtin-codecs.ts';
import { statefulTarget, type Benchmark, type Reading } from './benchmark.ts';
import { overReadings, readings } from './stateless.ts';

const wh = { key: utf8, aggregate: float64, initial: () => 0, fold: (sum: number, reading: Reading) => sum + reading.deltaWh };
const final = { ...wh, emit: 'final' } as const;
const minute = tumbling({ sizeMs: 60_000, graceMs: 5_000 });
const everyQuarter = hopping({ sizeMs: 60_000, advanceMs: 15_000, graceMs: 5_000 });
const lastMinute = sliding({ timeDifferenceMs: 60_000, graceMs: 5_000 });
const lastQuarter = sliding({ timeDifferenceMs: 15_000, graceMs: 5_000 });

/** Every 10 seconds a record: in one session that never ends, or in one each. */
const session = { ...wh, merge: (earlier: number, later: number) => earlier + later };
const longSessions = sessions({ gapMs: 30_000, graceMs: 5_000 });
const shortSessions = sessions({ gapMs: 5_000, graceMs: 5_000 });

export const windowBenchmarks: readonly Benchmark[] = [
  overReadings('count', statefulTarget, (stream) => stream.groupByKey(readings).count('count')),
  overReadings('reduce', statefulTarget, (stream) =>
    stream.groupByKey(readings).reduce('reduce', (before, reading) => ({ id: reading.id, deltaWh: before.deltaWh + reading.deltaWh }))),
  overReadings('tumbling 1 min, update', statefulTarget, (stream) => stream.pipe(windowAggregate('window', minute, wh))),
  overReadings('tumbling 1 min, final', statefulTarget, (stream) => stream.pipe(windowAggregate('window', minute, final))),
  overReadings('tumbling 1 min, final, time by key', statefulTarget, (stream) =>
    stream.pipe(windowAggregate('window', minute, { ...final, timeScope: 'key' }))),
  overReadings('hopping 1 min every 15 s, update', statefulTarget, (stream) => stream.pipe(windowAggregate('window', everyQuarter, wh))),
  overReadings('hopping 1 min every 15 s, final', statefulTarget, (stream) => stream.pipe(windowAggregate('window', everyQuarter, final))),
  overReadings('sliding 15 s, update', statefulTarget, (stream) => stream.pipe(windowAggregate('window', lastQuarter, wh))),
  overReadings('sliding 1 min, update', null, (stream) => stream.pipe(windowAggregate('window', lastMinute, wh))),
  overReadings('sliding 1 min, final', null, (stream) => stream.pipe(windowAggregate('window', lastMinute, final))),
  overReadings('sessions 30 s, update', statefulTarget, (stream) => stream.pipe(sessionAggregate('sessions', longSessions, session))),
  overReadings('sessions 5 s, update', statefulTarget, (stream) => stream.pipe(sessionAggregate('sessions', shortSessions, session))),
  overReadings('sessions 5 s, final', statefulTarget, (stream) =>
    stream.pipe(sessionAggregate('sessions', shortSessions, { ...session, emit: 'final' }))),
  overReadings('tumbling 1 min, suppressed until close', statefulTarget, (stream) =>
    stream.groupByKey(readings).windowedBy(minute).aggregate('window', wh).suppress(untilWindowCloses())),
  overReadings('count, suppressed for 10 s', statefulTarget, (stream) =>
    stream.groupByKey(readings).count('count').suppress('calm', { key: utf8, value: int64 }, untilTimeLimit(10_000))),
  overReadings('silence of 30 s', statefulTarget, (stream) => stream.pipe(detectSilence('silence', { key: utf8, afterMs: 30_000 }))),
  overReadings('deduplicate 1 h', statefulTarget, (stream) =>
    stream.pipe(deduplicate('once', { by: (reading) => reading.id, withinMs: 3_600_000 }))),
  overReadings('filter, mapValues, filter, tumbling final', statefulTarget, (stream) => stream.pipe(
    filter((reading) => reading.deltaWh >= 0),
    mapValues((reading) => ({ id: reading.id, deltaWh: reading.deltaWh / 1_000 })),
    filter((reading) => reading.id !== ''),
    windowAggregate('window', minute, final),
  )),
];
