import { describe, expect, it } from 'vitest';
import type { ReferenceFile } from '../reference-file.ts';
import { textOf } from '../reference-file.ts';
import type { FactsRow, StationFacts, VehicleFacts } from '../reference-row.ts';
import { formatOf } from './formats.ts';

function file(name: string, content: string, encoding: BufferEncoding = 'utf8'): ReferenceFile {
  return { name, contentHash: name, ...textOf(Buffer.from(content, encoding)) };
}

/** What the form that recognises the first file makes of all of them. */
function read<Facts = StationFacts>(...files: readonly [ReferenceFile, ...ReferenceFile[]]) {
  const format = formatOf(files[0]);
  const rows = format.read(files);
  const facts = rows.filter((row) => row.kind === 'facts') as unknown as readonly FactsRow<Facts>[];
  return { format: format.name, rows, facts, first: facts[0]?.facts as Facts };
}

describe('afdc', () => {
  const header = 'ID,Fuel Type Code,Station Name,State,EV Level1 EVSE Num,EV Level2 EVSE Num,EV DC Fast Count,EV Network,Latitude,Longitude,ID,Open Date,EV Connector Types,Access Days Time,Restricted Access,Access Code';

  it('takes the last of two columns of one name, and gives each port the plugs that fit its level', () => {
    const { first, format } = read(file('a.csv', `\ufeff${header}\nUN,ELEC,"A, B",TN,1,1,2,Non-Networked,36.1,-86.7,7,8/20/18,J1772 J1772COMBO CHADEMO NEMA520,24 hours daily; x,true,public`));
    expect(format).toBe('afdc');
    expect(first).toMatchObject({ stationId: 'afdc-7', name: 'A, B', operator: null, timeZone: 'America/Chicago', openAlways: true, access: 'restricted' });
    expect(first.evses.map(({ connectors }) => connectors.map(({ standard, current }) => `${current} ${standard}`))).toEqual([
      ['AC NEMA_5_20'], ['AC IEC_62196_T1'], ['DC IEC_62196_T1_COMBO', 'DC CHADEMO'], ['DC IEC_62196_T1_COMBO', 'DC CHADEMO'],
    ]);
  });

  it('passes other fuels, and knows one place where no port is counted', () => {
    const { rows, first } = read(file('a.csv', `${header}\nUN,CNG,A,NY,,,,,,,1,2018-01-01,,,,public\nUN,ELEC,A,NY,,,,,,,2,11/2/2018,,,,private`));
    expect(rows.map(({ kind }) => kind)).toEqual(['other', 'facts']);
    expect(first).toMatchObject({ access: 'private', evses: [{ evseId: 1, connectors: [] }] });
  });
});

describe('bundesnetzagentur', () => {
  const preface = 'Ladesäulenregister der Bundesnetzagentur;;\nStand: 01.10.2025;;\n;;\n';
  const header = 'Ladeeinrichtungs-ID;Betreiber;Status;Anzahl Ladepunkte;Inbetriebnahmedatum;Straße;Hausnummer;Postleitzahl;Ort;Bundesland;Breitengrad;Längengrad;Öffnungszeiten;Steckertypen1;Nennleistung Stecker1;Steckertypen2;Nennleistung Stecker2';

  it('reads the new register in its own encoding, behind its preface, by its own ids', () => {
    const text = `${preface}${header}\n1010;Stadtwerke Köln;In Betrieb;3;22.07.2021;Domstraße;1;50668;Köln;Nordrhein-Westfalen;50,94;6,95;247;DC Kupplung Combo; 150;AC Steckdose Typ 2, AC Schuko;3,7\n`;
    const { first, facts, format } = read(file('r.csv', text, 'latin1'));
    expect(format).toBe('bundesnetzagentur');
    expect(facts[0]).toMatchObject({ id: 'bundesnetzagentur-1010', line: 5, sinceMs: Date.UTC(2021, 6, 21, 22) });
    expect(first).toMatchObject({ operator: 'Stadtwerke Köln', address: 'Domstraße 1', siteId: '50668 Domstraße 1', latitude: 50.94, openAlways: true, timeZone: 'Europe/Berlin' });
    expect(first.evses).toEqual([
      { evseId: 1, connectors: [{ connectorId: 1, standard: 'IEC_62196_T2_COMBO', current: 'DC', powerMaxW: 150_000 }] },
      { evseId: 2, connectors: [{ connectorId: 1, standard: 'IEC_62196_T2', current: 'AC', powerMaxW: 3_700 }, { connectorId: 2, standard: 'DOMESTIC_F', current: 'AC', powerMaxW: 3_700 }] },
      { evseId: 3, connectors: [] },
    ]);
  });

  it('gives stations without an id one that neither their order nor a new plug changes', () => {
    const old = 'Betreiber;Straße;Hausnummer;Postleitzahl;Ort;Breitengrad;Längengrad;Inbetriebnahmedatum;Anzahl Ladepunkte;Steckertypen1;P1 [kW]';
    const one = 'A;S;1;50667;Köln;50,9;6,9;01.02.20;1;AC Steckdose Typ 2;22';
    const two = 'A;S;1;50667;Köln;50,9;6,9;01.02.20;1;DC CHAdeMO;50';
    const ids = (...rows: readonly string[]) => Object.fromEntries(read(file('r.csv', [old, ...rows].join('\n'))).facts.map(({ id, facts }) => [id, facts.evses[0]?.connectors[0]?.standard]));
    expect(ids(one, two)).toEqual(ids(two, one));
    expect(Object.keys(ids(one, two))).toHaveLength(2);
    expect(Object.keys(ids(two))).toEqual(Object.keys(ids(one)));
  });
});

describe('allego', () => {
  it('reads one connector an entry, and names the path of what is wrong', () => {
    const entry = { id: '1', lat: '52.5', lng: '13.4', chargetype: 'AC', connectortype: 'mennekes', power: '11.0', city: 'Berlin', country: 'DE', owner: 'Allego', name: 'N' };
    const { rows, first } = read(file('a.json', JSON.stringify([entry, { ...entry, id: '2', power: 'x' }])));
    expect(first.evses[0]?.connectors[0]).toEqual({ connectorId: 1, standard: 'IEC_62196_T2', current: 'AC', powerMaxW: 11_000 });
    expect(rows[1]).toMatchObject({ kind: 'bad', line: 2, column: 'power', reason: 'not a number: "x"' });
  });
});

describe('openchargemap', () => {
  const reference = file('reference.json', JSON.stringify({ ConnectionTypes: [], Operators: [{ ID: 9, Title: 'Nine' }], Countries: [{ ID: 106, ISOCode: 'IN' }] }));

  it('reads points with a place for each of a connection', () => {
    const point = {
      ID: 5, DataProviderID: 1, UsageTypeID: 6, StatusTypeID: 50, DateCreated: '2016-04-28T07:40:00Z', OperatorInfo: { Title: 'Op' },
      AddressInfo: { Title: 'T', Town: 'Berlin', Country: { ISOCode: 'DE' }, Latitude: 52.5, Longitude: 13.4, AccessComments: '24/7' },
      Connections: [{ ConnectionTypeID: 33, CurrentTypeID: 10, PowerKW: 50, Quantity: 2 }, { ConnectionTypeID: 25, CurrentTypeID: null, PowerKW: 0, Quantity: 0 }],
    };
    const { rows, first, facts } = read(file('p.json', JSON.stringify([point, { ...point, ID: 6, StatusTypeID: 200 }])));
    expect(rows.map(({ kind }) => kind)).toEqual(['facts', 'closed']);
    expect(facts[0]?.sinceMs).toBe(Date.UTC(2016, 3, 28, 7, 40));
    expect(first).toMatchObject({ operator: 'Op', access: 'private', openAlways: true, timeZone: 'Europe/Berlin' });
    // A combo plug has direct current whatever the entry says.
    expect(first.evses.map(({ connectors }) => connectors[0])).toEqual([
      { connectorId: 1, standard: 'IEC_62196_T2_COMBO', current: 'DC', powerMaxW: 50_000 }, { connectorId: 1, standard: 'IEC_62196_T2_COMBO', current: 'DC', powerMaxW: 50_000 },
      { connectorId: 1, standard: 'IEC_62196_T2', current: 'AC', powerMaxW: null },
    ]);
  });

  it('joins stations and units of two tables, and takes names from the reference data', () => {
    const stations = file('s.csv', 'station_id,operator_id,usage_type_id,name,country_id,latitude,longitude,status_type_id,date_created\n7,9.0,1,N,106,17.6,74.0,50,2026-02-08T09:58:00Z');
    const units = file('u.csv', 'connection_id,station_id,connection_type_id,level_id,power_kw,current_type_id,quantity,status_type_id\n1,7,33,3.0,120.0,30.0,2.0,50.0\n2,7,33,3,9999999,30,1,50');
    const { rows, first } = read(units, stations, reference);
    expect(first).toMatchObject({ operator: 'Nine', country: 'IN', timeZone: 'Asia/Kolkata' });
    expect(first.evses).toHaveLength(2);
    expect(rows.filter(({ kind }) => kind === 'bad')).toMatchObject([{ file: 'u.csv', line: 3, column: 'power_kw' }]);
  });
});

describe('global-stations', () => {
  it('reads either header to the same station', () => {
    const original = 'Station ID,Latitude,Longitude,Address,Charger Type,Availability,Station Operator,Charging Capacity (kW),Connector Types,Installation Year\n';
    const renamed = 'station_id,latitude,longitude,address,charger_type,operating_hours,operator,charging_capacity_kw,connector_types,installation_year\n';
    const row = (plugs: string): string => `E1,37.8,-122.4,"8970 San Francisco Ave, San Francisco",DC Fast Charger,24/7,EVgo,350,"${plugs}",2010`;
    const [one, other] = [read(file('o.csv', original + row('Type 2, Tesla'))), read(file('r.csv', renamed + row('Tesla, Type 2')))];
    expect(one.first).toEqual(other.first);
    expect(one.first).toMatchObject({ city: 'San Francisco', country: 'US', timeZone: 'America/Los_Angeles', openAlways: true });
    expect(one.first.evses[0]?.connectors.map(({ standard, current }) => `${current} ${standard}`)).toEqual(['DC TESLA_S', 'AC IEC_62196_T2']);
  });
});

describe('open-ev-data', () => {
  it('reads battery, limits and the curve by state of charge', () => {
    const vehicle = {
      brand: 'Aiways', model: 'U5', variant: '', release_year: 2021, vehicle_type: 'car', usable_battery_size: 63, ac_charger: { max_power: 6.6 },
      dc_charger: { max_power: 95, charging_curve: [{ percentage: 100, power: 6.6 }, { percentage: 0, power: 95 }] },
    };
    const twin = { ...vehicle, usable_battery_size: 50 };
    const { facts, format } = read<VehicleFacts>(file('v.json', JSON.stringify({ data: [vehicle, twin, vehicle], meta: { updated_at: '2021-09-09T08:27:25Z' } })));
    expect(format).toBe('open-ev-data');
    expect(facts.map(({ id, sourceMs }) => [id, sourceMs])).toEqual([['Aiways U5 2021 (2)', Date.UTC(2021, 8, 9, 8, 27, 25)], ['Aiways U5 2021', Date.UTC(2021, 8, 9, 8, 27, 25)]]);
    expect(facts[0]?.facts).toEqual({
      model: 'Aiways U5 2021 (2)', vehicleClass: 'car', batteryWh: 63_000, acPowerMaxW: 6_600, dcPowerMaxW: 95_000,
      chargeCurve: [{ soc: 0, powerW: 95_000 }, { soc: 100, powerW: 6_600 }],
    });
  });

  it('lays a variant over its year and its model', () => {
    const lines = [
      { _path: 'src/b/m/base.json', make: { name: 'B' }, model: { name: 'M' }, vehicle_type: 'suv' },
      { _path: 'src/b/m/2024/m.json', year: 2024, trim: { name: 'Base' }, battery: { pack_capacity_kwh_net: 60 }, charging: { ac: { max_power_kw: 11 }, dc: { max_power_kw: 100 } } },
      { _path: 'src/b/m/2024/m_long.json', variant: { name: 'Long' }, battery: { pack_capacity_kwh_net: 80 } },
    ].map((line) => JSON.stringify(line));
    const { facts, rows } = read<VehicleFacts>(file('d.jsonl', [...lines, '{'].join('\n')));
    expect(facts.map(({ facts: { model, batteryWh, acPowerMaxW, dcPowerMaxW, vehicleClass } }) => [model, batteryWh, acPowerMaxW, dcPowerMaxW, vehicleClass])).toEqual([
      ['B M 2024', 60_000, 11_000, 100_000, 'suv'], ['B M Long 2024', 80_000, 11_000, 100_000, 'suv'],
    ]);
    expect(rows.filter(({ kind }) => kind === 'bad')).toMatchObject([{ line: 4, column: '' }]);
  });
});

describe('broken CSV', () => {
  it('sets aside a quote that is never closed, and reads the lines behind it', () => {
    const header = 'ID,Fuel Type Code,Station Name,EV Level2 EVSE Num,EV Connector Types,Open Date';
    const { rows } = read(file('a.csv', `${header}\r\n1,ELEC,"two\r\nlines",1,J1772,2020-01-01\r\n2,ELEC,"open,1,J1772,2020-01-01\r\n3,ELEC,C,1,J1772,2020-01-01\r\n`));
    expect(rows.map(({ kind, line }) => `${kind} ${line}`)).toEqual(['facts 2', 'bad 4', 'facts 5']);
  });
});
