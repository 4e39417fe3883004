import type { SessionEvent } from '../../session-event.ts';
import type { ConnectorInterval } from '../connector-interval.ts';
import type { SeenInterval } from './drive-status.ts';

/**
 * Another reading of the rules of docs/connector-status.md, for tests: from all events at once, at every moment anew from the very first,
 * with nothing remembered in between.
 */
export function naiveIntervals(events: readonly SessionEvent[]): readonly SeenInterval[] {
  const connectors = new Map<string, readonly SessionEvent[]>();
  for (const { evseId, connectorId } of events) {
    if (evseId < 1 || connectorId < 1 || connectors.has(`${evseId}.${connectorId}`)) continue;
    const own = events.filter((event) => isOfStation(event) || (event.evseId === evseId && event.connectorId === connectorId));
    if (own.some((event) => !isOfStation(event) && event.type !== 'Heartbeat')) connectors.set(`${evseId}.${connectorId}`, own);
  }
  return [...connectors].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, own]) => connectorIntervals(name, own));
}

const weights = ['ConnectionRestored', 'TransactionEnded', 'TransactionStarted', 'TransactionUpdated', 'StatusChanged', 'StationStatus', 'ConnectionLost'];
const meaning: Readonly<Record<string, ConnectorInterval['status']>> = {
  Available: 'Available', Occupied: 'Occupied', Preparing: 'Occupied', Charging: 'Occupied', Finishing: 'Occupied', Reserved: 'Reserved',
  Unavailable: 'Unavailable', Faulted: 'Faulted',
};
const heaviness = ['Unknown', 'Occupied', 'Reserved', 'Available', 'Unavailable', 'Faulted'];

function isOfStation(event: SessionEvent): boolean {
  return event.type.startsWith('Connection') || (event.type === 'StatusChanged' && (event.evseId === 0 || event.connectorId === 0));
}

function weightOf(event: SessionEvent): number {
  return weights.indexOf(event.type === 'StatusChanged' && isOfStation(event) ? 'StationStatus' : event.type);
}

function meaningOf(event: SessionEvent): ConnectorInterval['status'] {
  return meaning[event.status ?? ''] ?? 'Unknown';
}

function textOf(event: SessionEvent): string {
  const transaction = event.type.startsWith('Transaction');
  const isStatus = event.type === 'StatusChanged';
  return [
    String(weightOf(event)), transaction ? event.transactionId : '', transaction ? event.edition : '', isStatus ? heaviness.indexOf(meaningOf(event)) : '',
    isStatus ? event.errorCode : '', event.offline ? '0' : '1', event.type === 'TransactionEnded' && event.stopReason === 'EVDisconnected' ? '1' : '0',
  ].join('/');
}

/** Events of a connector and its station that say something, each once, in order. */
function evidence(events: readonly SessionEvent[]): readonly SessionEvent[] {
  const received = (event: SessionEvent): number => event.receivedMs ?? -1;
  const isBefore = (a: SessionEvent, b: SessionEvent): number =>
    a.timestampMs - b.timestampMs || received(a) - received(b) || (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0);
  const sorted = events.filter((event) => event.type !== 'Heartbeat' && (isOfStation(event) || event.connectorId > 0)).sort(isBefore);
  const once = sorted.filter((event, index) => !sorted.slice(0, index).some((other) => other.timestampMs === event.timestampMs && textOf(other) === textOf(event)));
  const newest = once.filter((event) => !event.type.startsWith('Transaction')
    || !once.some((other) => other.type.startsWith('Transaction') && other.transactionId === event.transactionId && other.edition > event.edition));
  return newest.filter((event, index) => {
    const earlier = newest.slice(0, index).filter((other) => other.type.startsWith('Transaction') && other.transactionId === event.transactionId);
    if (event.type === 'TransactionUpdated') return earlier.length === 0;
    return event.type !== 'TransactionStarted' || !earlier.some((other) => other.type === 'TransactionEnded');
  });
}

type Moment = Pick<ConnectorInterval, 'status' | 'online' | 'errorCode'> & { readonly open: string | null; readonly last: SessionEvent };

function connectorIntervals(name: string, events: readonly SessionEvent[]): readonly SeenInterval[] {
  const told = evidence(events);
  const times = [...new Set(told.map(({ timestampMs }) => timestampMs))];
  const [evseId = 0, connectorId = 0] = name.split('.').map(Number);
  const found: SeenInterval[] = [];
  for (const timeMs of times) {
    const moment = momentOf(told, timeMs, found);
    if (moment === null) continue;
    const before = found.at(-1);
    const { status, online, errorCode, open, last } = moment;
    const goesOn = before !== undefined && before.status === status && before.online === online && before.errorCode === errorCode
      && (open === null || before.transactionId === null || open === before.transactionId);
    if (goesOn) {
      found[found.length - 1] = { ...before, transactionId: before.transactionId ?? open };
      continue;
    }
    if (before !== undefined) found[found.length - 1] = { ...before, toMs: timeMs };
    const source = last.type.startsWith('Connection') ? 'connection' : last.type.startsWith('Transaction') ? 'transaction' : 'status';
    found.push({
      stationId: last.stationId, evseId, connectorId, fromMs: timeMs, toMs: null, status, online, errorCode, source, transactionId: open,
      siteId: last.station?.siteId ?? null, city: last.station?.city ?? null, operator: last.station?.operator ?? null,
    });
  }
  return found;
}

interface Known {
  readonly status: ConnectorInterval['status'];
  readonly code: string | null;
  readonly byStatus: boolean;
}

/** How things stand at a moment, from everything that was told up to it. */
function momentOf(all: readonly SessionEvent[], timeMs: number, before: readonly SeenInterval[]): Moment | null {
  let known = null as Known | null;
  let open: string | null = null;
  let lostAt: number | null = null;
  let replayed = false;
  let whole: { readonly status: 'Faulted' | 'Unavailable'; readonly code: string | null } | null = null;
  const told = all.filter((event) => event.timestampMs <= timeMs);
  for (const event of told) {
    // The vehicle of the interval that was there before this event's time.
    const stay = before.findLast((interval) => interval.fromMs < event.timestampMs)?.transactionId ?? null;
    if (event.type === 'ConnectionRestored') lostAt = null;
    else if (event.type === 'ConnectionLost') {
      replayed = lostAt === null ? false : replayed;
      lostAt ??= event.timestampMs;
    } else if (event.type === 'StatusChanged' && isOfStation(event)) {
      const status = meaningOf(event);
      whole = status === 'Faulted' || status === 'Unavailable' ? { status, code: event.errorCode } : null;
    } else {
      if (event.type === 'StatusChanged') {
        const status = meaningOf(event);
        known = { status, code: event.errorCode, byStatus: status === 'Occupied' };
        if (status === 'Available' || status === 'Reserved') open = null;
      } else if (event.type === 'TransactionEnded') {
        if (open === null || open === event.transactionId) {
          open = null;
          const stays = known !== null && (known.status !== 'Occupied' || (known.byStatus && event.stopReason !== 'EVDisconnected'));
          if (!stays) known = { status: 'Available', code: null, byStatus: false };
        }
      } else {
        const wasOccupied: boolean = known?.status === 'Occupied';
        const sameVehicle = wasOccupied && (stay === null || stay === event.transactionId);
        known = { status: 'Occupied', code: wasOccupied ? known?.code ?? null : null, byStatus: sameVehicle && known?.byStatus === true };
        open = event.transactionId;
      }
      if (lostAt !== null && event.offline) replayed = true;
      else if (lostAt !== null && event.timestampMs >= lostAt + 60_000) lostAt = null;
    }
  }
  const last = told.at(-1);
  if (known === null || last === undefined) return null;
  const online = lostAt === null;
  if (!online && !replayed) return { status: 'Unknown', online, errorCode: null, open, last };
  return { status: whole?.status ?? known.status, online, errorCode: whole === null ? known.code : whole.code, open, last };
}
