import { energyUntil, minuteMs, quarterMs } from './split-load.ts';
import type { LoadPart } from './split-load.ts';

/** Sums and peaks of a station's load in some time. */
export interface LoadSums {
  /** In whole mWh and ms, so that the order in which changes come makes no difference. */
  readonly energyMilliWh: number;
  /** Of all connectors together. */
  readonly occupiedMs: number;
  readonly chargingMs: number;
  /** Energy of the minute with the most, of the whole station. */
  readonly peakMinuteMilliWh: number;
  /** Highest power that a connector has reported. What was reported once stays. */
  readonly peakPowerW: number | null;
  readonly samples: number;
  readonly sessionsStarted: number;
  readonly sessionsEnded: number;
  readonly errors: number;
  /** Of the station's newest version that any change came with. */
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly stationValidFromMs: number;
}

/** Load of a station in a quarter of an hour, and in each of its 15 minutes. */
export interface QuarterLoad extends LoadSums {
  readonly minutesMilliWh: readonly number[];
  readonly minutesOccupiedMs: readonly number[];
  readonly minutesChargingMs: readonly number[];
}

const minutes = quarterMs / minuteMs;
/** Most quarters have one of these somewhere; all of the same content are one array. */
export const none: readonly number[] = Array.from({ length: minutes }, () => 0);
export const whole: readonly number[] = Array.from({ length: minutes }, () => minuteMs);

export const emptyQuarter: QuarterLoad = {
  energyMilliWh: 0, occupiedMs: 0, chargingMs: 0, peakMinuteMilliWh: 0, peakPowerW: null, samples: 0, sessionsStarted: 0, sessionsEnded: 0, errors: 0,
  siteId: null, city: null, operator: null, stationValidFromMs: -2, minutesMilliWh: none, minutesOccupiedMs: none, minutesChargingMs: none,
};

/** Adds a part. Gives the very same quarter when nothing changes. Any order gives the same, as sums and highest values do. */
export function addPart(quarter: QuarterLoad, part: LoadPart): QuarterLoad {
  const { change, fromMs, toMs, hasStart, hasEvent } = part;
  const spanMs = toMs - fromMs;
  const occupied = spanMs === 0 ? 0 : change.occupied;
  const charging = spanMs === 0 ? 0 : change.charging;
  const reportedW = hasEvent ? change.powerW : null;
  const powerW = reportedW !== null && (quarter.peakPowerW === null || reportedW > quarter.peakPowerW) ? reportedW : quarter.peakPowerW;
  const samples = hasEvent ? change.samples : 0;
  const errors = hasEvent ? change.errors : 0;
  const started = hasStart ? change.sessionsStarted : 0;
  const ended = hasStart ? change.sessionsEnded : 0;
  const isNewer = change.stationValidFromMs > quarter.stationValidFromMs;
  if (part.energyMilliWh === 0 && occupied === 0 && charging === 0 && samples === 0 && errors === 0 && started === 0 && ended === 0) {
    // A power that is not the highest changes nothing but what is known of the station.
    if (reportedW === null || (powerW === quarter.peakPowerW && !isNewer)) return quarter;
  }
  const energyMilliWh = part.energyMilliWh === 0 ? quarter.minutesMilliWh : withEnergy(quarter.minutesMilliWh, part);
  const occupiedMs = occupied === 0 ? quarter.minutesOccupiedMs : withTime(quarter.minutesOccupiedMs, fromMs, toMs, occupied);
  // Where a vehicle charges whenever it is there, the two are one array.
  const isAlike = charging === occupied && quarter.minutesChargingMs === quarter.minutesOccupiedMs;
  const facts = isNewer ? change : quarter;
  return {
    energyMilliWh: quarter.energyMilliWh + part.energyMilliWh,
    occupiedMs: quarter.occupiedMs + occupied * spanMs,
    chargingMs: quarter.chargingMs + charging * spanMs,
    peakMinuteMilliWh: energyMilliWh === quarter.minutesMilliWh ? quarter.peakMinuteMilliWh : highest(energyMilliWh),
    peakPowerW: powerW,
    samples: quarter.samples + samples,
    sessionsStarted: quarter.sessionsStarted + started,
    sessionsEnded: quarter.sessionsEnded + ended,
    errors: quarter.errors + errors,
    siteId: facts.siteId, city: facts.city, operator: facts.operator, stationValidFromMs: facts.stationValidFromMs,
    minutesMilliWh: energyMilliWh,
    minutesOccupiedMs: occupiedMs,
    minutesChargingMs: isAlike ? occupiedMs : charging === 0 ? quarter.minutesChargingMs : withTime(quarter.minutesChargingMs, fromMs, toMs, charging),
  };
}

/** Sums and peaks of the quarters of an hour, a day: those that there are. */
export function sumOfQuarters(quarters: readonly LoadSums[]): LoadSums {
  let energyMilliWh = 0;
  let occupiedMs = 0;
  let chargingMs = 0;
  let peakMinuteMilliWh = 0;
  let peakPowerW: number | null = null;
  let samples = 0;
  let sessionsStarted = 0;
  let sessionsEnded = 0;
  let errors = 0;
  let facts: LoadSums = emptyQuarter;
  for (const quarter of quarters) {
    energyMilliWh += quarter.energyMilliWh;
    occupiedMs += quarter.occupiedMs;
    chargingMs += quarter.chargingMs;
    if (quarter.peakMinuteMilliWh > peakMinuteMilliWh) ({ peakMinuteMilliWh } = quarter);
    if (quarter.peakPowerW !== null && (peakPowerW === null || quarter.peakPowerW > peakPowerW)) ({ peakPowerW } = quarter);
    samples += quarter.samples;
    sessionsStarted += quarter.sessionsStarted;
    sessionsEnded += quarter.sessionsEnded;
    errors += quarter.errors;
    if (quarter.stationValidFromMs > facts.stationValidFromMs) facts = quarter;
  }
  const { siteId, city, operator, stationValidFromMs } = facts;
  return {
    energyMilliWh, occupiedMs, chargingMs, peakMinuteMilliWh, peakPowerW, samples, sessionsStarted, sessionsEnded, errors, siteId, city, operator,
    stationValidFromMs,
  };
}

/** The same values, of which all are 0 or a whole minute in an array that others have, too. */
export function settled(values: readonly number[]): readonly number[] {
  const value = values[0];
  if (value !== 0 && value !== minuteMs) return values;
  for (let at = 1; at < minutes; at += 1) if (values[at] !== value) return values;
  return value === 0 ? none : whole;
}

export function highest(values: readonly number[]): number {
  let most = 0;
  for (let at = 0; at < minutes; at += 1) if ((values[at] as number) > most) most = values[at] as number;
  return most;
}

/** Each minute has the difference of the change's energy between its end and its begin. */
function withEnergy(values: readonly number[], { change, fromMs, toMs }: LoadPart): readonly number[] {
  const changed = values.slice();
  const quarterStartMs = fromMs - (fromMs % quarterMs);
  let minute = Math.floor((fromMs - quarterStartMs) / minuteMs);
  // A moment's energy is all in one minute.
  let before = fromMs === change.fromMs ? 0 : energyUntil(change, fromMs);
  do {
    const minuteEndMs = quarterStartMs + (minute + 1) * minuteMs;
    const until = energyUntil(change, minuteEndMs < toMs ? minuteEndMs : toMs);
    changed[minute] = (changed[minute] as number) + (until - before);
    before = until;
    minute += 1;
  } while (quarterStartMs + minute * minuteMs < toMs);
  return settled(changed);
}

function withTime(values: readonly number[], fromMs: number, toMs: number, sign: number): readonly number[] {
  const changed = values.slice();
  const quarterStartMs = fromMs - (fromMs % quarterMs);
  let atMs = fromMs;
  for (let minute = Math.floor((fromMs - quarterStartMs) / minuteMs); atMs < toMs; minute += 1) {
    const minuteEndMs = quarterStartMs + (minute + 1) * minuteMs;
    const untilMs = minuteEndMs < toMs ? minuteEndMs : toMs;
    changed[minute] = (changed[minute] as number) + sign * (untilMs - atMs);
    atMs = untilMs;
  }
  return settled(changed);
}
