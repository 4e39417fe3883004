import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { charging, days, minutes, station, ten } from '../../charging/testing/events.ts';
import { chargingTopics } from '../../charging/topics.ts';
import { eventsTopic, stationsTopic } from '../../charging/topology.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import type { OutboundRecord } from '../../runtime/log/log.ts';
import { portsOf } from '../../runtime/ports.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { station as stationForm } from '../../schemas/generated/station.ts';
import { ask, voltstream } from './command.ts';

const partition = 0;

/** A record of the events topic and what becomes of it: a raw event, and a dead letter with this reason, or both. */
interface BadRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly raw: boolean;
  readonly letter: { readonly reason: string; readonly text: string } | null;
}

function key(text: string): Uint8Array {
  return Buffer.from(text);
}

/** All kinds of records, by a codec's own bytes for a sound event. */
function records(encode: (event: ChargingEvent) => Uint8Array): readonly BadRecord[] {
  const sound = (rest: Partial<ChargingEvent> = {}): Uint8Array => encode(charging({ type: 'Heartbeat', timestampMs: ten, ...rest }));
  const withSchemaId = (id: number): Uint8Array => {
    const bytes = Buffer.from(sound());
    bytes.writeUInt32BE(id, 1);
    return bytes;
  };
  const malformed = 'DESERIALISATION_FAILED';
  const unbelievable = 'EVENT_UNBELIEVABLE';
  const session = (type: ChargingEvent['type'], minute: number, stationId: string): BadRecord => ({
    key: key(stationId), raw: true, letter: null,
    value: sound({ type, stationId, transactionId: 'x', seqNo: minute === 0 ? 0 : 1, meterWh: minute * 100, timestampMs: ten + minutes(minute) }),
  });
  return [
    session('TransactionStarted', 0, 's1'),
    { key: key('s1'), value: sound().subarray(0, 20), raw: false, letter: { reason: malformed, text: 'ChargingEvent' } },
    { key: key('s1'), value: Buffer.concat([sound().subarray(0, 5), Buffer.alloc(40, 0xff)]), raw: false, letter: { reason: malformed, text: 'ChargingEvent' } },
    { key: key('s1'), value: withSchemaId(4_000_000), raw: false, letter: { reason: 'SCHEMA_UNKNOWN', text: '4000000' } },
    { key: key('s1'), value: Buffer.concat([Buffer.from([7]), sound()]), raw: false, letter: { reason: malformed, text: 'no schema id' } },
    { key: key('s1'), value: Buffer.alloc(0), raw: false, letter: { reason: malformed, text: 'no schema id' } },
    { key: key('s1'), value: Buffer.from('{"eventId":"json"}'), raw: false, letter: { reason: malformed, text: 'no schema id' } },
    { key: key('s1'), value: Buffer.concat([sound().subarray(0, 5), Buffer.alloc(10_000_000, 0x61)]), raw: false, letter: { reason: malformed, text: 'ChargingEvent' } },
    { key: key('s1'), value: sound({ eventId: 'large', idToken: 'x'.repeat(10_000_000) }), raw: true, letter: null },
    { key: null, value: sound({ eventId: 'null-key' }), raw: true, letter: { reason: unbelievable, text: 'the key null is not the station s1' } },
    { key: key('s1'), value: null, raw: false, letter: { reason: unbelievable, text: 'the record has no value' } },
    { key: null, value: null, raw: false, letter: { reason: unbelievable, text: 'the record has no value' } },
    { key: key('s2'), value: sound({ eventId: 'other-key' }), raw: true, letter: { reason: unbelievable, text: 'the key s2 is not the station s1' } },
    { key: Buffer.from([0xff, 0xfe]), value: sound(), raw: false, letter: { reason: malformed, text: '' } },
    { key: key(''), value: sound({ eventId: 'empty', stationId: '' }), raw: true, letter: { reason: unbelievable, text: 'stationId is empty' } },
    { key: key('s1'), value: sound({ eventId: 'time', timestampMs: -1 }), raw: true, letter: { reason: unbelievable, text: 'timestampMs -1 is absurd' } },
    { key: key('s1'), value: sound({ eventId: 'nan', meterWh: Number.NaN }), raw: true, letter: { reason: unbelievable, text: 'meterWh NaN' } },
    { key: key('s1'), value: sound({ eventId: 'energy', meterWh: 1e12 }), raw: true, letter: { reason: unbelievable, text: 'meterWh 1000000000000' } },
    session('TransactionStarted', 0, 'nobody-knows-me'),
    session('TransactionEnded', 30, 'nobody-knows-me'),
    session('TransactionEnded', 30, 's1'),
    // Two days on, so that both sessions are closed by time.
    { key: key('nobody-knows-me'), value: sound({ eventId: 'later-1', stationId: 'nobody-knows-me', timestampMs: ten + days(2) }), raw: true, letter: null },
    { key: key('s1'), value: sound({ eventId: 'later-2', timestampMs: ten + days(2) }), raw: true, letter: null },
  ];
}

describe('bad records in the log', () => {
  const data = mkdtempSync(join(tmpdir(), 'voltstream-bad-records-'));
  let sent: readonly BadRecord[] = [];

  beforeAll(async () => {
    const { log, registry } = await portsOf(loadConfiguration({ flags: { data } }));
    await log.open();
    await registry.open();
    await log.createTopics(chargingTopics(1));
    const events = await registry.writer(`${eventsTopic}-value`, chargingEvent);
    const stations = await registry.writer(`${stationsTopic}-value`, stationForm);
    sent = records((event) => events.encode(event));
    const producer = await log.producer();
    const known: OutboundRecord = { topic: stationsTopic, partition, key: key('s1'), value: stations.encode(station), timestampMs: ten - days(400) };
    const broken: OutboundRecord = { topic: stationsTopic, partition, key: key('s1'), value: Buffer.from('broken'), timestampMs: ten };
    await producer.append([known, broken, ...sent.map((record): OutboundRecord => ({
      topic: eventsTopic, partition, key: record.key, value: record.value, timestampMs: ten, headers: [{ key: 'from', value: Buffer.from('test') }],
    }))]);
    await producer.close();
    await registry.close();
    await log.close();
    await voltstream('run', '--exit', '--no-sample', '--set', 'partitions=1', '--data', data);
  }, 120_000);
  afterAll(() => rmSync(data, { recursive: true, force: true }));

  it('sets each aside once, under its position, with its reason, its size and its headers', async () => {
    const letters = await ask<{ offset: number; reason: string; error: string; bytes: number; kept: number; headers: readonly string[] }>(data,
      'SELECT toUInt32(offset) AS offset, reason, error, toUInt32(value_bytes) AS bytes, toUInt32(length(ifNull(value, \'\'))) AS kept, header_values AS headers ' +
      `FROM voltstream.dead_letters WHERE topic = '${eventsTopic}' ORDER BY offset`);
    const expected = sent.flatMap((record, offset) => record.letter === null ? [] : [{ offset, reason: record.letter.reason, bytes: record.value?.length ?? 0 }]);
    expect(letters.map(({ offset, reason, bytes }) => ({ offset, reason, bytes }))).toEqual(expected);
    for (const { offset, error, bytes, kept, headers } of letters) {
      expect(error).toContain(sent[offset]?.letter?.text);
      expect(error.length).toBeLessThan(2_000);
      expect(kept).toBe(Math.min(bytes, 65_536));
      expect(headers).toEqual(['test']);
    }
  });

  it('sets a broken record of a table aside and keeps what the table had', async () => {
    const found = await ask<object>(data, `SELECT reason FROM voltstream.dead_letters WHERE topic = '${stationsTopic}'`);
    expect(found).toEqual([{ reason: 'DESERIALISATION_FAILED' }]);
  });

  it('keeps as raw events all that could be read, so that the log is the raw events and what was set aside unread', async () => {
    const rows = await ask<{ offset: number }>(data, 'SELECT toUInt32(offset) AS offset FROM voltstream.charging_events ORDER BY offset');
    expect(rows.map(({ offset }) => offset)).toEqual(sent.flatMap(({ raw }, offset) => (raw ? [offset] : [])));
    const unread = sent.filter(({ raw, letter }) => !raw && letter !== null).length;
    expect(rows.length + unread).toBe(sent.length);
  });

  it('goes on: the sessions around it are whole, of an unknown station, too', async () => {
    const sessions = await ask<object>(data,
      'SELECT station_id, site_id, energy_wh, complete, flags FROM voltstream.charging_sessions FINAL ORDER BY station_id');
    expect(sessions).toEqual([
      { station_id: 'nobody-knows-me', site_id: '', energy_wh: 3_000, complete: true, flags: ['unknown-station'] },
      { station_id: 's1', site_id: 'Site', energy_wh: 3_000, complete: true, flags: [] },
    ]);
  });
});
