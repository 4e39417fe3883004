import { clickhouse, filter, mapValues } from '../engine.ts';
import type { Stream } from '../engine.ts';
import type { SessionEvent } from '../session-event.ts';
import type { LateRecord } from '../tables.ts';
import { isUsable } from './connector-interval.ts';
import type { ConnectorInterval } from './connector-interval.ts';
import type { ConnectorNow } from './connector-now.ts';
import { connectorStatus } from './connector-status.ts';
import type { ConnectorStatusOptions } from './connector-status.ts';
import { connectorsNowRow, connectorStatusRow } from './status-tables.ts';
import type { StatusTables } from './status-tables.ts';

/**
 * From the events of stations to the tables of connectors' statuses; gives what came too late for them. Outages go into a table of their own
 * beside that of all intervals, so that uptime need not read all of them.
 */
export function statusSteps(events: Stream<string, SessionEvent>, tables: StatusTables, options: ConnectorStatusOptions = {}): Stream<string, LateRecord> {
  const intervals = events.pipe(connectorStatus('connector-status', options));
  intervals.to(clickhouse(tables.connectorStatus, connectorStatusRow));
  intervals.pipe(filter((interval: ConnectorInterval) => !isUsable(interval))).to(clickhouse(tables.connectorOutages, connectorStatusRow));
  intervals.side<string, ConnectorNow>('now').to(clickhouse(tables.connectorsNow, connectorsNowRow));
  return intervals.side<string, SessionEvent>('late').pipe(mapValues(lateStatus));
}

function lateStatus({ station: _station, ...event }: SessionEvent): LateRecord {
  return { step: 'connector-status', number: 0, stationId: event.stationId, eventId: event.eventId, energyWh: 0, json: JSON.stringify(event) };
}
