import { json, utf8 } from '../../../schemas/builtin-codecs.ts';
import { clickhouse, logTopic, Topology } from '../../engine.ts';
import type { DeadLetter } from '../../engine.ts';
import type { SessionEvent } from '../../session-event.ts';
import type { ConnectorInterval } from '../connector-interval.ts';
import type { ConnectorNow } from '../connector-now.ts';
import { connectorStatus } from '../connector-status.ts';
import type { ConnectorStatusOptions } from '../connector-status.ts';

/** `connectorStatus` alone in a topology, with a sink for each of its outputs. */
export function statusAlone(options: ConnectorStatusOptions = {}): Topology {
  const topology = new Topology('status-alone');
  topology.deadLetters(clickhouse<string, DeadLetter, { readonly reason: string }>(
    { database: 'd', table: 'dead', columns: { reason: 'String' }, partitionOf: () => '' }, ({ reason }) => ({ reason })));
  const form = { key: utf8, value: json<SessionEvent>('event') };
  const intervals = topology.stream('events', { ...form, timestampOf: (event: SessionEvent) => event.timestampMs }).pipe(connectorStatus('status', options));
  intervals.to(logTopic('intervals', { key: utf8, value: json<ConnectorInterval>('interval') }));
  intervals.side<string, ConnectorNow>('now').to(logTopic('now', { key: utf8, value: json<ConnectorNow>('now') }));
  intervals.side<string, SessionEvent>('late').to(logTopic('late', form));
  return topology;
}

/** What is needed of a `TopologyTestDriver`: it lies behind the wall of this folder. */
interface Driver {
  push(topic: string, key: string, value: SessionEvent, timestampMs: number): void;
  take<K, V>(sink: string): readonly { readonly key: K; readonly value: V }[];
}

/** A driver of `statusAlone` with what comes out of it by name. */
export function driving<D extends Driver>(driver: D) {
  const values = <V>(sink: string): readonly V[] => driver.take<string, V>(sink).map(({ value }) => value);
  return {
    driver,
    push: (...events: readonly SessionEvent[]): void => {
      for (const event of events) driver.push('events', event.stationId, event, event.timestampMs);
    },
    intervals: () => values<ConnectorInterval>('intervals'),
    now: () => values<ConnectorNow>('now'),
    late: () => values<SessionEvent>('late'),
  };
}

/** An interval as the view of both tables has it; null: it lasts. */
export interface SeenInterval extends Omit<ConnectorInterval, 'toMs'> {
  readonly toMs: number | null;
}

/** What tables that replace rows by key say in the end: spans with a length, and those that last, by connector and time. */
export class IntervalTable {
  readonly #rows = new Map<string, ConnectorInterval>();
  readonly #now = new Map<string, ConnectorNow>();

  take(rows: readonly ConnectorInterval[], now: readonly ConnectorNow[] = []): this {
    for (const row of rows) this.#rows.set(`${nameOf(row)}/${row.fromMs}`, row);
    for (const row of now) this.#now.set(nameOf(row), row);
    return this;
  }

  get rows(): readonly SeenInterval[] {
    const ended = [...this.#rows.values()].filter(({ fromMs, toMs }) => toMs > fromMs);
    return [...ended, ...Array.from(this.#now.values(), lasting)].sort((a, b) =>
      a.stationId.localeCompare(b.stationId) || a.evseId - b.evseId || a.connectorId - b.connectorId || a.fromMs - b.fromMs);
  }
}

function nameOf({ stationId, evseId, connectorId }: ConnectorInterval | ConnectorNow): string {
  return `${stationId}/${evseId}.${connectorId}`;
}

function lasting({ firstMs: _firstMs, sinceMs, transactionId: _transactionId, stayTransactionId, ...standing }: ConnectorNow): SeenInterval {
  return { ...standing, fromMs: sinceMs, toMs: null, transactionId: stayTransactionId };
}
