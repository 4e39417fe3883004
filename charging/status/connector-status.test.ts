import { describe, expect, it } from 'vitest';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { SessionEvent } from '../session-event.ts';
import { charging, days, ended, heartbeat, hours, known, minutes, started, station, ten, updated } from '../testing/events.ts';
import type { ConnectorStatusOptions } from './connector-status.ts';
import { driving, IntervalTable, statusAlone } from './testing/drive-status.ts';

const driveStatus = (options: ConnectorStatusOptions = {}, commit: 'each' | 'manual' = 'each') => driving(new TopologyTestDriver(statusAlone(options), { commit }));

type Fields = Partial<ChargingEvent>;

const status = (name: string, timestampMs: number, fields: Fields = {}): SessionEvent => known(charging({ type: 'StatusChanged', status: name, timestampMs, ...fields }));
const lost = (timestampMs: number): SessionEvent => known(charging({ type: 'ConnectionLost', timestampMs }));
const restored = (timestampMs: number): SessionEvent => known(charging({ type: 'ConnectionRestored', timestampMs }));
const at = (count: number): number => ten + minutes(count);

/** What the tables say after the events, as `from-to status`, minutes after ten; with what is not as usual behind. */
function told(...events: readonly SessionEvent[]): readonly string[] {
  const { push, intervals, now } = driveStatus();
  push(...events);
  return shown(new IntervalTable().take(intervals(), now()));
}

function shown(table: IntervalTable): readonly string[] {
  const minute = (ms: number): string => String((ms - ten) / 60_000);
  return table.rows.map((row) => [
    `${minute(row.fromMs)}-${row.toMs === null ? '' : minute(row.toMs)} ${row.status}`, row.transactionId, row.online ? null : 'offline', row.errorCode,
    row.source, row.connectorId === 1 ? null : `connector ${row.connectorId}`,
  ].filter((part) => part !== null).join(' '));
}

describe('connector status', () => {
  it('holds until another one is told', () => {
    expect(told(status('Available', at(0)), status('Faulted', at(10), { errorCode: 'GroundFailure' }), status('Available', at(25)))).toEqual([
      '0-10 Available status', '10-25 Faulted GroundFailure status', '25- Available status',
    ]);
  });

  it('gives a row only when it says something new, with where it is', () => {
    const { push, intervals, now } = driveStatus();
    push(status('Available', at(0)));
    const place = { stationId: 's1', evseId: 1, connectorId: 1, siteId: 'Site', city: 'City', operator: 'Operator' };
    const standing = { status: 'Available', online: true, errorCode: null, source: 'status', transactionId: null };
    expect(intervals()).toEqual([]);
    expect(now()).toEqual([{ ...place, ...standing, firstMs: at(0), sinceMs: at(0), stayTransactionId: null }]);
    push(status('Available', at(5)), status('available', at(6), { errorCode: 'NoError' }), heartbeat(at(7)));
    expect([intervals(), now()]).toEqual([[], []]);
    push(status('Faulted', at(8)));
    expect(intervals()).toEqual([{ ...place, ...standing, fromMs: at(0), toMs: at(8) }]);
    expect(now()).toEqual([{ ...place, ...standing, status: 'Faulted', firstMs: at(0), sinceMs: at(8), stayTransactionId: null }]);
  });

  it('gives of a session that one interval has ended at its start and one at its end, and where the connector stands once a commit', () => {
    const { push, driver, intervals, now } = driveStatus({}, 'manual');
    push(status('Available', at(0)));
    driver.commit();
    now();
    push(status('Occupied', at(5)), started('t', at(5)), updated('t', 1, at(10), 500));
    driver.commit();
    const ends = (): readonly unknown[] => intervals().map(({ status: name, toMs, transactionId }) => [name, (toMs - ten) / 60_000, transactionId]);
    expect(ends()).toEqual([['Available', 5, null]]);
    expect(now().map(({ status: name, sinceMs }) => [name, (sinceMs - ten) / 60_000])).toEqual([['Occupied', 5]]);
    push(ended('t', 2, at(30), 900, { stopReason: 'EVDisconnected' }), status('Available', at(30)), status('Occupied', at(40)), status('Available', at(41)));
    driver.commit();
    expect(ends()).toEqual([['Occupied', 30, 't'], ['Available', 40, null], ['Occupied', 41, null]]);
    expect(now().map(({ status: name, sinceMs }) => [name, (sinceMs - ten) / 60_000])).toEqual([['Available', 41]]);
  });

  it('takes the end of an interval back that goes on after all, and gives it again when it ends', () => {
    const { push, intervals, now } = driveStatus();
    push(started('a', at(0)), ended('a', 1, at(30), 900));
    expect(intervals().map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([[at(0), at(30)]]);
    push(ended('a', 2, at(60), 900, { edition: 1 }), started('a', at(0), { edition: 1 }));
    expect(intervals().map(({ fromMs, toMs }) => [fromMs, toMs]).at(-1)).toEqual([at(0), at(60)]);
    expect(now().at(-1)).toMatchObject({ status: 'Available', sinceMs: at(60) });
  });

  it('knows the steps of a charge of OCPP 1.6 as one time of being occupied, with its transaction', () => {
    const charge = [
      status('Available', at(0)), status('Preparing', at(5)), started('t', at(6)), status('Charging', at(7)), updated('t', 1, at(10), 500),
      status('SuspendedEV', at(20)), status('SuspendedEVSE', at(21)), ended('t', 2, at(30), 900), status('Finishing', at(30)), status('Available', at(40)),
    ];
    expect(told(...charge)).toEqual(['0-5 Available status', '5-40 Occupied t status', '40- Available status']);
  });

  it('keeps a connector occupied after the transaction until the cable is out, where statuses tell', () => {
    const charge = [status('Occupied', at(0)), started('t', at(1)), ended('t', 1, at(30), 900)];
    expect(told(...charge)).toEqual(['0- Occupied t status']);
    expect(told(...charge, status('Available', at(45)))).toEqual(['0-45 Occupied t status', '45- Available status']);
  });

  it('takes EVDisconnected for the cable being out', () => {
    expect(told(status('Occupied', at(0)), started('t', at(1)), ended('t', 1, at(30), 900, { stopReason: 'EVDisconnected' }))).toEqual([
      '0-30 Occupied t status', '30- Available transaction',
    ]);
  });

  it('makes a connector available at the end of a transaction where statuses do not tell of vehicles', () => {
    expect(told(started('a', at(0)), ended('a', 1, at(30), 900), started('b', at(50)), ended('b', 1, at(60), 100))).toEqual([
      '0-30 Occupied a transaction', '30-50 Available transaction', '50-60 Occupied b transaction', '60- Available transaction',
    ]);
    expect(told(status('Available', at(-10)), started('a', at(0)), ended('a', 1, at(30), 900))).toEqual([
      '-10-0 Available status', '0-30 Occupied a transaction', '30- Available transaction',
    ]);
  });

  it('takes another transaction on an occupied connector for another vehicle', () => {
    expect(told(started('a', at(0)), started('b', at(30)), ended('a', 1, at(31), 5), ended('b', 1, at(60), 5))).toEqual([
      '0-30 Occupied a transaction', '30-60 Occupied b transaction', '60- Available transaction',
    ]);
  });

  it('does not wait for a status that was told of the vehicle before', () => {
    const charges = [status('Occupied', at(0)), started('a', at(1)), ended('a', 1, at(30), 5), started('b', at(60)), ended('b', 1, at(90), 5)];
    expect(told(...charges)).toEqual(['0-60 Occupied a status', '60-90 Occupied b transaction', '90- Available transaction']);
  });

  it('leaves a fault where it is when the transaction ends', () => {
    expect(told(started('a', at(0)), status('Faulted', at(10)), updated('a', 1, at(11), 5), ended('a', 2, at(12), 5), status('Available', at(20)))).toEqual([
      '0-10 Occupied a transaction', '10-20 Faulted a status', '20- Available status',
    ]);
  });

  it('hears of a connector first by an update or an end, and corrects it when the start comes', () => {
    expect(told(updated('a', 3, at(20), 5), updated('a', 4, at(25), 5), ended('a', 5, at(30), 5))).toEqual(['20-30 Occupied a transaction', '30- Available transaction']);
    expect(told(updated('a', 3, at(20), 5), updated('a', 2, at(15), 5), started('a', at(0)), ended('a', 5, at(30), 5))).toEqual([
      '0-30 Occupied a transaction', '30- Available transaction',
    ]);
    expect(told(ended('a', 5, at(30), 5))).toEqual(['30- Available transaction']);
  });

  it('is the same for two updates of one moment, whichever comes first', () => {
    const updates = [updated('a', 1, at(5), 5, { receivedMs: at(6) }), updated('a', 2, at(5), 5, { offline: true })];
    const wanted = ['5- Occupied a offline transaction'];
    expect(told(lost(at(0)), ...updates)).toEqual(wanted);
    expect(told(...updates.toReversed(), lost(at(0)))).toEqual(wanted);
  });

  it('does not let a start without length, or behind its end, last', () => {
    expect(told(started('a', at(0)), ended('a', 1, at(0), 0))).toEqual(['0- Available transaction']);
    expect(told(ended('a', 1, at(-31), 0), started('a', at(0)))).toEqual(['-31- Available transaction']);
    expect(told(started('a', at(0)), ended('a', 1, at(-31), 0))).toEqual(['-31- Available transaction']);
  });

  it('replaces what a lower edition told of a transaction', () => {
    const corrected = [started('a', at(5), { edition: 1 }), ended('a', 1, at(20), 0, { edition: 1 })];
    const wanted = ['5-20 Occupied a transaction', '20- Available transaction'];
    expect(told(started('a', at(0)), ended('a', 1, at(30), 0), ...corrected)).toEqual(wanted);
    expect(told(...corrected, started('a', at(0)), ended('a', 1, at(30), 0))).toEqual(wanted);
  });

  it('is unknown and offline for all connectors of a station without connection, and then as before', () => {
    expect(told(status('Available', at(0)), started('t', at(5), { connectorId: 2 }), lost(at(10)), lost(at(12)), restored(at(30)))).toEqual([
      '0-10 Available status', '10-30 Unknown offline connection', '30- Available connection',
      '5-10 Occupied t transaction connector 2', '10-30 Unknown t offline connection connector 2', '30- Occupied t connection connector 2',
    ]);
  });

  it('puts in what is told afterwards of the time without connection', () => {
    const before = [started('t', at(0)), lost(at(10)), restored(at(60))];
    expect(told(...before)).toEqual(['0-10 Occupied t transaction', '10-60 Unknown t offline connection', '60- Occupied t connection']);
    expect(told(...before, ended('t', 1, at(30), 5, { offline: true }))).toEqual([
      '0-10 Occupied t transaction', '10-30 Unknown t offline connection', '30-60 Available offline transaction', '60- Available connection',
    ]);
  });

  it('is heard again without being told so, a minute after the loss', () => {
    expect(told(status('Available', at(0)), lost(at(10)), status('Available', at(10.5)))).toEqual(['0-10 Available status', '10- Unknown offline connection']);
    expect(told(status('Available', at(0)), lost(at(10)), status('Faulted', at(11)))).toEqual([
      '0-10 Available status', '10-11 Unknown offline connection', '11- Faulted status',
    ]);
  });

  it('knows of a loss for a connector that is first heard of later', () => {
    expect(told(status('Available', at(0)), lost(at(10)), status('Occupied', at(5), { connectorId: 2 }))).toEqual([
      '0-10 Available status', '10- Unknown offline connection', '5-10 Occupied status connector 2', '10- Unknown offline connection connector 2',
    ]);
  });

  it('takes a status of number 0 for the whole station', () => {
    const whole = { evseId: 0, connectorId: 0 };
    expect(told(status('Available', at(0)), status('Unavailable', at(10), whole), status('Occupied', at(15)), status('Available', at(20), whole))).toEqual([
      '0-10 Available status', '10-20 Unavailable status', '20- Occupied status',
    ]);
    expect(told(started('t', at(0), whole), updated('t', 1, at(1), 5, whole))).toEqual([]);
  });

  it.each([
    ['AVAILABLE', 'Available'], ['Reserved', 'Reserved'], ['OUTOFORDER', 'Faulted'], ['INOPERATIVE', 'Unavailable'], ['Blocked', 'Unavailable'], ['ACTIVE', 'Unknown'],
  ])('understands %s as %s', (name, wanted) => {
    expect(told(status(name, at(0)))).toEqual([`0- ${wanted} status`]);
  });

  it('hands a status without a status to the error policy', () => {
    const { push, driver, intervals } = driveStatus();
    push(known(charging({ type: 'StatusChanged', timestampMs: at(0) })));
    expect(driver.take('dead').length).toBe(1);
    expect(intervals()).toEqual([]);
  });

  it('takes a row back whose start is no longer one', () => {
    const { push, intervals } = driveStatus();
    push(status('Available', at(0)), status('Faulted', at(20)), status('Available', at(30)));
    intervals();
    push(status('Faulted', at(10)));
    expect(intervals().map(({ fromMs, toMs, status: name }) => [(fromMs - ten) / 60_000, (toMs - ten) / 60_000, name])).toEqual([
      [0, 10, 'Available'], [10, 30, 'Faulted'], [20, 20, 'Faulted'],
    ]);
  });

  it('lets what is too old be late, measured by its own connector', () => {
    const { push, late, intervals, now } = driveStatus();
    push(status('Available', at(0)), status('Faulted', at(0) + hours(30)), status('Available', at(0), { connectorId: 2 }));
    push(status('Occupied', at(0)), status('Occupied', at(1)), updated('x', 1, at(-5), 3));
    expect(late().map(({ timestampMs }) => timestampMs)).toEqual([at(0)]);
    expect(shown(new IntervalTable().take(intervals(), now()))).toEqual(['0-1 Available status', '1-1800 Occupied status', '1800- Faulted status', '0- Available status connector 2']);
  });

  it('remembers no more points than it may', () => {
    const { push, late } = driveStatus({ pointsMax: 2 });
    push(status('Available', at(0)), status('Occupied', at(1)), status('Available', at(2)), status('Occupied', at(3)), status('Faulted', at(1)), status('Faulted', at(2.5)));
    expect(late().map(({ timestampMs }) => timestampMs)).toEqual([at(1)]);
  });

  it('has the facts of a station that becomes known in the middle', () => {
    const { push, intervals, now } = driveStatus();
    push({ ...status('Available', at(0)), station: null }, status('Available', at(5)));
    expect(now().map(({ siteId, sinceMs }) => [siteId, sinceMs])).toEqual([[null, at(0)], ['Site', at(0)]]);
    push({ ...status('Occupied', at(9)), station: { ...station, siteId: 'Other' } });
    expect(intervals().map(({ siteId, fromMs }) => [siteId, fromMs])).toEqual([['Site', at(0)]]);
    expect(now().map(({ siteId, sinceMs }) => [siteId, sinceMs])).toEqual([['Other', at(9)]]);
  });

  it('gives no row and keeps no state for updates of a transaction that is known', () => {
    const { push, now, driver } = driveStatus({}, 'manual');
    push(started('t', at(0)));
    driver.commit();
    now();
    const store = driver.store<{ readonly name: string; restored(): void; restore(): void; takeChanges(): void; readonly entries: number; readonly changes: number }>('status');
    expect(store.changes).toBe(0);
    push(...Array.from({ length: 50 }, (_, index) => updated('t', index + 1, at(index), 10 * index)), heartbeat(at(60) + days(3)));
    expect(store.changes).toBe(0);
    driver.commit();
    expect(now()).toEqual([]);
  });
});
