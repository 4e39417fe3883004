import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, voltstream } from './command.ts';

const ten = Date.UTC(2024, 4, 14, 10);

function event(id: string, rest: object = {}): string {
  return JSON.stringify({ eventId: id, type: 'Heartbeat', stationId: 'lines-1', timestampMs: ten, ...rest });
}

interface Line {
  readonly bytes: string | Buffer;
  /** What becomes of it: nothing at all, an event, or a dead letter whose reason holds this text. */
  readonly becomes: 'nothing' | 'event' | { readonly quarantined: string } | { readonly setAside: string };
  /** Stands for "\n". */
  readonly end?: string;
}

const lines: readonly Line[] = [
  { bytes: event('good-1'), becomes: 'event' },
  { bytes: '', becomes: 'nothing' },
  { bytes: '   ', becomes: 'nothing' },
  { bytes: '{"eventId": "broken', becomes: { quarantined: 'wanted a JSON object' } },
  { bytes: '[1, 2]', becomes: { quarantined: 'wanted a JSON object, got [1,2]' } },
  { bytes: 'null', becomes: { quarantined: 'wanted a JSON object, got null' } },
  { bytes: '"text"', becomes: { quarantined: 'wanted a JSON object' } },
  { bytes: event('text-time', { timestampMs: '2024-05-14T10:00:00Z' }), becomes: { quarantined: 'timestampMs: wanted UTC milliseconds' } },
  { bytes: event('half', { timestampMs: 1.5 }), becomes: { quarantined: 'timestampMs: wanted UTC milliseconds' } },
  { bytes: event('text-energy', { meterWh: '12' }), becomes: { quarantined: 'meterWh: wanted a finite number' } },
  { bytes: event('infinite').replace('}', ', "meterWh": 1e999}'), becomes: { quarantined: 'meterWh: wanted a finite number' } },
  { bytes: event('big', { evseId: 3_000_000_000 }), becomes: { quarantined: 'evseId: wanted a whole number of 32 bits' } },
  { bytes: event('kind', { type: 'Exploded' }), becomes: { quarantined: 'type: wanted TransactionStarted' } },
  { bytes: event('', {}), becomes: { quarantined: 'eventId: wanted text that is not empty' } },
  { bytes: '{"type":"Heartbeat","stationId":"lines-1","timestampMs":1}', becomes: { quarantined: 'eventId: wanted text that is not empty, got nothing' } },
  { bytes: event('no-station', { stationId: null }), becomes: { quarantined: 'stationId: wanted text that is not empty, got null' } },
  { bytes: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), becomes: { quarantined: 'the line is not UTF-8' } },
  { bytes: event('unknown-field', { colour: 'red', nested: { deep: [1] } }), becomes: 'event' },
  { bytes: event('windows-line'), becomes: 'event', end: '\r\n' },
  { bytes: '{"windows": "broken"', becomes: { quarantined: 'wanted a JSON object' }, end: '\r\n' },
  { bytes: event('long-ago', { timestampMs: 0 }), becomes: { setAside: 'timestampMs 0 is absurd' } },
  { bytes: event('far-ahead', { timestampMs: 4e15 }), becomes: { setAside: 'is absurd' } },
  { bytes: event('before-time', { timestampMs: -5 }), becomes: { setAside: 'timestampMs -5 is absurd' } },
  { bytes: event('rescued', { timestampMs: 0, receivedMs: ten }), becomes: 'event' },
  { bytes: event('too-much', { meterWh: 1e300 }), becomes: { setAside: 'is not a believable number' } },
  { bytes: event('too-little', { powerW: -1e12 }), becomes: { setAside: 'is not a believable number' } },
  { bytes: event('nine-megabytes', { idToken: 'x'.repeat(9_000_000) }), becomes: 'event' },
  { bytes: event('eleven-megabytes', { idToken: 'x'.repeat(11_000_000) }), becomes: { quarantined: 'a line is at most 10000000 bytes' } },
  { bytes: event('good-2'), becomes: 'event' },
  { bytes: '{"eventId": "the file ends here', becomes: { quarantined: 'wanted a JSON object' }, end: '' },
];

const quarantined = lines.flatMap(({ becomes }, index) => typeof becomes === 'object' && 'quarantined' in becomes ? [{ line: index + 1, reason: becomes.quarantined }] : []);
const setAside = lines.flatMap(({ becomes }) => typeof becomes === 'object' && 'setAside' in becomes ? [becomes.setAside] : []);
const events = lines.filter(({ becomes }) => becomes === 'event').length + setAside.length;

describe('a file of bad lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-bad-lines-'));
  const data = join(folder, 'data');
  const file = join(folder, 'bad.jsonl');
  let outcome: { readonly events: number; readonly quarantined: number; readonly lines: number };

  beforeAll(async () => {
    writeFileSync(file, Buffer.concat(lines.flatMap(({ bytes, end }) => [Buffer.from(bytes), Buffer.from(end ?? '\n')])));
    outcome = JSON.parse(await voltstream('ingest', file, '--json', '--data', data)) as typeof outcome;
    await voltstream('run', '--exit', '--no-sample', '--data', data);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('becomes as many events and quarantined lines as it has lines', () => {
    expect(outcome).toMatchObject({ events, quarantined: quarantined.length, lines: events + quarantined.length });
  });

  it('shows each line that is no event, with its number, its reason and its beginning, in dead_letters', async () => {
    const letters = await ask<{ key: string; error: string; bytes: number; kept: number }>(data,
      "SELECT key, error, toUInt32(value_bytes) AS bytes, toUInt32(length(value)) AS kept FROM voltstream.dead_letters WHERE reason = 'LINE_UNREADABLE' " +
      "ORDER BY toUInt32(splitByChar(':', assumeNotNull(key))[2])");
    expect(letters.map(({ key }) => key)).toEqual(quarantined.map(({ line }) => `bad.jsonl:${line}`));
    for (const [index, { reason }] of quarantined.entries()) expect(letters[index]?.error).toContain(reason);
    for (const { bytes, kept } of letters) expect(kept).toBe(Math.min(bytes, 65_536));
  });

  it('shows each event that cannot be believed with its reason', async () => {
    const letters = await ask<{ error: string }>(data,
      "SELECT error FROM voltstream.dead_letters WHERE reason = 'EVENT_UNBELIEVABLE' ORDER BY topic, partition, offset");
    expect(letters).toHaveLength(setAside.length);
    for (const [index, reason] of setAside.entries()) expect(letters[index]?.error).toContain(reason);
  });

  it('keeps every event as it came, a line of 9 MB among them', async () => {
    const [found] = await ask<object>(data, 'SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(event_id)) AS events, ' +
      "toUInt32(max(length(ifNull(id_token, '')))) AS longest FROM voltstream.charging_events");
    expect(found).toEqual({ rows: events, events, longest: 9_000_000 });
  });

  it('adds nothing when it is taken again', async () => {
    await voltstream('ingest', file, '--json', '--data', data);
    await voltstream('run', '--exit', '--no-sample', '--data', data);
    const [found] = await ask<object>(data, 'SELECT (SELECT toUInt32(count()) FROM voltstream.charging_events) AS rows, ' +
      '(SELECT toUInt32(count()) FROM voltstream.dead_letters) AS letters');
    expect(found).toEqual({ rows: events, letters: quarantined.length + setAside.length });
  }, 60_000);
});
