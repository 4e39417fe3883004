import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { logTopic, Topology } from '../engine.ts';
import type { SessionEvent } from '../session-event.ts';
import type { LateRecord } from '../tables.ts';
import { charging, days, known, minutes, started, ten } from '../testing/events.ts';
import { statusSteps } from './status-steps.ts';
import { statusTables } from './status-tables.ts';

describe('statusSteps', () => {
  it('fill the tables of intervals, outages and connectors, and give what is late', () => {
    const topology = new Topology('status');
    const events = topology.stream('events', { key: utf8, value: json<SessionEvent>('event'), timestampOf: (event: SessionEvent) => event.timestampMs });
    statusSteps(events, statusTables('db')).to(logTopic('late', { key: utf8, value: json<LateRecord>('late') }));
    const driver = new TopologyTestDriver(topology);
    const push = (event: SessionEvent): void => driver.push('events', event.stationId, event, event.timestampMs);
    push(started('t', ten));
    push(known(charging({ type: 'StatusChanged', status: 'Faulted', errorCode: 'GroundFailure', timestampMs: ten + minutes(5) })));
    push(known(charging({ type: 'StatusChanged', status: 'Available', timestampMs: ten + days(3) })));
    push(started('x', ten));

    const row = {
      station_id: 's1', evse_id: 1, connector_id: 1, status: 'Faulted', online: true, error_code: 'GroundFailure', source: 'status', transaction_id: 't',
      site_id: 'Site', city: 'City', operator: 'Operator',
    };
    expect(driver.take('connector_status').map(({ value }) => value)).toMatchObject([
      { status: 'Occupied', from_time: ten, to_time: ten + minutes(5), source: 'transaction' }, { ...row, from_time: ten + minutes(5), to_time: ten + days(3) },
    ]);
    expect(driver.take('connector_outages').map(({ value }) => value)).toEqual([{ ...row, from_time: ten + minutes(5), to_time: ten + days(3) }]);
    expect(driver.take('connectors_now').map(({ value }) => value).at(-1)).toEqual({
      ...row, first_time: ten, since: ten + days(3), status: 'Available', error_code: null, transaction_id: null, stay_transaction_id: null,
    });
    expect(driver.take<string, LateRecord>('late').map(({ value }) => value)).toMatchObject([{ step: 'connector-status', stationId: 's1', energyWh: 0 }]);
  });
});
