import type { ChargingEvent } from '../schemas/generated/charging-event.ts';
import type { Station } from '../schemas/generated/station.ts';

/** An event with what is known of its station at its time, and how its own time was found. */
export interface SessionEvent extends ChargingEvent {
  /** The station's record as of the event; null when the station is unknown. */
  readonly station: Station | null;
  /** `received`: the device's time was absurd, `timestampMs` is the back end's. */
  readonly clock: 'device' | 'received';
}

/** Times before this are a clock that was never set. */
export const earliestEventMs = Date.UTC(2010, 0, 1);
/** Times from here on are a broken clock, whoever says so. */
export const latestEventMs = Date.UTC(2100, 0, 1);
/** A device may be ahead of the back end by this much: clocks drift, and messages take no time. More is a wrong clock. */
export const aheadMaxMs = 600_000;
/** A message that was not kept back (`offline`) is not older than this when it is received; queues and repairs take days at most. */
export const behindMaxMs = 7 * 86_400_000;
/** Beyond this a register is broken: a thousand GWh, more than a site draws in its life. */
export const registerMaxWh = 1e9;

export type EventTime =
  | { readonly kind: 'device' | 'received'; readonly ms: number }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * When an event happened: by the device's clock, or, where that cannot be, when the back end received it.
 *
 * It cannot be before 2010 or after 2099 (a clock that was never set, or is broken); nor more than 10 minutes ahead of the
 * reception, because nothing is received before it happens, and a clock an hour ahead (local time taken for UTC) would close what is
 * still open and make the true events behind it late; nor more than 7 days behind the reception, unless the event says that it was
 * kept back (`offline`), because a clock that fell back by years would open windows and sessions long ago. Without a time to fall back
 * to, a device's time within the years is believed, and any other is unknown.
 */
export function eventTimeOf(event: ChargingEvent): EventTime {
  const { timestampMs, receivedMs } = event;
  const received = receivedMs !== null && receivedMs >= earliestEventMs && receivedMs < latestEventMs ? receivedMs : null;
  if (timestampMs >= earliestEventMs && timestampMs < latestEventMs) {
    if (received === null) return { kind: 'device', ms: timestampMs };
    const aheadMs = timestampMs - received;
    if (aheadMs <= aheadMaxMs && (event.offline || aheadMs >= -behindMaxMs)) return { kind: 'device', ms: timestampMs };
  }
  if (received !== null) return { kind: 'received', ms: received };
  return { kind: 'unknown', reason: `timestampMs ${timestampMs} is absurd, and there is no receivedMs to fall back to` };
}

/** Why an event cannot be used, or null. What is merely odd (a register below zero) goes on and is flagged later. */
export function reasonToSetAside(event: ChargingEvent, time: EventTime = eventTimeOf(event)): string | null {
  if (event.stationId === '') return 'stationId is empty';
  if (time.kind === 'unknown') return time.reason;
  if (isBelievable(event.meterWh) && isBelievable(event.meterExportWh) && isBelievable(event.powerW) && isBelievable(event.soc)) return null;
  for (const name of ['meterWh', 'meterExportWh', 'powerW', 'soc'] as const) {
    if (!isBelievable(event[name])) return `${name} ${event[name]} is not a believable number`;
  }
  return null;
}

function isBelievable(value: number | null): boolean {
  return value === null || Math.abs(value) <= registerMaxWh;
}
