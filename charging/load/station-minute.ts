import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { tumbling, windowAggregate } from '../engine.ts';
import type { Operator, Windowed } from '../engine.ts';
import type { LoadChange } from './meter-deltas.ts';

/** Load of a station in one minute. */
export interface StationLoad {
  /** In whole mWh, so that the order in which changes come makes no difference. */
  readonly energyMilliWh: number;
  readonly samples: number;
  readonly peakPowerW: number | null;
  readonly sessionsStarted: number;
  readonly sessionsEnded: number;
  readonly errors: number;
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly stationValidFromMs: number;
}

export const emptyLoad: StationLoad = {
  energyMilliWh: 0, samples: 0, peakPowerW: null, sessionsStarted: 0, sessionsEnded: 0, errors: 0, siteId: null, city: null,
  operator: null, stationValidFromMs: -2,
};

/** Sums and highest values only: any order gives the same. The station's facts are those of its newest version. */
export function addToLoad(load: StationLoad, change: LoadChange): StationLoad {
  const facts = change.stationValidFromMs > load.stationValidFromMs ? change : load;
  return {
    energyMilliWh: load.energyMilliWh + change.energyMilliWh,
    samples: load.samples + change.samples,
    peakPowerW: change.powerW === null ? load.peakPowerW : Math.max(change.powerW, load.peakPowerW ?? change.powerW),
    sessionsStarted: load.sessionsStarted + change.sessionsStarted,
    sessionsEnded: load.sessionsEnded + change.sessionsEnded,
    errors: load.errors + change.errors,
    siteId: facts.siteId,
    city: facts.city,
    operator: facts.operator,
    stationValidFromMs: facts.stationValidFromMs,
  };
}

/** True for minutes that only an event without any load (a heartbeat, a status) fell into. */
export function isIdle(load: StationLoad): boolean {
  return load.energyMilliWh === 0 && load.samples === 0 && load.sessionsStarted === 0 && load.sessionsEnded === 0 && load.errors === 0;
}

/** True for changes that change nothing; they only carry the time. */
export function changesNothing(change: LoadChange): boolean {
  return change.energyMilliWh === 0 && change.samples === 0 && change.sessionsStarted === 0 && change.sessionsEnded === 0 && change.errors === 0;
}

export interface StationMinuteOptions {
  /** Default 5 minutes. */
  readonly graceMs?: number;
}

/**
 * Load of each station, minute by minute, each minute once, when the station's own time has passed its end plus grace. A
 * change for a minute that has closed goes to `late`: minutes and late changes together are all the energy there was.
 */
export function stationMinute(name: string, options: StationMinuteOptions = {}): Operator<string, LoadChange, Windowed<string>, StationLoad> {
  return windowAggregate(name, tumbling({ sizeMs: 60_000, graceMs: options.graceMs ?? 300_000 }), {
    key: utf8, aggregate: json<StationLoad>('station-load.v1'), emit: 'final', timeScope: 'key',
    initial: () => emptyLoad, fold: addToLoad,
  });
}
