/**
 * What an event changes in what is known of its station's load: a span of time in which a connector was occupied, may have
 * charged and drew energy, or the taking back of such a span (signs turned) when it is known better. The sum of all changes of
 * a session is what its row says: energy to the mWh, occupied and charging time to the ms.
 *
 * Every event of a station gives at least one change, if an empty one, so that the windows behind see the station's time. The
 * record's timestamp is the event's own time, whenever what it tells of happened.
 */
export interface LoadChange {
  readonly stationId: string;
  /** The event that brought it about, and its place among this event's changes, from 0. */
  readonly eventId: string;
  readonly part: number;
  /** `[fromMs, toMs)`; both the same for what happens at a moment. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Whole mWh, spread evenly over the span; negative when taken back. */
  readonly energyMilliWh: number;
  /** 1: the span is one of a connected vehicle; -1: it is no longer taken for one; 0: says nothing. */
  readonly occupied: -1 | 0 | 1;
  /** The same of energy flowing. */
  readonly charging: -1 | 0 | 1;
  /** Meter values taken in; at the time of the event, as the power and the errors. */
  readonly samples: number;
  /** Highest power that the event reports, in W. */
  readonly powerW: number | null;
  /** At `fromMs`; -1 takes one back that was counted at another time. */
  readonly sessionsStarted: number;
  readonly sessionsEnded: number;
  readonly errors: number;
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
  /** Of the station's version that gave these facts, -1 without one: the newest version's facts stand on a row. */
  readonly stationValidFromMs: number;
}
