import type { SessionEvent } from '../session-event.ts';
import type { ConnectorStatus } from './connector-interval.ts';
import { errorCodeOf, statusNamed } from './told-status.ts';

/**
 * What a point says, in the order in which points of one moment are taken: a stop before the next start, a status after the
 * transactions around it, the loss of the connection at last. The place in the list is what is written into the state.
 */
export const pointKinds = ['restored', 'ended', 'started', 'updated', 'status', 'station-status', 'lost'] as const;
export type PointKind = (typeof pointKinds)[number];

/** Where a connector stands, as known with a point. */
export interface ConnectorPlace {
  readonly siteId: string | null;
  readonly city: string | null;
  readonly operator: string | null;
}

export const nowhere: ConnectorPlace = { siteId: null, city: null, operator: null };

/** One piece of evidence of what a connector was doing. */
export interface ConnectorPoint {
  readonly kind: number;
  readonly timeMs: number;
  /** When the back end got it: orders points of the same millisecond; -1 where nobody says. */
  readonly receivedMs: number;
  /** Of `status` and `station-status`. */
  readonly status: ConnectorStatus | null;
  readonly errorCode: string | null;
  /** Of transactions; '' for one without an id. */
  readonly transactionId: string | null;
  /** Of transactions: what a higher edition tells replaces what lower ones told. */
  readonly edition: number;
  /** Told while the station was heard, not afterwards. */
  readonly live: boolean;
  /** Of `ended`: the cable was taken out. */
  readonly unplugged: boolean;
  readonly place: ConnectorPlace;
}

export const restoredKind = pointKinds.indexOf('restored');
export const endedKind = pointKinds.indexOf('ended');
export const startedKind = pointKinds.indexOf('started');
export const updatedKind = pointKinds.indexOf('updated');
export const statusKind = pointKinds.indexOf('status');
export const stationStatusKind = pointKinds.indexOf('station-status');
export const lostKind = pointKinds.indexOf('lost');

/** The point that an event makes; `timeMs` is the event's time as the stream believes it. */
export function pointOf(event: SessionEvent, kind: number, timeMs: number, place: ConnectorPlace): ConnectorPoint {
  const isStatus = kind === statusKind || kind === stationStatusKind;
  const isTransaction = kind === endedKind || kind === startedKind || kind === updatedKind;
  return {
    kind, timeMs, receivedMs: event.receivedMs ?? -1, status: isStatus ? statusNamed(event.status ?? '') : null,
    errorCode: isStatus ? errorCodeOf(event.errorCode) : null, transactionId: isTransaction ? transactionOf(event) : null,
    edition: isTransaction ? event.edition : 0, live: !event.offline, unplugged: kind === endedKind && event.stopReason === 'EVDisconnected', place,
  };
}

/** A transaction's id; '' where none was told, or OCPP 1.6's -1 for none. */
export function transactionOf(event: SessionEvent): string {
  const { transactionId } = event;
  return transactionId === null || transactionId === '-1' ? '' : transactionId;
}

/** Order of points: by time, then as the back end got them, then by kind, then by content, so that every set has one order. */
export function comparePoints(a: ConnectorPoint, b: ConnectorPoint): number {
  return a.timeMs - b.timeMs || a.receivedMs - b.receivedMs || compareContent(a, b);
}

/** The same told twice, whenever it was received. */
export function saysTheSame(a: ConnectorPoint, b: ConnectorPoint): boolean {
  return a.timeMs === b.timeMs && compareContent(a, b) === 0;
}

function compareContent(a: ConnectorPoint, b: ConnectorPoint): number {
  return a.kind - b.kind || compareTexts(a.transactionId, b.transactionId) || a.edition - b.edition || statusOrder(a) - statusOrder(b)
    || compareTexts(a.errorCode, b.errorCode) || Number(a.live) - Number(b.live) || Number(a.unplugged) - Number(b.unplugged)
    || comparePlaces(a.place, b.place);
}

/** Of statuses told in one millisecond the last of these holds: a vehicle that left, rather than one that is still there; and trouble above all. */
const statusesByWeight: readonly (ConnectorStatus | null)[] = [null, 'Unknown', 'Occupied', 'Reserved', 'Available', 'Unavailable', 'Faulted'];

function statusOrder(point: ConnectorPoint): number {
  return statusesByWeight.indexOf(point.status);
}

function comparePlaces(a: ConnectorPlace, b: ConnectorPlace): number {
  if (a === b) return 0;
  return compareTexts(a.siteId, b.siteId) || compareTexts(a.city, b.city) || compareTexts(a.operator, b.operator);
}

function compareTexts(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}

export function samePlace(a: ConnectorPlace, b: ConnectorPlace): boolean {
  return comparePlaces(a, b) === 0;
}
