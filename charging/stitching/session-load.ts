import type { Emit, StreamRecord } from '../engine.ts';
import type { LoadChange } from '../load/load-change.ts';
import type { SessionEvent } from '../session-event.ts';
import type { AppendedPoint, Segment } from './read-registers.ts';
import { endOf, segmentsOf } from './session-reading.ts';
import { startOf } from './session-state.ts';
import type { SessionState } from './session-state.ts';

/** What the load of a station was told of a session. */
export interface GivenLoad {
  readonly segments: readonly Segment[];
  /** Null: not counted. */
  readonly startMs: number | null;
  readonly endMs: number | null;
}

const nothingGiven: GivenLoad = { segments: [], startMs: null, endMs: null };

/** What is given of a session as it stands; undefined: of one that is not there. */
export function givenOf(state: SessionState | undefined): GivenLoad {
  if (state === undefined || state.mergedInto !== null) return nothingGiven;
  return { segments: segmentsOf(state), startMs: startOf(state), endMs: endOf(state) };
}

/** What `opened` gives of a session. */
export function givenAtOpening(startMs: number): GivenLoad {
  return { segments: nothingGiven.segments, startMs, endMs: null };
}

/** What a change belongs to: the event that brings it about, and its station. */
interface Cause {
  readonly stationId: string;
  readonly eventId: string;
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  readonly stationValidFromMs: number;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

/**
 * Sends what an event changes in the load of its station, as `LoadChange`s numbered from 0. Their timestamp is the time of the
 * event, whenever what they tell of happened.
 */
export class LoadOutput {
  readonly #emit: Emit<StreamRecord<string, LoadChange>>;
  /** Overwritten for each event. */
  readonly #cause: Writable<Cause> = { stationId: '', eventId: '', siteId: null, city: null, operator: null, stationValidFromMs: -1 };
  #timestampMs = 0;
  #part = 0;

  constructor(emit: Emit<StreamRecord<string, LoadChange>>) {
    this.#emit = emit;
  }

  /** What follows is brought about by this event. */
  begin(event: SessionEvent): void {
    const { station } = event;
    const cause = this.#cause;
    cause.stationId = event.stationId;
    cause.eventId = event.eventId;
    cause.siteId = station === null ? null : station.siteId;
    cause.city = station === null ? null : station.city;
    cause.operator = station === null ? null : station.operator;
    cause.stationValidFromMs = station === null ? -1 : station.validFromMs;
    this.#timestampMs = event.timestampMs;
    this.#part = 0;
  }

  /** What follows is brought about by something else: a station that became known, or idle time. */
  beginWith(cause: Cause, timestampMs: number): void {
    Object.assign(this.#cause, cause);
    this.#timestampMs = timestampMs;
    this.#part = 0;
  }

  /** The event under way itself: an error, or nothing but its time. */
  event(event: SessionEvent): void {
    this.#send(event.timestampMs, event.timestampMs, 0, 0, 0, 0, null, 0, 0, errorsOf(event));
  }

  /** The event under way when it says nothing new: only its time. */
  repeated(event: SessionEvent): void {
    this.#send(event.timestampMs, event.timestampMs, 0, 0, 0, 0, null, 0, 0, 0);
  }

  /** The event under way, taken in: its meter value, too. */
  taken(event: SessionEvent): void {
    const { timestampMs } = event;
    this.#send(timestampMs, timestampMs, 0, 0, 0, event.meterWh === null ? 0 : 1, event.powerW, 0, 0, errorsOf(event));
  }

  /** The same of one that opens a session, which begins with it. */
  opened(event: SessionEvent): void {
    const { timestampMs } = event;
    this.#send(timestampMs, timestampMs, 0, 0, 0, event.meterWh === null ? 0 : 1, event.powerW, 1, 0, errorsOf(event));
  }

  /** The meter value of an event that had waited. */
  waited(event: SessionEvent): void {
    const { timestampMs, meterWh, powerW } = event;
    if (meterWh !== null || powerW !== null) this.#send(timestampMs, timestampMs, 0, 0, 0, meterWh === null ? 0 : 1, powerW, 0, 0, 0);
  }

  /** The usual case: a point behind the others, with the event itself in the first change. */
  appended(event: SessionEvent, point: AppendedPoint, ended: boolean): void {
    for (const segment of point.removed) this.#segment(segment, -1);
    const samples = event.meterWh === null ? 0 : 1;
    const { added } = point;
    const last = added.length - 1;
    for (let at = 0; at < last; at += 1) this.#segment(added[at] as Segment, 1);
    const { timestampMs } = event;
    if (last < 0) {
      this.#send(timestampMs, timestampMs, 0, 0, 0, samples, event.powerW, 0, 0, errorsOf(event));
    } else {
      const { fromMs, toMs, energyMilliWh, charging } = added[last] as Segment;
      const occupied = fromMs < toMs ? 1 : 0;
      this.#send(fromMs, toMs, energyMilliWh, occupied, charging ? occupied : 0, samples, event.powerW, 0, 0, errorsOf(event));
    }
    if (ended) this.#moment(timestampMs, 0, 1);
  }

  /** Takes back what no longer holds of a session, and gives what holds now. */
  changed(before: GivenLoad, after: GivenLoad): void {
    if (before.startMs !== after.startMs) {
      if (before.startMs !== null) this.#moment(before.startMs, -1, 0);
      if (after.startMs !== null) this.#moment(after.startMs, 1, 0);
    }
    if (before.endMs !== after.endMs) {
      if (before.endMs !== null) this.#moment(before.endMs, 0, -1);
      if (after.endMs !== null) this.#moment(after.endMs, 0, 1);
    }
    const { segments: old } = before;
    const { segments: now } = after;
    if (old === now) return;
    let same = 0;
    while (same < old.length && same < now.length && isSame(old[same] as Segment, now[same] as Segment)) same += 1;
    let oldEnd = old.length;
    let nowEnd = now.length;
    while (oldEnd > same && nowEnd > same && isSame(old[oldEnd - 1] as Segment, now[nowEnd - 1] as Segment)) {
      oldEnd -= 1;
      nowEnd -= 1;
    }
    for (let at = same; at < oldEnd; at += 1) this.#segment(old[at] as Segment, -1);
    for (let at = same; at < nowEnd; at += 1) this.#segment(now[at] as Segment, 1);
  }

  #segment({ fromMs, toMs, energyMilliWh, charging }: Segment, sign: -1 | 1): void {
    const occupied = fromMs < toMs ? sign : 0;
    if (occupied === 0 && energyMilliWh === 0) return;
    this.#send(fromMs, toMs, energyMilliWh === 0 ? 0 : sign * energyMilliWh, occupied, charging ? occupied : 0, 0, null, 0, 0, 0);
  }

  #moment(timeMs: number, sessionsStarted: number, sessionsEnded: number): void {
    this.#send(timeMs, timeMs, 0, 0, 0, 0, null, sessionsStarted, sessionsEnded, 0);
  }

  #send(
    fromMs: number, toMs: number, energyMilliWh: number, occupied: -1 | 0 | 1, charging: -1 | 0 | 1, samples: number,
    powerW: number | null, sessionsStarted: number, sessionsEnded: number, errors: number,
  ): void {
    const { stationId, eventId, siteId, city, operator, stationValidFromMs } = this.#cause;
    const part = this.#part;
    this.#part = part + 1;
    this.#emit({
      key: stationId,
      value: {
        stationId, eventId, part, fromMs, toMs, energyMilliWh, occupied, charging, samples, powerW, sessionsStarted, sessionsEnded, errors,
        siteId, city, operator, stationValidFromMs,
      },
      timestampMs: this.#timestampMs,
    });
  }
}

function isSame(a: Segment, b: Segment): boolean {
  return a.fromMs === b.fromMs && a.toMs === b.toMs && a.energyMilliWh === b.energyMilliWh && a.charging === b.charging;
}

function errorsOf(event: SessionEvent): number {
  const { errorCode } = event;
  return errorCode === null || errorCode === 'NoError' ? 0 : 1;
}
