import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import type { OutletDescription, SessionLogMapping, SessionLogRow } from './mapping.ts';
import { outletOf } from './read-session-log.ts';

/** Between two meter values while charging. */
export const sampleEveryMs = 300_000;

/** From a station's last event to the heartbeat that closes what is open there: longer than settling, and enough for each of its quarters, hours and days to be given. */
export const closingMs = 3_600_000;

/**
 * Expands the rows of a session log into the events that the chargers would have sent, sorted by time; deterministic, and
 * each row's events depend on that row alone (so that a grown or corrected log changes no other event).
 *
 * A row becomes: StatusChanged Occupied and TransactionStarted at its start; a TransactionUpdated every 5 minutes of charging;
 * one more with SuspendedEV when the vehicle is full before it leaves; TransactionEnded and StatusChanged Available at its
 * stop. Charging takes energy / power of the outlet, at most the stay; energy grows evenly over it. The register counts the
 * session (0 at the start), in whole Wh between and exactly the row's energy at the end.
 *
 * Broken rows are expanded as they are: no stop gives no end events, a stop before the start gives an end before the start, a
 * negative energy gives a register below zero. Energy that is unknown leaves the final register out.
 *
 * At equal times what ends comes before what starts, so that back-to-back sessions do not overlap; sessions without length
 * come whole between the two. At its end each station sends one Heartbeat: `closingMs` after its own last event, or at the log's
 * last start when that is later. Until then the log knows of every session; beyond it rows may still come.
 *
 * `editionOf` says which edition of a row this is: a corrected row keeps its transaction, and its events have ids of their own, are numbered
 * from 0 again, and replace all that earlier editions said. `heardOf`: until when its stations were heard of before. Where a
 * corrected row has no stop, its station's Heartbeat comes later than that: only time can tell then that no more is said.
 */
export function* expandSessionLog(
  rows: readonly SessionLogRow[],
  mapping: SessionLogMapping,
  editionOf: (row: SessionLogRow) => RowEdition = () => firstEdition,
  heardOf: (stationId: string) => number = () => 0,
): Generator<ChargingEvent> {
  const ordered = [
    ...rows.map((row) => ({ firstMs: firstMsOf(row), stationId: row.stationId, rowId: row.rowId, events: () => expandRow(row, mapping, editionOf(row)) })),
    ...heartbeats(heardUntil(rows, editionOf, heardOf), mapping),
  ].sort((a, b) => a.firstMs - b.firstMs || compareText(a.stationId, b.stationId) || compareText(a.rowId, b.rowId));
  const heap = new CursorHeap();
  let place = 0;
  for (let next = 0; next < ordered.length || heap.size > 0;) {
    const entry = ordered[next];
    const lowest = heap.lowest;
    if (entry !== undefined && (lowest === null || entry.firstMs <= lowest.timeMs)) {
      heap.push(new Cursor(entry.events(), place));
      place += 1;
      next += 1;
    } else {
      yield heap.take();
    }
  }
}

/** Which edition of a row is expanded. */
export interface RowEdition {
  /** 0 for the row as it came first, one more for each correction: part of the events' ids. */
  readonly revision: number;
  /** The same, but for corrections of what nobody could have believed: nothing is known yet that they could replace. */
  readonly edition: number;
}

const firstEdition: RowEdition = { revision: 0, edition: 0 };

interface Placed {
  readonly event: ChargingEvent;
  /** Order at equal times: 0 what ends, 1 sessions without length, 2 what starts. */
  readonly rank: 0 | 1 | 2;
}

/** The events of one row in order of time. */
export function expandRow(row: SessionLogRow, mapping: SessionLogMapping, edition: RowEdition = firstEdition): readonly Placed[] {
  const placed: Placed[] = [];
  const noLength = row.startMs === row.stopMs;
  let number = 0;
  let seqNo = 0;
  const name = edition.revision === 0 ? `${mapping.name}-${row.rowId}` : `${mapping.name}-${row.rowId}-r${edition.revision}`;
  const base = {
    stationId: row.stationId, evseId: row.connectorId, connectorId: row.connectorId,
    idToken: row.idToken, vehicleModel: row.vehicleModel, edition: edition.edition,
  };
  const add = (rank: 0 | 1 | 2, timestampMs: number, fields: Partial<ChargingEvent>): void => {
    const eventId = `${name}-${number}`;
    number += 1;
    placed.push({ event: { ...emptyEvent, ...base, eventId, timestampMs, ...fields }, rank: noLength ? 1 : rank });
  };
  const transaction = (type: ChargingEvent['type'], fields: Partial<ChargingEvent>): Partial<ChargingEvent> => {
    seqNo += 1;
    return { type, transactionId: row.rowId, seqNo: seqNo - 1, ...fields };
  };
  if (row.startMs !== null) {
    add(2, row.startMs, { ...status('Occupied'), errorCode: 'NoError' });
    add(2, row.startMs, transaction('TransactionStarted', {
      meterWh: 0, soc: row.socFrom, chargingState: 'EVConnected', triggerReason: 'CablePluggedIn',
    }));
  }
  for (const sample of samplesOf(row, outletOf(mapping, row.model))) {
    add(0, sample.timestampMs, transaction('TransactionUpdated', sample));
  }
  if (row.stopMs !== null) {
    add(0, row.stopMs, transaction('TransactionEnded', {
      meterWh: row.energyWh, soc: row.socTo, chargingState: 'Idle', triggerReason: 'EVDeparted', stopReason: 'EVDisconnected',
    }));
    add(0, row.stopMs, { ...status('Available'), errorCode: 'NoError' });
  }
  // Only a stop before its start is out of order here; a stable sort keeps everything else as it is.
  return placed.sort((a, b) => a.event.timestampMs - b.event.timestampMs);
}

interface Sample {
  readonly timestampMs: number;
  readonly meterWh: number;
  readonly powerW: number;
  readonly chargingState: 'Charging' | 'SuspendedEV';
  readonly triggerReason: string;
}

function* samplesOf(row: SessionLogRow, outlet: OutletDescription | null): Generator<Sample> {
  const { startMs, stopMs, energyWh } = row;
  if (startMs === null || stopMs === null || energyWh === null || outlet === null || energyWh <= 0 || stopMs <= startMs) return;
  const wantedMs = Math.round((energyWh / outlet.powerMaxW) * 3600) * 1000;
  const chargingMs = Math.min(Math.max(wantedMs, 1000), stopMs - startMs);
  const powerW = Math.round((energyWh * 3_600_000) / chargingMs);
  for (let afterMs = sampleEveryMs; afterMs < chargingMs; afterMs += sampleEveryMs) {
    const meterWh = Math.floor((energyWh * afterMs) / chargingMs);
    yield { timestampMs: startMs + afterMs, meterWh, powerW, chargingState: 'Charging', triggerReason: 'MeterValuePeriodic' };
  }
  if (startMs + chargingMs < stopMs) {
    const timestampMs = startMs + chargingMs;
    yield { timestampMs, meterWh: energyWh, powerW: 0, chargingState: 'SuspendedEV', triggerReason: 'ChargingStateChanged' };
  }
}

/** Until when each station is heard of, its closing heartbeat included. */
export function heardUntil(
  rows: readonly SessionLogRow[], editionOf: (row: SessionLogRow) => RowEdition, heardOf: (stationId: string) => number,
): ReadonlyMap<string, number> {
  const closing = new Map<string, number>();
  let lastStartMs = 0;
  for (const row of rows) {
    const lastMs = Math.max(row.startMs ?? 0, row.stopMs ?? 0, row.stopMs === null && editionOf(row).edition > 0 ? heardOf(row.stationId) : 0);
    closing.set(row.stationId, Math.max(closing.get(row.stationId) ?? 0, lastMs + closingMs));
    lastStartMs = Math.max(lastStartMs, row.startMs ?? 0);
  }
  return new Map([...closing].map(([stationId, untilMs]) => [stationId, Math.max(untilMs, lastStartMs)]));
}

function heartbeats(until: ReadonlyMap<string, number>, mapping: SessionLogMapping) {
  return [...until].map(([stationId, timestampMs]) => {
    const event: ChargingEvent = { ...emptyEvent, eventId: `${mapping.name}-heartbeat-${stationId}-${timestampMs}`, stationId, timestampMs };
    return { firstMs: timestampMs, stationId, rowId: '', events: (): readonly Placed[] => [{ event, rank: 2 }] };
  });
}

const emptyEvent: ChargingEvent = {
  eventId: '', type: 'Heartbeat', stationId: '', evseId: 1, connectorId: 1, timestampMs: 0, receivedMs: null,
  transactionId: null, seqNo: null, offline: false, idToken: null, partner: null, vehicleModel: null, meterWh: null,
  meterExportWh: null, powerW: null, soc: null, chargingState: null, status: null, errorCode: null, triggerReason: null,
  stopReason: null, edition: 0,
};

function status(name: string): Partial<ChargingEvent> {
  return { type: 'StatusChanged', status: name };
}

function firstMsOf(row: SessionLogRow): number {
  return Math.min(row.startMs ?? Infinity, row.stopMs ?? Infinity);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** One row's events and how far they have been taken. */
class Cursor {
  readonly #events: readonly Placed[];
  readonly #place: number;
  #index = 0;

  constructor(events: readonly Placed[], place: number) {
    this.#events = events;
    this.#place = place;
  }

  get timeMs(): number {
    return this.#head?.event.timestampMs ?? Infinity;
  }

  get done(): boolean {
    return this.#index >= this.#events.length;
  }

  get #head(): Placed | undefined {
    return this.#events[this.#index];
  }

  take(): ChargingEvent {
    const event = this.#events[this.#index]?.event ?? emptyEvent;
    this.#index += 1;
    return event;
  }

  before(other: Cursor): boolean {
    const difference = this.timeMs - other.timeMs || (this.#head?.rank ?? 0) - (other.#head?.rank ?? 0);
    return difference === 0 ? this.#place < other.#place : difference < 0;
  }
}

/** Sessions under way, the one with the earliest next event on top: memory holds those only, not the whole log's events. */
class CursorHeap {
  readonly #cursors: Cursor[] = [];

  get size(): number {
    return this.#cursors.length;
  }

  get lowest(): Cursor | null {
    return this.#cursors[0] ?? null;
  }

  push(cursor: Cursor): void {
    if (cursor.done) return;
    this.#cursors.push(cursor);
    let index = this.#cursors.length - 1;
    while (index > 0 && cursor.before(this.#at((index - 1) >> 1))) {
      this.#cursors[index] = this.#at((index - 1) >> 1);
      index = (index - 1) >> 1;
    }
    this.#cursors[index] = cursor;
  }

  take(): ChargingEvent {
    const top = this.#at(0);
    const event = top.take();
    if (top.done) {
      const last = this.#cursors.pop();
      if (last === undefined || last === top) return event;
      this.#cursors[0] = last;
    }
    this.#sink();
    return event;
  }

  #sink(): void {
    const cursor = this.#at(0);
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= this.#cursors.length) break;
      if (child + 1 < this.#cursors.length && this.#at(child + 1).before(this.#at(child))) child += 1;
      if (!this.#at(child).before(cursor)) break;
      this.#cursors[index] = this.#at(child);
      index = child;
    }
    this.#cursors[index] = cursor;
  }

  #at(index: number): Cursor {
    return this.#cursors[index] as Cursor;
  }
}
