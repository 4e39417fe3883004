import { utf8 } from '../../schemas/builtin-codecs.ts';
import { tumbling, windowAggregate } from '../engine.ts';
import type { Operator, Windowed } from '../engine.ts';
import { quarterLoadCodec } from './quarter-codec.ts';
import { addPart, emptyQuarter, sumOfQuarters } from './quarter-load.ts';
import type { QuarterLoad } from './quarter-load.ts';
import { dayMs, quarterMs } from './split-load.ts';
import type { LoadPart } from './split-load.ts';

export interface StationLoadOptions {
  /** How long after the end of its UTC day a quarter still takes what becomes known, by its station's own time. Default 24 hours. */
  readonly graceMs?: number;
  /**
   * How often a changed quarter, hour and day is given, in the stations' time. Default a quarter of an hour, an hour, an hour. Not longer than what
   * ends a log moves its stations' time (an hour): of a station of which nothing more is heard, the last day would never be given.
   */
  readonly quarterEveryMs?: number;
  readonly hourEveryMs?: number;
  readonly dayEveryMs?: number;
}

const hourMs = 3_600_000;
export const loadGraceMs = dayMs;

/**
 * Load of each station by quarter of an hour, and by hour and UTC day to the outputs `hours` and `days`. Results are absolute and come as they grow:
 * when time passes a multiple of their rhythm, and once more when the day closes if they have changed since.
 *
 * Hours and days are sums over the quarters that are kept anyway, so that the three always agree. The quarters of a day close
 * together; a part for a closed one goes to `late`. Any of the three and late parts together are all that came.
 */
export function stationLoad(name: string, options: StationLoadOptions = {}): Operator<string | null, LoadPart, Windowed<string>, QuarterLoad> {
  return windowAggregate(name, tumbling({ sizeMs: quarterMs, graceMs: options.graceMs ?? loadGraceMs }), {
    key: utf8,
    aggregate: quarterLoadCodec,
    timeScope: 'key',
    initial: () => emptyQuarter,
    fold: addPart,
    emit: {
      everyMs: options.quarterEveryMs ?? quarterMs,
      rollups: {
        hours: { sizeMs: hourMs, everyMs: options.hourEveryMs ?? hourMs, combine: sumOfQuarters },
        days: { sizeMs: dayMs, everyMs: options.dayEveryMs ?? hourMs, combine: sumOfQuarters },
      },
    },
  });
}
