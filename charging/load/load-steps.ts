import { clickhouse, filter, mapValues } from '../engine.ts';
import type { Stream, Windowed } from '../engine.ts';
import type { LateRecord } from '../tables.ts';
import type { LoadChange } from './load-change.ts';
import { dayRow, hourRow } from './load-tables.ts';
import type { LoadSums } from './hour-load.ts';
import type { LoadTables } from './load-tables.ts';
import { changesNothing, splitLoad } from './split-load.ts';
import type { LoadPart } from './split-load.ts';
import { loadGraceMs, stationLoad } from './station-load.ts';
import type { StationLoadOptions } from './station-load.ts';

/**
 * From the changes of stations' load to the tables of hours and days; gives what came too late for them. Each table with the late records together has
 * the energy of all changes, to the mWh.
 */
export function loadSteps(changes: Stream<string, LoadChange>, tables: LoadTables, options: StationLoadOptions = {}): Stream<string, LateRecord> {
  const parts = changes.pipe(splitLoad('split-load', options.graceMs ?? loadGraceMs));
  const hours = parts.pipe(stationLoad('station-load', options));
  hours.to(clickhouse(tables.hours, hourRow));
  hours.side<Windowed<string>, LoadSums>('days').to(clickhouse(tables.days, dayRow));
  return parts.side<string, LoadPart>('late').merge(hours.side<string, LoadPart>('late'))
    .pipe(filter((part: LoadPart) => !changesNothing(part)), mapValues(latePart));
}

function latePart({ change, fromMs, toMs, energyMilliWh, number }: LoadPart): LateRecord {
  return {
    step: 'station-load', number, stationId: change.stationId, eventId: change.eventId, energyWh: energyMilliWh / 1000,
    json: JSON.stringify({ ...change, lateFromMs: fromMs, lateToMs: toMs, lateMilliWh: energyMilliWh }),
  };
}
