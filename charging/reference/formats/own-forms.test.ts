import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReferenceFile } from '../reference-file.ts';
import { textOf } from '../reference-file.ts';
import type { FactsRow, TariffFacts, ToldStation, VehicleFacts } from '../reference-row.ts';
import { formatOf } from './formats.ts';

function file(name: string, content: string): ReferenceFile {
  return { name, contentHash: name, ...textOf(Buffer.from(content)) };
}

function read<Facts>(content: string | object) {
  const one = file('own', typeof content === 'string' ? content : JSON.stringify(content));
  const format = formatOf(one);
  const rows = format.read([one]);
  const facts = rows.filter((row) => row.kind === 'facts') as unknown as readonly FactsRow<Facts>[];
  const bad = rows.flatMap((row) => (row.kind === 'bad' ? [`${row.line} ${row.column}: ${row.reason}`] : []));
  return { format: format.name, rows, facts, bad, first: facts[0]?.facts as Facts };
}

describe('stations', () => {
  const station = {
    stationId: 'S1', siteId: 'Mall', name: 'Mall 1', operator: 'Op', city: 'Cologne', country: 'DE', tariffId: 'city', registerScope: 'session', validFrom: '2024-03-01',
    evses: [{ evseId: 1, connectors: [{ connectorId: 1, standard: 'IEC_62196_T2_COMBO', current: 'DC', powerMaxW: 150_000 }, { connectorId: 2 }] }, { evseId: 2 }],
  };

  it('are read by the names of the topic, from an array, a line each, or a single object', () => {
    const { format, facts, first } = read<ToldStation>([station]);
    expect(format).toBe('stations');
    expect(facts[0]).toMatchObject({ id: 'S1', validFromMs: Date.UTC(2024, 2, 1) });
    expect(first).toEqual({
      stationId: 'S1', siteId: 'Mall', name: 'Mall 1', operator: 'Op', city: 'Cologne', country: 'DE', tariffId: 'city', registerScope: 'session',
      evses: [
        { evseId: 1, connectors: [{ connectorId: 1, standard: 'IEC_62196_T2_COMBO', current: 'DC', powerMaxW: 150_000 }, { connectorId: 2, standard: null, current: null, powerMaxW: null }] },
        { evseId: 2, connectors: [] },
      ],
    });
    expect(read<ToldStation>(`${JSON.stringify(station)}\n\n${JSON.stringify({ stationId: 'S2' })}\n`).facts.map(({ id, line }) => [id, line])).toEqual([['S1', 1], ['S2', 3]]);
    expect(read<ToldStation>(JSON.stringify(station, null, 2)).first).toEqual(first);
  });

  it('say nothing of what they do not name, and take away what is null', () => {
    const [silent, none] = read<ToldStation>([{ stationId: 'S1' }, { stationId: 'S2', tariffId: null, siteId: null, city: null }]).facts;
    expect(silent?.facts).toEqual({ stationId: 'S1' });
    expect(silent).not.toHaveProperty('validFromMs');
    expect(none?.facts).toEqual({ stationId: 'S2', tariffId: null, siteId: 'S2', city: null });
    expect(read([{ stationId: 'S3', withdrawn: true, validFrom: '2025-01-01T06:00:00+01:00' }]).rows).toMatchObject([{ kind: 'closed', id: 'S3', validFromMs: Date.UTC(2025, 0, 1, 5) }]);
  });

  it.each([
    [{ stationID: 'x' }, 'stationID: there is no such field'],
    [{ country: 'Germany' }, 'country: not an ISO'],
    [{ timeZone: 'Mars/Base' }, 'timeZone: not an IANA time zone: "Mars/Base"'],
    [{ evses: [{ evseId: 1 }, { evseId: 1 }] }, 'evses: a number occurs twice'],
    [{ evses: [{ evseId: 1, connectors: [{ connectorId: 1, powerKw: 22 }] }] }, 'evses.0.connectors.0.powerKw: there is no such field'],
    [{ evses: [{ evseId: 1, connectors: [{ connectorId: 1, current: 'ac' }] }] }, 'evses.0.connectors.0.current: not one of AC, DC'],
    [{ evses: [{ evseId: 1.5 }] }, 'evses.0.evseId: not a whole number'],
    [{ openAlways: 'yes' }, 'openAlways: neither true nor false'],
    [{ validFrom: 'soon' }, 'validFrom: not a day or time'],
    [{ validFrom: '2024-01-01', validFromMs: 5 }, 'validFrom: it is there twice'],
  ])('set aside %j', (wrong, reason) => {
    expect(read([{ stationId: 'S1' }, { stationId: 'S2', ...wrong }]).bad).toEqual([expect.stringContaining(`2 ${reason}`)]);
  });
});

describe('vehicles', () => {
  it('are read by the names of the topic', () => {
    const { format, facts, first } = read<VehicleFacts>([{ model: 'Zoe', vehicleClass: 'car', batteryWh: 41_000, chargeCurve: [{ soc: 0, powerW: 50_000 }, { soc: 100, powerW: 3_000 }], validFromMs: 7 }]);
    expect(format).toBe('vehicles');
    expect(facts[0]).toMatchObject({ id: 'Zoe', validFromMs: 7 });
    expect(first).toEqual({ model: 'Zoe', vehicleClass: 'car', batteryWh: 41_000, acPowerMaxW: null, dcPowerMaxW: null, chargeCurve: [{ soc: 0, powerW: 50_000 }, { soc: 100, powerW: 3_000 }] });
  });

  it('are set aside with the path of what is wrong', () => {
    expect(read([{ model: 'A', batteryWh: -1 }, { model: 'B', chargeCurve: [{ soc: 50, powerW: 1 }, { soc: 50, powerW: 1 }] }, { model: 'C', chargeCurve: [{ soc: 101, powerW: 1 }] }]).bad).toEqual([
      '1 batteryWh: not from 0 to 10000000: -1', '2 chargeCurve: its states of charge do not ascend', '3 chargeCurve.0.soc: not from 0 to 100: 101',
    ]);
  });
});

const night = { fromMinute: 1320, toMinute: 360, weekdays: [], energyPerKwhMicro: 290_000, chargingPerMinuteMicro: null, idlePerMinuteMicro: 0 };

describe('tariffs', () => {
  const header = 'tariff_id,currency,valid_from,start_fee,energy_per_kwh,charging_per_minute,idle_per_minute,idle_free_minutes,energy_step_wh,time_step_seconds,from,to,weekdays';
  const wanted = {
    tariffId: 'city', currency: 'EUR', startFeeMicro: 1_000_000, energyPerKwhMicro: 450_000, chargingPerMinuteMicro: 0, idlePerMinuteMicro: 100_000, idleFreeMinutes: 30,
    energyStepWh: 1, timeStepSeconds: 60, rates: [night, { ...night, fromMinute: 1020, toMinute: 1440, weekdays: [1, 2, 5], energyPerKwhMicro: 590_001, idlePerMinuteMicro: null }],
  };

  it('are read from a table, whose rows with times are rates of the version above', () => {
    const { format, rows, facts, first } = read<TariffFacts>([header,
      'city,EUR,2024-01-01,1.00,0.45,,0.10,30,,60,,,', 'city,,2024-01-01,,0.29,,0,,,,22:00,06:00,', 'city,,2024-01-01,,0.590001,,,,,,17:00,24:00,Mon Tue 5',
      'city,EUR,2025-01-01,,0.5,,,,,,,,', 'free,EUR,,,,,,,,,,,',
    ].join('\n'));
    expect(format).toBe('tariffs');
    expect(rows.map(({ kind }) => kind)).toEqual(['facts', 'other', 'other', 'facts', 'facts']);
    expect(facts.map(({ id, validFromMs }) => [id, validFromMs])).toEqual([['city', Date.UTC(2024, 0, 1)], ['city', Date.UTC(2025, 0, 1)], ['free', undefined]]);
    expect(first).toEqual(wanted);
    expect(facts[1]?.facts).toMatchObject({ energyPerKwhMicro: 500_000, rates: [] });
  });

  it('are read from JSON with the same prices', () => {
    const tariff = {
      tariffId: 'city', currency: 'EUR', validFrom: '2024-01-01', startFee: 1, energyPerKwh: 0.45, idlePerMinute: '0.1', idleFreeMinutes: 30, timeStepSeconds: 60,
      rates: [{ from: '22:00', to: '06:00', energyPerKwh: 0.29, idlePerMinute: 0 }, { from: '17:00', to: '00:00', weekdays: ['Monday', 2, 5], energyPerKwh: 0.590001 }],
    };
    const { format, facts, first } = read<TariffFacts>([tariff]);
    expect(format).toBe('tariffs');
    expect(facts[0]).toMatchObject({ id: 'city', validFromMs: Date.UTC(2024, 0, 1) });
    expect(first).toEqual(wanted);
  });

  it('are exact to a millionth, where a product would not be', () => {
    expect(read<TariffFacts>([{ tariffId: 't', currency: 'EUR', energyPerKwh: 0.295, startFee: 8.29, idlePerMinute: 1.000001 }]).first)
      .toMatchObject({ energyPerKwhMicro: 295_000, startFeeMicro: 8_290_000, idlePerMinuteMicro: 1_000_001 });
  });

  it('are set aside as a whole when one of their rates cannot be read', () => {
    const { facts, bad } = read<TariffFacts>([header,
      'a,EUR,,,0.45,,,,,,,,', 'a,,,,x,,,,,,22:00,06:00,', 'b,EUR,,,0.45,,,,,,,,', 'b,,,,0.3,,,,,,22:00', 'c,EUR,,,0.1,,,,,,,,', 'd,,,,0.1,,,,,,08:00,09:00,',
    ].join('\n'));
    expect(facts.map(({ id }) => id)).toEqual(['c']);
    expect(bad).toEqual([
      '2 from: its rate in line 3 cannot be read', '3 energy_per_kwh: not a price with at most six digits behind the point: "x"',
      '4 from: its rate in line 5 cannot be read', '5 : 11 columns instead of the header\'s 13', '7 tariff_id: there is no row without times for this tariff and valid_from',
    ]);
  });

  it.each([
    [{ currency: 'EURO' }, 'currency: not a currency of ISO 4217: "EURO"'],
    [{ energyPerKwh: -0.1 }, 'energyPerKwh: not a price'],
    [{ energyPerKwh: 0.1234567 }, 'energyPerKwh: not a price with at most six digits'],
    [{ energyPerKwhMicro: 450_000 }, 'energyPerKwhMicro: there is no such field'],
    [{ energyStepWh: 0 }, 'energyStepWh: not a whole number from 1'],
    [{ rates: [{ from: '25:00', to: '06:00' }] }, 'rates.0.from: not a time of the day'],
    [{ rates: [{ from: '22:00', to: '06:00', weekdays: ['someday'] }] }, 'rates.0.weekdays: not a weekday: "someday"'],
  ])('set aside %j', (wrong, reason) => {
    expect(read([{ tariffId: 't', currency: 'EUR', ...wrong }]).bad).toEqual([expect.stringContaining(`1 ${reason}`)]);
  });
});

describe('ocpi-tariffs', () => {
  const energy = (price: number, step = 1) => ({ type: 'ENERGY', price, vat: 19, step_size: step });
  const tariff = (elements: readonly object[], fields: object = {}) => ({
    country_code: 'DE', party_id: 'ABC', id: 'T1', currency: 'EUR', type: 'REGULAR', tax_included: 'YES', elements, last_updated: '2024-02-01T10:00:00.000Z', ...fields,
  });

  it('become ours: the first element that holds decides, prices of an hour are those of sixty minutes', () => {
    const elements = [
      { price_components: [energy(0.29), { type: 'PARKING_TIME', price: 0, step_size: 300 }], restrictions: { start_time: '22:00', end_time: '06:00', max_power: null } },
      { price_components: [energy(0.59)], restrictions: { start_time: '17:00', end_time: '00:00', day_of_week: ['MONDAY', 'TUESDAY', 'FRIDAY'] } },
      { price_components: [{ type: 'FLAT', price: 1, step_size: 1 }, energy(0.45), { type: 'PARKING_TIME', price: 6, step_size: 60 }] },
      { price_components: [energy(9.99), { type: 'TIME', price: 1, step_size: 60 }] },
      { price_components: [{ type: 'TIME', price: 3, step_size: 60 }], restrictions: { reservation: 'RESERVATION' } },
    ];
    const { format, facts, first } = read<TariffFacts>([tariff(elements)]);
    expect(format).toBe('ocpi-tariffs');
    expect(facts[0]).toMatchObject({ id: 'T1', sourceMs: Date.UTC(2024, 1, 1, 10) });
    expect(first).toEqual({
      tariffId: 'T1', currency: 'EUR', startFeeMicro: 1_000_000, energyPerKwhMicro: 450_000, chargingPerMinuteMicro: 16_667, idlePerMinuteMicro: 100_000, idleFreeMinutes: 0,
      energyStepWh: 1, timeStepSeconds: 60, rates: [night, { ...night, fromMinute: 1020, toMinute: 1440, weekdays: [1, 2, 5], energyPerKwhMicro: 590_000, idlePerMinuteMicro: null }],
    });
  });

  it('are found in an answer, and hold from the time that they name', () => {
    const { facts } = read<TariffFacts>({ status_code: 1000, data: [tariff([{ price_components: [energy(0.4, 500)] }], { start_date_time: '2024-05-01T00:00:00' })] });
    expect(facts[0]).toMatchObject({ validFromMs: Date.UTC(2024, 4, 1), facts: { energyPerKwhMicro: 400_000, energyStepWh: 500 } });
  });

  it('look at weekday and time side by side: two rates for a night that begins and one that ends on a Friday', () => {
    const { first } = read<TariffFacts>([tariff([{ price_components: [energy(0.2)], restrictions: { start_time: '22:00', end_time: '04:00', day_of_week: ['FRIDAY'] } }])]);
    expect(first.rates.map(({ fromMinute, toMinute, weekdays }) => [fromMinute, toMinute, weekdays])).toEqual([[1320, 1440, [5]], [0, 240, [5]]]);
    expect(first.energyPerKwhMicro).toBe(0);
  });

  it.each([
    [tariff([{ price_components: [energy(0.4)], restrictions: { min_kwh: 20 } }]), 'elements.0.restrictions.min_kwh: our tariffs have no such restriction'],
    [tariff([{ price_components: [energy(0.4)] }], { max_price: { excl_vat: 10 } }), 'max_price: our tariffs have no such thing'],
    [tariff([{ price_components: [energy(0.4)] }], { end_date_time: '2025-01-01T00:00:00Z' }), 'end_date_time: our tariffs have no such thing'],
    [tariff([{ price_components: [{ type: 'FLAT', price: 1, step_size: 1 }], restrictions: { day_of_week: ['SUNDAY'] } }]), 'elements.0.price_components.0.type: our start fee is the same at all times'],
    [tariff([{ price_components: [{ type: 'TIME', price: 1, step_size: 60 }, { type: 'PARKING_TIME', price: 1, step_size: 900 }] }]), 'elements: steps of TIME and PARKING_TIME differ or are not whole: 60, 900'],
    [tariff([{ price_components: [{ type: 'MAX_CURRENT', price: 1 }] }]), 'elements.0.price_components.0.type: not ENERGY'],
    [tariff([{ price_components: [energy(0.4), energy(0.5)] }]), 'elements.0.price_components.1.type: ENERGY has two prices'],
    [tariff([{ price_components: [{ type: 'ENERGY' }] }]), 'elements.0.price_components.0.price: it is missing'],
  ])('set aside what ours cannot say (%#)', (wrong, reason) => {
    expect(read([wrong]).bad).toEqual([expect.stringContaining(`1 ${reason}`)]);
  });
});

describe('the pages', () => {
  const blocks = (page: string, language: string): readonly string[] =>
    [...readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', page), 'utf8').matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code);

  it('tariffs.md: the table and the JSON are the same tariff', () => {
    const [table, tariff] = [read<TariffFacts>(blocks('tariffs.md', 'csv')[0] ?? ''), read<TariffFacts>(blocks('tariffs.md', 'json')[0] ?? '')];
    expect([...table.bad, ...tariff.bad]).toEqual([]);
    expect(table.facts).toHaveLength(2);
    expect(tariff.facts.map(({ facts }) => facts)).toEqual([table.first]);
    expect(table.first.rates).toHaveLength(2);
  });

  it('reference-data.md: stations and a vehicle are read', () => {
    const [stations, vehicle] = blocks('reference-data.md', 'json').map((code) => read(code));
    expect([stations?.format, stations?.bad, stations?.rows.map(({ kind }) => kind)]).toEqual(['stations', [], ['facts', 'facts', 'closed']]);
    expect([vehicle?.format, vehicle?.bad, vehicle?.facts.length]).toEqual(['vehicles', [], 1]);
  });
});
