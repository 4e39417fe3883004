import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { dundeeMapping } from './dundee.mapping.ts';
import { closingMs, expandSessionLog } from './expand.ts';
import type { SessionLogRow } from './mapping.ts';
import { knownAfter, stationsOf } from './stations.ts';

const ten = Date.UTC(2018, 4, 14, 10);
const minute = 60_000;

function row(fields: Partial<SessionLogRow>): SessionLogRow {
  return {
    kind: 'row', file: 'f', line: 2, rowId: '1', stationId: 's', connectorId: 1, startMs: ten, stopMs: ten + 60 * minute,
    energyWh: 7000, site: 'Site', model: 'APT 7kW Dual Outlet', idToken: null, vehicleModel: null, socFrom: null, socTo: null, doubts: [], startClock: 'exact',
    stopClock: 'exact', ...fields,
  };
}

const expand = (rows: readonly SessionLogRow[]) => [...expandSessionLog(rows, dundeeMapping)];
const short = (rows: readonly SessionLogRow[]) =>
  expand(rows).filter((event) => event.type !== 'Heartbeat').map((event) => [
    (event.timestampMs - ten) / minute, event.type === 'StatusChanged' ? event.status : event.type.slice(11), event.transactionId, event.seqNo, event.meterWh,
  ]);

describe('expandSessionLog', () => {
  it('makes start, a meter value every five minutes of charging, the end of charging, and stop', () => {
    expect(short([row({ energyWh: 1750 })])).toEqual([
      [0, 'Occupied', null, null, null],
      [0, 'Started', '1', 0, 0],
      [5, 'Updated', '1', 1, 583],
      [10, 'Updated', '1', 2, 1166],
      [15, 'Updated', '1', 3, 1750],
      [60, 'Ended', '1', 4, 1750],
      [60, 'Available', null, null, null],
    ]);
    const updates = expand([row({ energyWh: 1750 })]).filter((event) => event.type === 'TransactionUpdated');
    expect(updates.map((event) => [event.powerW, event.chargingState])).toEqual([[7000, 'Charging'], [7000, 'Charging'], [0, 'SuspendedEV']]);
  });

  it('charges no longer than the stay', () => {
    const events = expand([row({ energyWh: 14_000, stopMs: ten + 12 * minute })]);
    expect(events.filter((event) => event.type === 'TransactionUpdated').map((event) => [event.meterWh, event.powerW])).toEqual([[5833, 70_000], [11_666, 70_000]]);
  });

  it.each([
    ['no stop', { stopMs: null, energyWh: null }, [[0, 'Occupied'], [0, 'Started']]],
    ['a stop before the start', { stopMs: ten - 31 * minute }, [[-31, 'Ended'], [-31, 'Available'], [0, 'Occupied'], [0, 'Started']]],
    ['no length', { stopMs: ten, energyWh: 300 }, [[0, 'Occupied'], [0, 'Started'], [0, 'Ended'], [0, 'Available']]],
    ['a negative energy', { energyWh: -3000 }, [[0, 'Occupied'], [0, 'Started'], [60, 'Ended'], [60, 'Available']]],
    ['no energy', { energyWh: 0 }, [[0, 'Occupied'], [0, 'Started'], [60, 'Ended'], [60, 'Available']]],
  ] as const)('expands a row with %s as it is', (_name, fields, wanted) => {
    expect(short([row(fields)]).map((event) => event.slice(0, 2))).toEqual(wanted);
    const end = expand([row(fields)]).find((event) => event.type === 'TransactionEnded');
    expect(end?.meterWh).toEqual(end === undefined ? undefined : 'energyWh' in fields ? fields.energyWh : 7000);
  });

  it('puts what ends before what starts at equal times, and sessions without length between', () => {
    const rows = [
      row({ rowId: 'b', startMs: ten + 60 * minute, stopMs: ten + 90 * minute, energyWh: 0 }),
      row({ rowId: 'z', startMs: ten + 60 * minute, stopMs: ten + 60 * minute, energyWh: 0 }),
      row({ rowId: 'a', energyWh: 0 }),
    ];
    expect(short(rows).filter((event) => event[2] !== null).map((event) => `${event[2]} ${event[1]}`)).toEqual([
      'a Started', 'a Ended', 'z Started', 'z Ended', 'b Started', 'b Ended',
    ]);
  });

  it('ends with one heartbeat a station, behind its own last event, and not before the last start of the log', () => {
    const late = row({ rowId: '3', stationId: 'u', startMs: ten + 300 * minute, stopMs: ten + 310 * minute });
    const events = expand([row({}), row({ rowId: '2', stationId: 't', stopMs: ten + 270 * minute }), late]);
    expect(events.filter((event) => event.type === 'Heartbeat').map((event) => [event.stationId, event.timestampMs])).toEqual([
      ['s', ten + 300 * minute], ['t', ten + 270 * minute + closingMs], ['u', ten + 310 * minute + closingMs],
    ]);
  });

  it('gives a corrected row the same transaction, the next edition, ids of its own, and numbers from 0', () => {
    const first = expand([row({ energyWh: 1750 })]);
    const second = [...expandSessionLog([row({ energyWh: 2000 })], dundeeMapping, () => ({ revision: 1, edition: 1 }))];
    const ids = new Set(first.filter((event) => event.type !== 'Heartbeat').map((event) => event.eventId));
    expect(second.filter((event) => ids.has(event.eventId))).toEqual([]);
    const own = second.filter((event) => event.transactionId === '1');
    expect(own.map((event) => event.seqNo)).toEqual(own.map((_, index) => index));
    expect(own.every((event) => event.edition === 1)).toBe(true);
    expect(own.at(-1)).toMatchObject({ type: 'TransactionEnded', eventId: 'dundee-1-r1-6', meterWh: 2000 });
  });

  it('lets a station be heard of later than before when a corrected row has no stop', () => {
    const edition = () => ({ revision: 1, edition: 1 });
    const heardOf = () => ten + 900 * minute;
    const heartbeat = (stopMs: number | null) =>
      [...expandSessionLog([row({ stopMs })], dundeeMapping, edition, heardOf)].find((event) => event.type === 'Heartbeat')?.timestampMs;
    expect(heartbeat(ten + minute)).toBe(ten + minute + closingMs);
    expect(heartbeat(null)).toBe(ten + 900 * minute + closingMs);
  });

  it('carries the state of charge where the log knows it', () => {
    const events = expand([row({ socFrom: 20, socTo: 81.5 })]).filter((event) => event.soc !== null);
    expect(events.map((event) => [event.type, event.soc])).toEqual([['TransactionStarted', 20], ['TransactionEnded', 81.5]]);
  });

  const anyRow = fc.record({
    stationId: fc.constantFrom('s', 't'), connectorId: fc.integer({ min: 1, max: 2 }), start: fc.integer({ min: 0, max: 600 }),
    stay: fc.option(fc.integer({ min: -60, max: 600 })), energyWh: fc.integer({ min: -500, max: 90_000 }),
  });
  const anyRows = fc.array(anyRow, { maxLength: 30 }).map((list) => list.map((one, index) => row({
    rowId: String(index), stationId: one.stationId, connectorId: one.connectorId, startMs: ten + one.start * minute,
    stopMs: one.stay === null ? null : ten + (one.start + one.stay) * minute, energyWh: one.stay === null ? null : one.energyWh,
  })));

  it('gives events sorted by time, unique ids, and each energy back to the Wh', () => {
    fc.assert(fc.property(anyRows, (rows) => {
      const events = expand(rows);
      for (let index = 1; index < events.length; index += 1) {
        expect(events[index]?.timestampMs).toBeGreaterThanOrEqual(events[index - 1]?.timestampMs ?? 0);
      }
      expect(new Set(events.map((event) => event.eventId)).size).toBe(events.length);
      for (const one of rows) {
        const own = events.filter((event) => event.transactionId === one.rowId).sort((a, b) => (a.seqNo ?? 0) - (b.seqNo ?? 0));
        expect(own.map((event) => event.seqNo)).toEqual(own.map((_event, index) => index));
        if (one.stopMs !== null) expect(own.at(-1)?.meterWh).toBe(one.energyWh);
      }
    }));
  });

  it('gives each row the same events whatever other rows there are, in any order', () => {
    fc.assert(fc.property(anyRows, fc.integer(), (rows, seed) => {
      const whole = expand(rows).filter((event) => event.type !== 'Heartbeat');
      const turned = [...rows].sort((a, b) => Math.sin(seed + Number(a.rowId)) - Math.sin(seed + Number(b.rowId)));
      expect(expand(turned).filter((event) => event.type !== 'Heartbeat')).toEqual(whole);
      const alone = rows.flatMap((one) => expand([one])).filter((event) => event.type !== 'Heartbeat');
      const byId = (a: { eventId: string }, b: { eventId: string }) => (a.eventId < b.eventId ? -1 : 1);
      expect(alone.sort(byId)).toEqual([...whole].sort(byId));
    }));
  });
});

describe('stationsOf', () => {
  it('derives stations with their outlets, valid from the first day, and a new version when the site changes', () => {
    const stations = stationsOf([
      row({ rowId: '3', connectorId: 2, startMs: ten + 10 * minute, site: 'Real Site' }),
      row({ rowId: '2', startMs: ten }),
      row({ rowId: '1', stationId: 't', startMs: ten + minute, model: 'APT 50kW Raption' }),
    ], dundeeMapping);
    const midnight = Date.UTC(2018, 4, 14);
    expect(stations.map((one) => [one.stationId, one.siteId, one.validFromMs, one.evses.map((evse) => [evse.evseId, evse.connectors[0]?.powerMaxW])])).toEqual([
      ['s', 'Site', midnight, [[1, 7000], [2, 7000]]],
      ['t', 'Site', midnight, [[1, 50_000]]],
      ['s', 'Real Site', ten + 10 * minute, [[1, 7000], [2, 7000]]],
    ]);
  });

  it('gives outlets the power that the mapping names for their station, else that of their model', () => {
    const mapping = { ...dundeeMapping, stations: { s: { current: 'AC', powerMaxW: 22_000, standard: null } } } as const;
    const powers = stationsOf([row({}), row({ rowId: '2', stationId: 't' })], mapping).map((one) => one.evses[0]?.connectors[0]?.powerMaxW);
    expect(powers).toEqual([22_000, 7_000]);
  });

  it('gives an outlet the power of the strongest model that its rows name, in any order and in any parts', () => {
    const models = Object.keys(dundeeMapping.models);
    const anyModels = fc.array(fc.record({ connectorId: fc.integer({ min: 1, max: 2 }), model: fc.constantFrom(...models) }), { minLength: 1, maxLength: 12 });
    fc.assert(fc.property(anyModels, fc.nat(12), (named, part) => {
      const rows = named.map((one, index) => row({ ...one, rowId: String(index), startMs: ten + index * minute }));
      const strongest = (connectorId: number) =>
        named.filter((one) => one.connectorId === connectorId).map((one) => dundeeMapping.models[one.model]?.powerMaxW ?? 0).sort((a, b) => b - a)[0];
      const wanted = [1, 2].flatMap((id) => (strongest(id) === undefined ? [] : [[id, strongest(id)]]));
      const whole = stationsOf(rows, dundeeMapping);
      expect(whole.at(-1)?.evses.map((evse) => [evse.evseId, evse.connectors[0]?.powerMaxW])).toEqual(wanted);
      expect(stationsOf([...rows].reverse(), dundeeMapping)).toEqual(whole);
      const known = knownAfter(rows.slice(0, part), dundeeMapping, new Map(), new Map());
      expect(knownAfter(rows.slice(part), dundeeMapping, known, new Map()).get('s')?.outlets ?? known.get('s')?.outlets)
        .toEqual(knownAfter(rows, dundeeMapping, new Map(), new Map()).get('s')?.outlets);
    }), propertyRuns());
  });

  it('sends all records of a station again when there is another outlet, and moves the first one back for earlier rows', () => {
    const known = knownAfter([row({})], dundeeMapping, new Map(), new Map());
    const midnight = Date.UTC(2018, 4, 14);
    expect(stationsOf([row({ rowId: '2', startMs: ten + minute })], dundeeMapping, known)).toEqual([]);
    const grown = stationsOf([row({ rowId: '2', connectorId: 2, startMs: ten + minute })], dundeeMapping, known);
    expect(grown.map((one) => [one.validFromMs, one.evses.length])).toEqual([[midnight, 2]]);
    const earlier = stationsOf([row({ rowId: '2', startMs: ten - 1440 * minute })], dundeeMapping, known);
    expect(earlier.map((one) => [one.validFromMs, one.siteId])).toEqual([[midnight - 1440 * minute, 'Site']]);
  });
});
