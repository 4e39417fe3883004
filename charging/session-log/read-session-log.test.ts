import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { dundeeFiles } from './dundee-files.ts';
import { dundeeMapping } from './dundee.mapping.ts';
import type { SessionLogMapping } from './mapping.ts';
import { readSessionLogs } from './read-session-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'session-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

const header = 'Charging event,CP ID,Connector,Start Date,Start Time,End Date,End Time,Total kWh,Cost,Site,Group,Model';
const row = (id: string, rest: string): string => `${id},${rest},0,"A, Dundee",g; h,APT 7kW Dual Outlet`;

function file(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  const text = `${lines.join('\r\n')}\r\n`;
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

function readAll(paths: readonly string[], mapping: SessionLogMapping = dundeeMapping) {
  return Array.fromAsync(readSessionLogs(paths, mapping));
}

describe('readSessionLogs', () => {
  it('reads rows into our units, with the line they stand on', async () => {
    const path = file('plain.csv', [header, row('1', '50349,2,02/03/2018,23:47,03/03/2018,00:14,22.287')]);
    expect(await readAll([path])).toEqual([{
      kind: 'row', file: 'plain.csv', line: 2, rowId: '1', stationId: '50349', connectorId: 2,
      startMs: Date.UTC(2018, 2, 2, 23, 47), stopMs: Date.UTC(2018, 2, 3, 0, 14), energyWh: 22_287, site: 'A, Dundee',
      model: 'APT 7kW Dual Outlet', idToken: null, vehicleModel: null, socFrom: null, socTo: null, doubts: [], startClock: 'exact', stopClock: 'exact',
    }]);
  });

  it('reads gzip, a byte order mark, and columns without a name by their place', async () => {
    const wide = `\uFEFF${header.replace('CP ID', 'User ID,CP ID')},,,`;
    const path = file('wide.csv.gz', [
      wide,
      `${row('2', '604724H,50349,1,02/03/2018,23:47,03/03/2018,00:14,5')},,,Nissan LEAF`,
      `${row('3', '604724H,50349,1,02/03/2018,23:47,03/03/2018,00:14,5')},,,Other Other`,
    ]);
    const rows = await readAll([path]);
    expect(rows).toMatchObject([{ rowId: '2', idToken: '604724H', vehicleModel: 'Nissan LEAF' }, { rowId: '3', vehicleModel: null }]);
  });

  it('keeps a row without stop and energy, and judges nothing', async () => {
    const path = file('open.csv', [
      header, row('1', '50349,2,02/03/2018,23:47,,,'), row('2', '50349,2,02/03/2018,23:47,01/01/1970,01:00,-3.5'),
    ]);
    expect(await readAll([path])).toMatchObject([{ stopMs: null, energyWh: null }, { stopMs: 0, energyWh: -3500 }]);
  });

  it('takes a stop in the hour that comes twice as the second one when it would lie before its start', async () => {
    const path = file('autumn.csv', [
      header, row('1', '50349,2,29/10/2017,01:55,29/10/2017,01:20,11.34'), row('2', '50349,2,29/10/2017,01:04,29/10/2017,01:20,1'),
    ]);
    const [first, second] = await readAll([path]);
    expect(first).toMatchObject({ startMs: Date.UTC(2017, 9, 29, 0, 55), stopMs: Date.UTC(2017, 9, 29, 1, 20), stopClock: 'ambiguous' });
    expect(second).toMatchObject({ startMs: Date.UTC(2017, 9, 29, 0, 4), stopMs: Date.UTC(2017, 9, 29, 0, 20) });
  });

  it('sets aside what it cannot read, with file, line, column and reason, and goes on', async () => {
    const good = row('9', '50349,2,02/03/2018,23:47,03/03/2018,00:14,1');
    const path = file('bad.csv', [
      header,
      row('1', ',2,02/03/2018,23:47,03/03/2018,00:14,1'),
      row('2', '50349,x,02/03/2018,23:47,03/03/2018,00:14,1'),
      row('3', '50349,2,30/02/2018,23:47,03/03/2018,00:14,1'),
      row('4', '50349,2,02/03/2018,23:47,03/03/2018,25:14,1'),
      row('5', '50349,2,02/03/2018,23:47,03/03/2018,00:14,1e9'),
      row('6', '50349,2,,,,,1'),
      '7,50349,2,02/03/2018',
      row('8', '50349,2,02/03/2018,23:47,03/03/2018,00:14,1').replace('7kW', '9kW'),
      row('', '50349,2,02/03/2018,23:47,03/03/2018,00:14,1'),
      good,
    ]);
    const rows = await readAll([path]);
    expect(rows.map((one) => (one.kind === 'row' ? [one.line, one.rowId] : [one.line, one.column, one.reason]))).toEqual([
      [2, 'CP ID', 'no station'],
      [3, 'Connector', 'not a connector number'],
      [4, 'Start Date Start Time', 'not a time of the form DD/MM/YYYY HH:mm: "30/02/2018 23:47"'],
      [5, 'End Date End Time', 'not a time of the form DD/MM/YYYY HH:mm: "03/03/2018 25:14"'],
      [6, 'Total kWh', 'not a number: "1e9"'],
      [7, 'Start Date Start Time', 'neither start nor stop'],
      [8, '', "4 columns instead of the header's 12"],
      [9, 'Model', 'unknown model APT 9kW Dual Outlet'],
      [10, 'Charging event', 'no id'],
      [11, '9'],
    ]);
    expect(rows[0]).toMatchObject({ kind: 'quarantined', file: 'bad.csv', raw: row('1', ',2,02/03/2018,23:47,03/03/2018,00:14,1') });
  });

  it('sets aside a second row with the same id, also in another file', async () => {
    const line = row('1', '50349,2,02/03/2018,23:47,03/03/2018,00:14,1');
    const rows = await readAll([file('a.csv', [header, line]), file('b.csv', [header, line])]);
    expect(rows).toMatchObject([{ kind: 'row' }, { kind: 'quarantined', file: 'b.csv', line: 2, reason: 'the id 1 occurred before, in a.csv:2' }]);
  });

  it('loses no row behind broken quotes', async () => {
    const good = (id: string) => row(id, '50349,2,02/03/2018,23:47,03/03/2018,00:14,1');
    const path = file('quotes.csv', [
      header, '1,50349,2,02"03"2018,x', good('2'), '3,50349,2,"x"y,z', good('4'), `5,"not closed,${good('6')}`, good('7'), '8,"nor here', good('9'),
    ]);
    const rows = await readAll([path]);
    expect(rows.map((one) => (one.kind === 'row' ? [one.line, one.rowId] : [one.line, 'quarantined']))).toEqual([
      [2, 'quarantined'], [3, '2'], [4, 'quarantined'], [5, '4'], [6, 'quarantined'], [7, '7'], [8, 'quarantined'], [9, '9'],
    ]);
  });

  it('reads decimal commas, semicolons and words for no value', async () => {
    const mapping: SessionLogMapping = { ...dundeeMapping, delimiter: ';', decimalMark: ',', noValue: ['NA'] };
    const path = file('comma.csv', [
      header.replaceAll(',', ';'), '1;50349;2;02/03/2018;23:47;NA;NA;0,136666667;0;NA;g;APT 7kW Dual Outlet',
    ]);
    expect(await readAll([path], mapping)).toMatchObject([{ stopMs: null, energyWh: 136.667, site: null }]);
  });

  it('refuses a file that lacks a column, and one that is not there', async () => {
    await expect(readAll([file('other.csv', ['a,b', '1,2'])])).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    await expect(readAll([join(folder, 'none.csv')])).rejects.toThrow(/ENOENT/);
  });

  it('reads the whole of Dundee: 67,110 rows, and 2 without a charge point', async () => {
    const rows = await readAll(dundeeFiles());
    expect(rows.length).toBe(67_112);
    const quarantined = rows.filter((one) => one.kind === 'quarantined');
    expect(quarantined.map(({ file: name, line, column }) => [name, line, column])).toEqual([
      ['cpdata_2017-09_2017-12.csv.gz', 2, 'CP ID'], ['cpdata_2017-09_2017-12.csv.gz', 3, 'CP ID'],
    ]);
  });
});
