import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  hopping, json, logTopic, sessionAggregate, sessions, sliding, Topology, tumbling, utf8, windowAggregate, windowedKey,
} from '../index.ts';
import type { SlidingWindows, Stream, TimeWindows, Windowed } from '../index.ts';
import { TopologyTestDriver } from '../runtime/testing/index.ts';
import { drawArrivals, drawWindowKinds } from './pictures/draw.ts';
import type { Arrival, ClosedWindow, WindowKind } from './pictures/draw.ts';

/**
 * The pictures of time.md, drawn from what the engine really gives for their records. `node docs/pictures.ts` writes them; a
 * test compares them.
 */
export const pictures: Readonly<Record<string, () => string>> = {
  'late.svg': () => {
    const records = [10, 40, 62, 35, 81, 50, 110, 141].map((seconds) => ({ key: 'station', seconds }));
    return drawArrivals([{ title: 'One-minute windows, 20 seconds of grace', ...arrivals(records, 'task'), timeByKey: false, untilSeconds: 150 }]);
  },
  'time-by-key.svg': () => {
    const records = [
      { key: 'A', seconds: 15 }, { key: 'B', seconds: 20 }, { key: 'A', seconds: 70 }, { key: 'A', seconds: 130 },
      { key: 'B', seconds: 45 }, { key: 'B', seconds: 75 }, { key: 'A', seconds: 145 }, { key: 'B', seconds: 140 },
    ];
    return drawArrivals([
      { title: "timeScope: 'task', B was offline and is late", ...arrivals(records, 'task'), timeByKey: false, untilSeconds: 150 },
      { title: "timeScope: 'key', B is measured against itself", ...arrivals(records, 'key'), timeByKey: true, untilSeconds: 150 },
    ]);
  },
  'windows.svg': () => {
    const seconds = [4, 12, 16, 33, 58, 61];
    const kinds: readonly WindowKind[] = [
      { title: 'tumbling, 20 s', windows: counted(seconds, (stream) => byTime(stream, tumbling({ sizeMs: 20_000, graceMs: 0 }))) },
      { title: 'hopping, 20 and 10 s', windows: counted(seconds, (stream) => byTime(stream, hopping({ sizeMs: 20_000, advanceMs: 10_000, graceMs: 0 }))) },
      { title: 'sliding, 20 s', windows: counted(seconds, (stream) => byTime(stream, sliding({ timeDifferenceMs: 20_000, graceMs: 0 }))) },
      { title: 'session, gap 20 s', windows: counted(seconds, bySession) },
    ];
    return drawWindowKinds(seconds, kinds, 90);
  },
};

type Counts = Stream<Windowed<string>, number | null>;

const counts = { key: utf8, aggregate: json<number>('count'), initial: () => 0, fold: (count: number) => count + 1 };

function byTime(stream: Stream<string, number>, windows: TimeWindows | SlidingWindows): Counts {
  return stream.pipe(windowAggregate('windows', windows, { ...counts, emit: 'final' })) as Counts;
}

function bySession(stream: Stream<string, number>): Counts {
  return stream.pipe(sessionAggregate('windows', sessions({ gapMs: 20_000, graceMs: 0 }), {
    ...counts, emit: 'final', merge: (left: number, right: number) => left + right,
  })) as Counts;
}

/** Every window of a run over these records, closed by a record far behind them. */
function counted(seconds: readonly number[], windowed: (stream: Stream<string, number>) => Counts): readonly ClosedWindow[] {
  const topology = new Topology('picture');
  windowed(topology.stream('in', { key: utf8, value: json<number>('seconds') }))
    .to(logTopic('out', { key: windowedKey(utf8), value: json<number | null>('count') }));
  const driver = new TopologyTestDriver(topology);
  for (const at of [...seconds, 10_000]) driver.push('in', 'station', at, at * 1_000);
  return driver.take<Windowed<string>, number>('out').map(({ key, value }) => ({
    key: key.key, fromSeconds: key.startMs / 1_000, toSeconds: key.endMs / 1_000, result: value, closedBy: 0,
  }));
}

/** What became of each record, and by which record each window was closed. */
function arrivals(
  records: readonly { readonly key: string; readonly seconds: number }[], timeScope: 'task' | 'key',
): { readonly arrivals: readonly Arrival[]; readonly windows: readonly ClosedWindow[] } {
  const topology = new Topology('picture');
  const late = logTopic<string, number>('late', { key: utf8, value: json<number>('seconds') });
  const windows = topology.stream('in', { key: utf8, value: json<number>('seconds') })
    .pipe(windowAggregate('windows', tumbling({ sizeMs: 60_000, graceMs: 20_000 }), { ...counts, emit: 'final', timeScope }));
  windows.to(logTopic('out', { key: windowedKey(utf8), value: json<number>('count') }));
  windows.side<string, number>('late').to(late);
  const driver = new TopologyTestDriver(topology);
  const closed: ClosedWindow[] = [];
  const judged = records.map(({ key, seconds }, index): Arrival => {
    driver.push('in', key, seconds, seconds * 1_000);
    for (const { key: window, value } of driver.take<Windowed<string>, number>('out')) {
      closed.push({ key: window.key, fromSeconds: window.startMs / 1_000, toSeconds: window.endMs / 1_000, result: value, closedBy: index + 1 });
    }
    return { key, seconds, late: driver.take('late').length > 0 };
  });
  return { arrivals: judged, windows: closed };
}

export const pictureFolder = join(import.meta.dirname, 'pictures');

if (import.meta.main) for (const [file, draw] of Object.entries(pictures)) writeFileSync(join(pictureFolder, file), draw());
