import { utf8 } from '../schemas/builtin-codecs.ts';
import { chargingEvent } from '../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../schemas/generated/charging-event.ts';
import { outageExclusion } from '../schemas/generated/outage-exclusion.ts';
import { station } from '../schemas/generated/station.ts';
import type { Station } from '../schemas/generated/station.ts';
import { outageExclusionsTopic } from './reference/reference-topics.ts';
import { stationVersionRow, stationVersionsTable } from './reference/station-version-row.ts';
import { dataQualityRow, dataQualityTable, dataQualityTopic, qualityFinding } from './ingest/data-quality.ts';
import { quarantinedLine, quarantineRow, quarantineTopic } from './ingest/quarantine.ts';
import { clickhouse, deduplicate, leftJoinTable, mapValues, Topology } from './engine.ts';
import { believable, streamTimeOf, withStation } from './front.ts';
import type { LoadChange } from './load/load-change.ts';
import { loadSteps } from './load/load-steps.ts';
import type { StationLoadOptions } from './load/station-load.ts';
import type { SessionEvent } from './session-event.ts';
import { sessionOutputs } from './session-outputs.ts';
import { statusSteps } from './status/status-steps.ts';
import type { ConnectorStatusOptions } from './status/connector-status.ts';
import { outageExclusionRow } from './status/status-tables.ts';
import { stitchSessions } from './stitching/stitch-sessions.ts';
import type { StitchSessionsOptions } from './stitching/stitch-sessions.ts';
import { chargingTables, deadLetterRow, eventRow, lateRow } from './tables.ts';
import type { LateRecord } from './tables.ts';
import type { StitchVisitsOptions } from './visits/stitch-visits.ts';

export const eventsTopic = 'charging.events';
export const stationsTopic = 'stations';
export const sessionsTopic = 'charging.sessions';

export interface ChargingTopologyOptions {
  /** ClickHouse database of the tables. */
  readonly database?: string;
  /** How long an event id is remembered, by its station's own time. Default 24 hours. */
  readonly onceWithinMs?: number;
  /** How far back versions of a station are kept for joins as of an event's time. Default 50 years: all of them. */
  readonly stationHistoryMs?: number;
  readonly load?: StationLoadOptions;
  readonly sessions?: StitchSessionsOptions;
  readonly visits?: StitchVisitsOptions;
  readonly status?: ConnectorStatusOptions;
}

/**
 * The product: charging events in; raw events, sessions with their price, visits, load of stations, statuses of connectors, late records and
 * dead letters out.
 *
 * Events that cannot be believed (see `reasonToSetAside`) are dead letters with the code EVENT_UNBELIEVABLE; so are those
 * whose key is not their station, since state lies by key. Events of unknown stations go on without a station, and their sessions
 * say so. Raw events are kept as they came, whatever becomes of them behind. Lines of files that never became an event (the
 * quarantine topic) are dead letters, too.
 */
export function chargingTopology(options: ChargingTopologyOptions = {}): Topology {
  const tables = chargingTables(options.database ?? 'voltstream');
  const topology = new Topology('charging');
  const eventForm = { key: utf8, value: chargingEvent };
  topology.deadLetters(clickhouse(tables.deadLetters, deadLetterRow));
  topology.archive('raw-events', eventsTopic, eventForm, clickhouse(tables.events, eventRow));

  const stations = topology.table<string, Station>(
    stationsTopic,
    { key: utf8, value: station, timestampOf: (value) => value.validFromMs },
    { historyMs: options.stationHistoryMs ?? 50 * 365 * 86_400_000 },
  );
  topology.archive(
    'station-versions', stationsTopic, { key: utf8, value: station }, clickhouse(stationVersionsTable(options.database ?? 'voltstream'), stationVersionRow),
  );
  topology.archive(
    'outage-exclusions', outageExclusionsTopic, { key: utf8, value: outageExclusion }, clickhouse(tables.outageExclusions, outageExclusionRow),
  );
  const events = topology
    .stream<string, ChargingEvent>(eventsTopic, { ...eventForm, timestampOf: streamTimeOf })
    .pipe(
      believable('believable'),
      deduplicate('once', { by: (event: ChargingEvent) => event.eventId, withinMs: options.onceWithinMs ?? 86_400_000, timeScope: 'key' }),
      leftJoinTable('with-station', stations, withStation),
    );

  const late = clickhouse(tables.late, lateRow);
  const sessions = events.pipe(stitchSessions('sessions', stations.toStream(), options.sessions));
  sessionOutputs(topology, sessions, tables, sessionsTopic, options.visits).to(late);
  loadSteps(sessions.side<string, LoadChange>('load'), tables, options.load).to(late);
  statusSteps(events, tables, options.status).to(late);
  sessions.side<string, SessionEvent>('late').pipe(mapValues(lateEvent)).to(late);

  topology.stream(dataQualityTopic, { key: utf8, value: qualityFinding }).to(clickhouse(dataQualityTable(options.database ?? 'voltstream'), dataQualityRow));
  topology.stream(quarantineTopic, { key: utf8, value: quarantinedLine }).to(clickhouse(tables.deadLetters, quarantineRow, 'quarantine'));
  return topology;
}

function lateEvent(event: SessionEvent): LateRecord {
  const { station: _station, ...rest } = event;
  return { step: 'sessions', number: 0, stationId: event.stationId, eventId: event.eventId, energyWh: 0, json: JSON.stringify(rest) };
}
