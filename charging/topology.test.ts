import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../runtime/testing/index.ts';
import { avroCodec } from '../schemas/avro-codec.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { chargingEvent } from '../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../schemas/generated/charging-event.ts';
import type { ChargingSession } from '../schemas/generated/charging-session.ts';
import type { Station } from '../schemas/generated/station.ts';
import { dundeeFiles } from './session-log/dundee-files.ts';
import { dundeeMapping } from './session-log/dundee.mapping.ts';
import { expandSessionLog } from './session-log/expand.ts';
import type { SessionLogRow } from './session-log/mapping.ts';
import { readSessionLogs } from './session-log/read-session-log.ts';
import { stationsOf } from './session-log/stations.ts';
import type { DeadLetterTableRow, LateTableRow, SessionTableRow } from './tables.ts';
import type { HourTableRow } from './load/load-tables.ts';
import { charging, days, hours, minutes, station, ten } from './testing/events.ts';
import { chargingTopology, eventsTopic, sessionsTopic, stationsTopic } from './topology.ts';

function drive(stations: readonly Station[], commit: 'each' | 'manual' = 'manual') {
  const driver = new TopologyTestDriver(chargingTopology(), { commit });
  for (const one of stations) driver.push(stationsTopic, one.stationId, one, one.validFromMs);
  const rows = <Row>(sink: string): readonly Row[] => {
    driver.commit();
    return driver.take<unknown, Row>(sink).map((record) => record.value);
  };
  return {
    driver,
    push: (events: Iterable<ChargingEvent>) => { for (const event of events) driver.push(eventsTopic, event.stationId, event, event.timestampMs); },
    sessions: () => rows<SessionTableRow>('charging_sessions'),
    /** The newest row of each hour, in the order of stations and times. */
    hours: () => [...new Map(rows<HourTableRow>('station_hours').map((row) => [`${String(row.station_id)}/${String(row.hour)}`, row])).entries()]
      .sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => ({ ...row, energy_wh: Number(row.energy_milli_wh) / 1000 })),
    late: () => rows<LateTableRow>('late_records'),
    dead: () => rows<DeadLetterTableRow>('dead_letters'),
    topic: () => rows<ChargingSession>(sessionsTopic),
  };
}

/** The last row of each session. */
function finalRows(rows: readonly SessionTableRow[]): ReadonlyMap<unknown, SessionTableRow> {
  return new Map(rows.map((row) => [row.session_id, row]));
}

function energyOf(rows: readonly { readonly energy_wh: unknown }[]): number {
  return Math.round(rows.reduce((sum, row) => sum + Number(row.energy_wh ?? 0) * 1000, 0)) / 1000;
}

let slice: readonly SessionLogRow[];

beforeAll(async () => {
  const last = dundeeFiles().find((file) => file.includes('2017-12')) ?? '';
  const rows = (await Array.fromAsync(readSessionLogs([last], dundeeMapping))).filter((row) => row.kind === 'row');
  // Two rapid chargers, one with a stop in 1970, for three weeks over the change to winter time.
  const wanted = new Set(['50349', '50911']);
  slice = rows.filter((row) => wanted.has(row.stationId) && (row.startMs ?? 0) > Date.UTC(2017, 9, 10) && (row.startMs ?? 0) < Date.UTC(2017, 10, 1));
});

describe('chargingTopology', () => {
  it('brings the rows of a session log back exactly, and energy by hour and in late records is that of sessions', () => {
    expect(slice.length).toBeGreaterThan(250);
    const run = drive(stationsOf(slice, dundeeMapping));
    run.push(expandSessionLog(slice, dundeeMapping));
    // Long after the log's end what never stopped is closed, too.
    run.push(['50349', '50911'].map((stationId) => charging({ type: 'Heartbeat', stationId, timestampMs: Date.UTC(2018, 2, 1) })));
    const rows = run.sessions();
    const sessions = finalRows(rows);
    expect(sessions.size).toBe(slice.length);
    for (const row of slice) {
      const session = sessions.get(`${row.stationId}/${row.rowId}`);
      if (row.stopMs === null || row.stopMs === 0) {
        expect(session?.flags).toContain('missing-stop');
      } else {
        expect(session).toMatchObject({
          station_id: row.stationId, connector_id: row.connectorId, start_time: row.startMs, stop_time: row.stopMs,
          energy_wh: (row.energyWh ?? 0) < 0 ? null : row.energyWh, closed_by: 'TransactionEnded', site_id: row.site, city: 'Dundee',
        });
      }
    }
    expect(energyOf([...run.hours(), ...run.late()])).toBe(energyOf([...sessions.values()]));
    const stopsIn1970 = slice.filter((row) => row.stopMs === 0).length;
    expect(stopsIn1970).toBe(1);
    expect(run.dead().map((row) => row.reason)).toEqual(['EVENT_UNBELIEVABLE', 'EVENT_UNBELIEVABLE']);
    expect(run.topic().map((one) => one.sessionId)).toEqual(rows.map((row) => row.session_id));
  });

  it('gives the same sessions and load for any arrival order within grace, with 5 % duplicates', () => {
    const rows = slice.filter((row) => (row.startMs ?? 0) < Date.UTC(2017, 9, 13) && (row.stopMs ?? 1) > 0);
    const stations = stationsOf(rows, dundeeMapping);
    const events = [...expandSessionLog(rows, dundeeMapping)];
    const closing = stations.map(({ stationId }) => charging({ type: 'Heartbeat', stationId, timestampMs: Date.UTC(2018, 2, 1) }));
    const sorted = drive(stations);
    sorted.push(events);
    sorted.push(closing);
    const content = (run: ReturnType<typeof drive>) => ({
      sessions: [...finalRows(run.sessions()).values()].map(({ revision: _revision, ...row }) => row).sort((a, b) => (String(a.session_id) < String(b.session_id) ? -1 : 1)),
      hours: run.hours(),
      late: run.late(),
    });
    const wanted = content(sorted);
    expect(wanted.sessions.length).toBe(rows.length);
    fc.assert(fc.property(fc.infiniteStream(fc.nat({ max: minutes(5) - 1 })), fc.infiniteStream(fc.nat({ max: 19 })), (delays, dice) => {
      const arriving = events.flatMap((event) => {
        const arrive = () => ({ event, atMs: event.timestampMs + (event.type === 'Heartbeat' ? minutes(5) : delays.next().value ?? 0) });
        return dice.next().value === 0 ? [arrive(), arrive()] : [arrive()];
      });
      const run = drive(stations);
      run.push(arriving.sort((a, b) => a.atMs - b.atMs).map((one) => one.event));
      run.push(closing);
      expect(content(run)).toEqual(wanted);
    }), { numRuns: 4 });
  });

  it('stops for nothing, loses nothing, and gives each bad input its reason', () => {
    const run = drive([station]);
    const bytes = (event: ChargingEvent) => avroCodec(chargingEvent).encode(event);
    const key = utf8.encode('s1');
    const { driver } = run;
    run.push([charging({ type: 'TransactionStarted', transactionId: 't', seqNo: 0, meterWh: 0, timestampMs: ten })]);
    driver.pushBytes(eventsTopic, key, new Uint8Array([1, 2, 3]), ten);
    driver.pushBytes(eventsTopic, null, bytes(charging({ type: 'Heartbeat', timestampMs: ten })), ten);
    driver.pushBytes(eventsTopic, utf8.encode('other'), bytes(charging({ type: 'Heartbeat', timestampMs: ten })), ten);
    run.push([
      charging({ type: 'Heartbeat', timestampMs: 0 }),
      charging({ type: 'Heartbeat', timestampMs: Date.UTC(2150, 0, 1) }),
      charging({ type: 'TransactionUpdated', transactionId: 't', seqNo: 1, meterWh: 1e12, timestampMs: ten + minutes(1) }),
      charging({ type: 'TransactionUpdated', transactionId: 't', seqNo: 2, meterWh: Number.NaN, timestampMs: ten + minutes(2) }),
      charging({ type: 'TransactionUpdated', seqNo: 3, meterWh: 5, timestampMs: ten + minutes(2) }),
      charging({ type: 'TransactionUpdated', transactionId: 't', seqNo: 4, meterWh: 100, timestampMs: ten + days(3), receivedMs: ten + minutes(3) }),
      charging({ type: 'TransactionEnded', transactionId: 't', seqNo: 5, meterWh: 200, timestampMs: ten + minutes(4), errorCode: 'OverVoltage' }),
      charging({ type: 'TransactionStarted', transactionId: 'u', seqNo: 0, meterWh: 0, timestampMs: ten, stationId: 'stranger' }),
      charging({ type: 'TransactionEnded', transactionId: 'u', seqNo: 1, meterWh: 9, timestampMs: ten + minutes(4), stationId: 'stranger' }),
      charging({ type: 'Heartbeat', timestampMs: ten + hours(1) }),
      charging({ type: 'Heartbeat', timestampMs: ten + hours(1), stationId: 'stranger' }),
    ]);
    expect(run.dead().map((row) => [row.offset, row.reason, row.step])).toEqual([
      [1, 'DESERIALISATION_FAILED', eventsTopic], [2, 'EVENT_UNBELIEVABLE', 'believable'], [3, 'EVENT_UNBELIEVABLE', 'believable'],
      [4, 'EVENT_UNBELIEVABLE', 'believable'], [5, 'EVENT_UNBELIEVABLE', 'believable'], [6, 'EVENT_UNBELIEVABLE', 'believable'],
      [7, 'EVENT_UNBELIEVABLE', 'believable'],
    ]);
    expect(run.sessions()).toMatchObject([
      { session_id: 's1/t', energy_wh: 200, stop_time: ten + minutes(4), flags: ['clock-replaced', 'sequence-gap'] },
      { session_id: 'stranger/u', energy_wh: 9, site_id: '', flags: ['unknown-station'] },
    ]);
    expect(run.hours().map((row) => [row.station_id, row.hour, row.energy_wh, row.errors, row.sessions_ended])).toEqual([['s1', ten, 200, 1, 1], ['stranger', ten, 9, 0, 1]]);
  });

  it('joins the station as it was at the time of the event', () => {
    const moved: Station = { ...station, siteId: 'New site', validFromMs: ten + hours(2) };
    const run = drive([station, moved]);
    const session = (transactionId: string, fromMs: number) => [
      charging({ type: 'TransactionStarted', transactionId, seqNo: 0, meterWh: 0, timestampMs: fromMs }),
      charging({ type: 'TransactionEnded', transactionId, seqNo: 1, meterWh: 10, timestampMs: fromMs + minutes(30) }),
    ];
    run.push([...session('a', ten), ...session('b', ten + hours(3)), charging({ type: 'Heartbeat', timestampMs: ten + hours(5) })]);
    expect(run.sessions().map((row) => [row.transaction_id, row.site_id])).toEqual([['a', 'Site'], ['b', 'New site']]);
  });

  it('has the description that is written here', () => {
    expect(chargingTopology().describe()).toMatchSnapshot();
  });
});
