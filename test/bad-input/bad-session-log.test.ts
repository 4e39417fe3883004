import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, voltstream } from './command.ts';

const header = 'Nr,Box,Plug,From,To,kWh';
/** A line, and what becomes of it: a session, or the reason for which it is set aside. */
const lines: readonly (readonly [line: string, becomes: string | null])[] = [
  ['1,bad-1,1,2024-05-01 08:00,2024-05-01 09:00,7.25', null],
  ['2,,1,2024-05-01 08:00,2024-05-01 09:00,7', 'Box: no station'],
  ['3,bad-1,0,2024-05-01 08:00,2024-05-01 09:00,7', 'Plug: not a connector number'],
  ['4,bad-1,99999999999,2024-05-01 08:00,2024-05-01 09:00,7', 'Plug: not a connector number'],
  ['5,bad-1,1,2024-02-30 08:00,2024-05-01 09:00,7', 'From: not a time of the form YYYY-MM-DD HH:mm: "2024-02-30 08:00"'],
  ['6,bad-1,1,2024-05-01 08:00,01/05/2024 09:00,7', 'To: not a time of the form'],
  ['7,bad-1,1,2024-05-01 08:00,2024-05-01 09:00,NaN', 'kWh: not a number: "NaN"'],
  ['8,bad-1,1,2024-05-01 08:00,2024-05-01 09:00,1e3', 'kWh: not a number: "1e3"'],
  ['9,bad-1,1,2024-05-01 08:00', "4 columns instead of the header's 6"],
  ['1,bad-1,1,2024-05-02 08:00,2024-05-02 09:00,7', 'Nr: the id 1 occurred before, in bad.csv.gz:2'],
  [',bad-1,1,2024-05-02 08:00,2024-05-02 09:00,7', 'Nr: no id'],
  ['12,bad-1,1,,,7', 'From: neither start nor stop'],
  ['13,bad-1,1,2024-05-02 10:00,2024-05-02 11:00,5', null],
];

describe('a session log of bad rows', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-bad-session-log-'));
  const data = join(folder, 'data');
  const file = join(folder, 'bad.csv.gz');
  const mapping = join(folder, 'boxes.yaml');
  let outcome: object;

  const write = (rows: readonly string[]): void => writeFileSync(file, gzipSync(`${[header, ...rows].join('\r\n')}\r\n`));
  const take = async (): Promise<object> => {
    const text = await voltstream('ingest', file, '--mapping', mapping, '--json', '--data', data);
    await voltstream('run', '--exit', '--no-sample', '--data', data);
    return JSON.parse(text) as object;
  };

  beforeAll(async () => {
    write(lines.map(([line]) => line));
    writeFileSync(mapping, `name: boxes
zone: Europe/Berlin
columns:
  id: Nr
  station: Box
  connector: Plug
  start: {column: From, format: YYYY-MM-DD HH:mm}
  stop: {column: To, format: YYYY-MM-DD HH:mm}
  energy: {column: kWh, unit: kWh}
outlet: {current: AC, powerMaxW: 11000}
`);
    outcome = await take();
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has as many sessions and quarantined rows as lines', () => {
    expect(outcome).toMatchObject({ rows: 2, quarantined: lines.length - 2, flagged: 0 });
  });

  it('shows each quarantined row with file, line, column and reason', async () => {
    const letters = await ask<{ error: string }>(data,
      "SELECT error FROM voltstream.dead_letters WHERE reason = 'LINE_UNREADABLE' ORDER BY toUInt32(splitByChar(':', assumeNotNull(key))[2])");
    const wanted = lines.flatMap(([, reason], index) => (reason === null ? [] : [`bad.csv.gz:${index + 2}: ${reason}`]));
    expect(letters).toHaveLength(wanted.length);
    for (const [index, text] of wanted.entries()) expect(letters[index]?.error).toContain(text);
  });

  it('has every sound row as a session, by the answer of verify', async () => {
    const result = JSON.parse(await voltstream('verify', '--against', file, '--mapping', mapping, '--json', '--data', data)) as object;
    expect(result).toMatchObject({ ok: true, rows: lines.length, sessions: 2, mismatchCount: 0 });
  });

  it('adds nothing when taken again, and replaces a corrected row by revision', async () => {
    expect(await take()).toMatchObject({ added: 0, corrected: 0, events: 0 });
    write(lines.map(([line]) => line.replace('11:00,5', '11:30,6.5')));
    expect(await take()).toMatchObject({ added: 0, corrected: 1, unchanged: lines.length - 1 });
    const sessions = await ask<object>(data, 'SELECT transaction_id AS id, toString(stop_time) AS stop, energy_wh, revision > 0 AS revised FROM voltstream.charging_sessions FINAL ORDER BY start_time');
    expect(sessions).toEqual([
      { id: '1', stop: '2024-05-01 07:00:00.000', energy_wh: 7250, revised: 0 },
      { id: '13', stop: '2024-05-02 09:30:00.000', energy_wh: 6500, revised: 1 },
    ]);
  }, 120_000);
});
