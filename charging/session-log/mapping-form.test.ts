import { describe, expect, it } from 'vitest';
import { mappingOf } from './mapping-form.ts';

const smallest = {
  name: 'my-garage', zone: 'Europe/Berlin', outlet: { current: 'AC', powerMaxW: 11_000 },
  columns: {
    station: 'Box', start: { column: 'From', format: 'YYYY-MM-DD HH:mm' }, stop: { column: 'To', format: 'YYYY-MM-DD HH:mm' },
    energy: { column: 'kWh', unit: 'kWh' },
  },
};

describe('mappingOf', () => {
  it('fills in what may be left out', () => {
    expect(mappingOf(smallest, 'm.yaml')).toEqual({
      name: 'my-garage', title: 'my-garage', attribution: '', operator: null, city: null, country: null, zone: 'Europe/Berlin',
      delimiter: ',', decimalMark: '.', noValue: [], connectors: {}, optional: [], noVehicle: [], models: {}, stations: {}, checks: [],
      defaultOutlet: { current: 'AC', powerMaxW: 11_000, standard: null },
      columns: {
        id: null, station: 'Box', connector: null, start: { columns: ['From'], format: 'YYYY-MM-DD HH:mm' },
        stop: { columns: ['To'], format: 'YYYY-MM-DD HH:mm' }, energy: { column: 'kWh', unit: 'kWh' }, site: null, model: null,
        idToken: null, vehicleModel: null, socFrom: null, socTo: null,
      },
    });
  });

  const columns = (fields: object) => ({ ...smallest, columns: { ...smallest.columns, ...fields } });
  it.each([
    ['the whole is no mapping', 'text', '(the whole)', 'names with values', '"text"'],
    ['the name would not do in an id', { ...smallest, name: 'My garage' }, 'name', 'small letters', '"My garage"'],
    ['the zone is no zone', { ...smallest, zone: 'Europe/Atlantis' }, 'zone', 'the name of a time zone', '"Europe/Atlantis"'],
    ['the zone is missing', { ...smallest, zone: undefined }, 'zone', 'text', 'nothing'],
    ['a name is not known', { ...smallest, delimeter: ';' }, 'delimeter', 'one of name, title', '"delimeter"'],
    ['a column is not known', columns({ stations: 'Box' }), 'columns.stations', 'one of id, station', '"stations"'],
    ['the station is missing', columns({ station: undefined }), 'columns.station', 'text', 'nothing'],
    ['the form of a time lacks the year', columns({ start: { column: 'From', format: 'DD.MM. HH:mm' } }), 'columns.start.format', 'YYYY, MM (or M)', '"DD.MM. HH:mm"'],
    ['a time has no column', columns({ start: { format: 'YYYY-MM-DD' } }), 'columns.start.columns', 'at least one column', '[]'],
    ['the unit is not known', columns({ energy: { column: 'kWh', unit: 'MWh' } }), 'columns.energy.unit', 'one of "Wh", "kWh"', '"MWh"'],
    ['the duration has no unit', columns({ stop: { after: 'Minutes' } }), 'columns.stop.unit', 'one of "seconds", "minutes"', 'nothing'],
    ['the outlet has no power', { ...smallest, outlet: { current: 'AC', powerMaxW: 0 } }, 'outlet.powerMaxW', 'a whole number from 1', '0'],
    ['there is neither outlet nor model', { ...smallest, outlet: undefined }, 'outlet', 'what an outlet can do', 'nothing'],
    ['both marks are the same', { ...smallest, decimalMark: ',', thousandsMark: ',' }, 'thousandsMark', 'another mark', '","'],
    ['a check is not known', { ...smallest, checks: [{ name: 'x', kind: 'guess' }] }, 'checks.0.kind', 'one of "duration"', '"guess"'],
    ['a share is none', { ...smallest, checks: [{ name: 'x', kind: 'present', columns: ['c'], maxShare: 2 }] }, 'checks.0.maxShare', 'a share from 0 to 1', '2'],
    ['hours are no hours', { ...smallest, checks: [{ name: 'x', kind: 'timeOfDay', column: 'c', hours: { Noon: [12, 30] } }] }, 'checks.0.hours.Noon', 'two numbers from 0 to 24', '[12,30]'],
    ['a list holds something else', { ...smallest, noValue: ['-', 3] }, 'noValue.1', 'text', '3'],
  ])('says what, where, wanted, got and cure when %s', (_what, document, where, wanted, got) => {
    let message = '';
    try {
      mappingOf(document, 'm.yaml');
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('CONFIGURATION_INVALID: the mapping cannot be used');
    expect(message).toContain(`where: m.yaml: ${where}\n`);
    expect(message).toContain(`wanted: ${wanted}`);
    expect(message).toContain(`got: ${got}`);
    expect(message).toContain('cure: ');
  });
});
