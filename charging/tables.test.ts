import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { charging, ten } from './testing/events.ts';
import { chargingTables, deadLetterBytesMax, deadLetterRow, eventRow, lateRow } from './tables.ts';

const folder = join(import.meta.dirname, '..', 'deploy', 'clickhouse');
const sql = readdirSync(folder).filter((name) => name.endsWith('.sql')).sort().map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
const origin = { topic: 'charging.events', partition: 1, offset: 7, timestampMs: ten };

/** Columns of a table as its CREATE TABLE has them: name, type, and what comes behind the type. */
function columnsIn(table: string): ReadonlyMap<string, string> {
  const body = new RegExp(`\\{database\\}\\.${table}\\n\\(([\\s\\S]*?)\\n\\)\\nENGINE`).exec(sql)?.[1] ?? '';
  const lines = body.split('\n').map((line) => line.trim()).filter((line) => /^[a-z_]+ +[A-Z]/.test(line));
  return new Map(lines.map((line) => {
    const [, name = '', rest = ''] = /^([a-z_]+) +(.*?),?$/.exec(line) ?? [];
    return [name, rest];
  }));
}

describe('chargingTables', () => {
  const tables = chargingTables('db');

  it.each(Object.values(tables))('has the columns and types that deploy/clickhouse creates: $table', (table) => {
    const created = columnsIn(table.table);
    expect(created.size).toBeGreaterThan(5);
    for (const [name, type] of Object.entries(table.columns as Record<string, string>)) {
      const rest = created.get(name);
      expect(rest?.startsWith(type), `${table.table}.${name}: ${type} in code, ${rest ?? 'nothing'} in SQL`).toBe(true);
      expect(rest?.slice(type.length)).toMatch(/^( |$)/);
    }
    for (const [name, rest] of created) {
      const filled = name in table.columns || name.startsWith('_') || rest.includes('DEFAULT') || rest.includes('ALIAS') || rest.includes('Nullable');
      expect(filled, `${table.table}.${name} has neither a value nor a default`).toBe(true);
    }
  });

  it('names partitions as the tables do', () => {
    const partition = (ms: number) => tables.events.partitionOf(eventRow(charging({ type: 'Heartbeat', timestampMs: ms }), 's1', ms, origin));
    expect([partition(ten), partition(Date.UTC(2010, 0, 1)), partition(Date.UTC(2069, 11, 31)), partition(Date.UTC(2071, 0, 1))]).toEqual(['201805', '201001', '206912', '0']);
    expect(tables.sessions.partitionOf({ opened_time: ten } as never)).toBe('201805');
    expect(tables.visits.partitionOf({ opened_time: Date.UTC(2009, 11, 31) } as never)).toBe('0');
  });

  it('sorts an event with an absurd time by the log’s, and keeps what the device said', () => {
    expect(eventRow(charging({ type: 'Heartbeat', timestampMs: 0 }), 's1', 0, origin)).toMatchObject({ event_time: ten, timestamp_ms: 0, topic: 'charging.events', partition: 1, offset: 7 });
    expect(eventRow(charging({ type: 'Heartbeat', timestampMs: 0, receivedMs: ten - 1 }), 's1', 0, origin)).toMatchObject({ event_time: ten - 1 });
  });

  it('has a place for what came late of no record: when sources are idle', () => {
    const late = { step: 'station-load', number: 1, stationId: 's1', eventId: 'idle/s1', energyWh: 0, json: '{}' };
    expect(lateRow(late, 's1', ten, { topic: '', partition: -1, offset: -1, timestampMs: ten + 5 })).toMatchObject({ topic: '', partition: 0, offset: ten + 5, number: 1, key: 's1' });
    expect(lateRow(late, 's1', ten, origin)).toMatchObject({ topic: 'charging.events', partition: 1, offset: 7 });
  });

  it('cuts the value of a dead letter, and says how long it was', () => {
    const value = new Uint8Array(10_000_000);
    const row = deadLetterRow({
      stage: 'deserialise', step: 's', reason: 'R', exception: 'Error', message: 'm', stacktrace: 'Error: m', topic: 't', partition: 0, offset: 1, index: 0, timestampMs: -5, form: 'bytes', key: null, value,
      headers: [{ key: 'h', value: new Uint8Array([1]) }],
    });
    expect(row).toMatchObject({ value_bytes: 10_000_000, record_time: 0, key: null, header_keys: ['h'] });
    expect((row.value as Uint8Array).length).toBe(deadLetterBytesMax);
  });
});
