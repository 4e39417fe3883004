import { utf8 } from '../../schemas/builtin-codecs.ts';
import { tumbling, windowAggregate } from '../engine.ts';
import type { Operator, Windowed } from '../engine.ts';
import { hourLoadCodec } from './hour-codec.ts';
import { addPart, emptyHour, sumOfHours } from './hour-load.ts';
import type { HourLoad } from './hour-load.ts';
import { dayMs, hourMs } from './split-load.ts';
import type { LoadPart } from './split-load.ts';

export interface StationLoadOptions {
  /** How long after the end of its UTC day an hour still takes what becomes known, by its station's own time. Default 24 hours. */
  readonly graceMs?: number;
  /**
   * How often a changed hour, a changed day is given, in the stations' time. Default an hour each. Not longer than what ends a log moves its
   * stations' time (an hour): of a station of which nothing more is heard, the last day would never be given.
   */
  readonly hourEveryMs?: number;
  readonly dayEveryMs?: number;
}

export const loadGraceMs = dayMs;

/**
 * Load of each station by hour, and by UTC day to the output `days`. Results are absolute and come as they grow: when time passes a multiple of
 * their rhythm, and once more when the day closes if they have changed since.
 *
 * Days are sums over the hours that are kept anyway, so that the two always agree. The hours of a day close together; a part for a
 * closed one goes to `late`. Either of the two and late parts together are all that came.
 */
export function stationLoad(name: string, options: StationLoadOptions = {}): Operator<string | null, LoadPart, Windowed<string>, HourLoad> {
  return windowAggregate(name, tumbling({ sizeMs: hourMs, graceMs: options.graceMs ?? loadGraceMs }), {
    key: utf8,
    aggregate: hourLoadCodec,
    timeScope: 'key',
    initial: () => emptyHour,
    fold: addPart,
    emit: {
      everyMs: options.hourEveryMs ?? hourMs,
      rollups: { days: { sizeMs: dayMs, everyMs: options.dayEveryMs ?? hourMs, combine: sumOfHours } },
    },
  });
}
