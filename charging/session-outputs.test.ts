import { expect, it } from 'vitest';
import { TopologyTestDriver } from '../runtime/testing/index.ts';
import { avroCodec } from '../schemas/avro-codec.ts';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { chargingSession } from '../schemas/generated/charging-session.ts';
import type { ChargingSession } from '../schemas/generated/charging-session.ts';
import { station as stationForm } from '../schemas/generated/station.ts';
import type { Station } from '../schemas/generated/station.ts';
import type { Tariff } from '../schemas/generated/tariff.ts';
import { leftJoinTable, logTopic, Topology } from './engine.ts';
import { plainTariff } from './cost/testing/arbitraries.ts';
import { withoutCost } from './cost/price-session.ts';
import { tariffsTopic, vehiclesTopic } from './reference/reference-topics.ts';
import type { SessionEvent } from './session-event.ts';
import { sessionMessage } from './session-message.ts';
import { sessionOutputs } from './session-outputs.ts';
import { liveSessionsTable, sessionsTable } from './session-tables.ts';
import type { LiveTableRow, SessionTableRow } from './session-tables.ts';
import { stitchSessions } from './stitching/stitch-sessions.ts';
import type { LateRecord } from './tables.ts';
import { ended, heartbeat, hours, minutes, started, station, ten, updated } from './testing/events.ts';
import { finalRow } from './testing/session-rows.ts';
import { visitsTable } from './visits/visit-table.ts';
import type { VisitTableRow } from './visits/visit-table.ts';

function drive() {
  const topology = new Topology('outputs');
  const stations = topology.table<string, Station>('stations', { key: utf8, value: stationForm, timestampOf: (value) => value.validFromMs }, { historyMs: hours(24 * 365 * 50) });
  const sessions = topology
    .stream<string, SessionEvent>('events', { key: utf8, value: json('event') })
    .pipe(leftJoinTable('with-station', stations, (event, found: Station | null): SessionEvent => ({ ...event, station: found })))
    .pipe(stitchSessions('sessions', stations.toStream()));
  const tables = { sessions: sessionsTable('db'), live: liveSessionsTable('db'), visits: visitsTable('db') };
  sessionOutputs(topology, sessions, tables, 'charging.sessions').to(logTopic('late', { key: utf8, value: json<LateRecord>('late') }));
  const driver = new TopologyTestDriver(topology);
  const rowsOf = <Row>(sink: string): readonly Row[] => driver.take<string, Row>(sink).map(({ value }) => value);
  return {
    driver,
    tell: (one: Station) => driver.push('stations', one.stationId, one, ten),
    push: (...events: readonly SessionEvent[]) => { for (const event of events) driver.push('events', event.stationId, event, event.timestampMs); },
    sessions: () => rowsOf<SessionTableRow>('charging_sessions'), live: () => rowsOf<LiveTableRow>('live_sessions'), messages: () => rowsOf<ChargingSession>('charging.sessions'),
    visits: () => [...rowsOf<VisitTableRow>('charging_visits'), ...rowsOf<VisitTableRow>('visits-alone')],
  };
}

const tariff: Tariff = { ...plainTariff, tariffId: 'city', energyPerKwhMicro: 300_000, idlePerMinuteMicro: 100_000 };
const priced: Station = { ...station, tariffId: 'city' };
const here = { idToken: 'anna', vehicleModel: 'Zoe' };

it('gives rows, messages and visits of a session, priced by the tariff of its station', () => {
  const { driver, tell, push, sessions, live, messages, visits } = drive();
  tell(priced);
  driver.push(tariffsTopic, 'city', tariff, ten);
  driver.push(vehiclesTopic, 'Zoe', { model: 'Zoe', vehicleClass: 'car', batteryWh: 41_000, acPowerMaxW: null, dcPowerMaxW: null, chargeCurve: [], validFromMs: 0 }, ten);
  const received = (event: SessionEvent): SessionEvent => ({ ...event, receivedMs: event.timestampMs + 1_000 });
  push(received(started('a', ten, here)), received(updated('a', 1, ten + minutes(30), 5_000, { chargingState: 'Charging' })));
  expect(live().at(-1)).toMatchObject({ open: true, energy_wh: 5_000, vehicle_class: 'car', cost_minor: 150, cost_flags: ['not-stopped'], tariff_id: 'city', currency: 'EUR' });
  expect(sessions()).toEqual([]);
  push(received(ended('a', 2, ten + hours(1), 8_000)), heartbeat(ten + hours(3)));
  const [row] = sessions();
  expect(row).toMatchObject({ revision: 0, energy_wh: 8_000, energy_cost_minor: 240, successful: true, utc_offset_seconds: 3600, vehicle_battery_wh: 41_000, cost_flags: [] });
  expect(row?.cost_minor).toBe(Number(row?.energy_cost_minor) + Number(row?.idle_cost_minor));
  expect(live().at(-1)).toMatchObject({ open: false, cost_minor: row?.cost_minor });
  expect(messages()).toMatchObject([{ sessionId: row?.session_id, costMinor: row?.cost_minor, siteId: 'Site', vehicleClass: 'car' }]);
  expect(visits()).toMatchObject([{ site_id: 'Site', id_token: 'anna', attempts: 1, successful: true, energy_wh: 8_000 }]);
});

it('leaves no live rows of history, and prices a session anew when its station becomes known', () => {
  const { driver, tell, push, sessions, live, visits } = drive();
  driver.push(tariffsTopic, 'city', tariff, ten);
  push(started('a', ten, here), ended('a', 1, ten + minutes(2), 0), started('b', ten + minutes(5), here), ended('b', 1, ten + minutes(35), 6_000), heartbeat(ten + hours(3)));
  expect(sessions()).toMatchObject([{ site_id: '', cost_minor: null, cost_flags: ['no-tariff'] }, { site_id: '', cost_minor: null }]);
  expect(visits()).toMatchObject([{ site_id: '', attempts: 1 }, { site_id: '', attempts: 1 }]);
  tell(priced);
  expect(sessions()).toMatchObject([{ revision: 1, site_id: 'Site', energy_cost_minor: 0 }, { revision: 1, site_id: 'Site', energy_cost_minor: 180 }]);
  const told = visits();
  expect(told.filter(({ site_id: site, attempts }) => site === '' && attempts === 0)).toHaveLength(2);
  expect(told.filter(({ site_id: site }) => site === 'Site').at(-1)).toMatchObject({ attempts: 2, successes: 1, first_attempt_successful: false });
  expect(live()).toEqual([]);
});

it('says every field of the topic’s schema', () => {
  const message = sessionMessage({ session: finalRow(), vehicle: null, cost: withoutCost({ tariffId: null, currency: null }, 'no-tariff') });
  const codec = avroCodec(chargingSession);
  expect(codec.decode(codec.encode(message))).toEqual(message);
  const { fields } = chargingSession.schema as { readonly fields: readonly { readonly name: string }[] };
  expect(Object.keys(message).sort()).toEqual(fields.map(({ name }) => name).sort());
});
