import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chargingTables } from '../../charging/tables.ts';
import { migrate } from '../../runtime/migrations.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { checkTable } from '../../runtime/sinks/clickhouse/check-table.ts';
import { PieceDelivery } from '../../runtime/sinks/clickhouse/delivery.ts';
import { sealedPiece } from '../../runtime/sinks/clickhouse/sealed-piece.ts';
import { rowEncoder } from '../../runtime/sinks/clickhouse/row-binary.ts';
import { RowBuffer, writeRowVersion } from '../../runtime/sinks/clickhouse/row-buffer.ts';
import type { ColumnType, ColumnValue } from '../../topology/sink.ts';

interface Table {
  readonly database: string;
  readonly table: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
}

const database = 'voltstream';
const tables = chargingTables(database);
const all = Object.values(tables) as readonly Table[];

/** Some value of a type, for columns that a test does not look at. */
function anyValue(type: ColumnType): ColumnValue {
  if (type.startsWith('Array')) return [];
  if (type.includes('Nullable')) return null;
  if (type === 'Bool') return false;
  return /String/.test(type) ? '' : 0;
}

function plainRow(columns: Readonly<Record<string, ColumnType>>, given: Readonly<Record<string, ColumnValue>>): Record<string, ColumnValue> {
  return { ...Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, anyValue(type)])), ...given };
}

function encoded(table: Table, rows: readonly Record<string, ColumnValue>[]): Uint8Array[] {
  const encode = rowEncoder<Record<string, ColumnValue>>(table.columns);
  const buffer = new RowBuffer();
  return rows.map((row, ordinal) => {
    encode(row, buffer);
    writeRowVersion(buffer, 1, ordinal);
    return buffer.take();
  });
}

describe('the shipped tables', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-tables-'));
  const warehouse = new ChdbWarehouse({ folder });

  beforeAll(async () => {
    await warehouse.open();
    await migrate(warehouse, { folder: fileURLToPath(new URL('.', import.meta.url)), database });
  });

  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  it.each(all)('$table is as the topology defines it, and fit for exactly-once delivery', async (table) => {
    expect(await checkTable(warehouse, table)).toEqual({ engine: 'ReplacingMergeTree', replicated: false });
  });

  const times = [
    '1970-01-01T00:00:00.000Z', '2009-12-31T23:59:59.999Z', '2010-01-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z', '2024-03-01T00:00:00.000Z',
    '2069-12-31T23:59:59.999Z', '2070-01-01T00:00:00.000Z', '2199-12-31T00:00:00.000Z',
  ].map((text) => Date.parse(text));

  it.each([
    [tables.events, 'event_time'],
    [tables.hours, 'hour'],
    [tables.days, 'day'],
    [tables.sessions, 'opened_time'],
    [tables.visits, 'opened_time'],
  ] as const)('%o: a row lands in the partition that the topology says', async (definition, timeColumn) => {
    const table = definition as Table;
    const partitionOf = definition.partitionOf as (row: Record<string, ColumnValue>) => string;
    const delivery = new PieceDelivery({ warehouse, table });
    // No event is believed to be later than 2099; DateTime ends in 2106.
    const held = times.filter((timeMs) => table.columns[timeColumn]?.startsWith('DateTime64') || timeMs < Date.UTC(2100, 0, 1));
    for (const [index, timeMs] of held.entries()) {
      const row = plainRow(table.columns, { station_id: `s${index}`, [timeColumn]: timeMs });
      const batchHash = new Uint8Array(16).fill(index);
      await delivery.deliver([sealedPiece(partitionOf(row), encoded(table, [row]), batchHash)], { mayBePresent: false });
    }
    const sql = `SELECT station_id, _partition_id AS partition FROM ${database}.${table.table} ORDER BY station_id`;
    const found = await warehouse.query(sql);
    expect(found).toEqual(held.map((timeMs, index) => ({ station_id: `s${index}`, partition: partitionOf(plainRow(table.columns, { [timeColumn]: timeMs })) })));
  });

  it('keep the newest version of a row, and none of its repeats', async () => {
    const table = tables.sessions as unknown as Table;
    const rows = [0, 1, 2].map((revision) => plainRow(table.columns, { station_id: 'revised', session_id: 'x', start_time: revision, revision }));
    const delivery = new PieceDelivery({ warehouse, table });
    const pieces = encoded(table, rows).map((row, index) => sealedPiece('0', [row], new Uint8Array(16).fill(100 + index)));
    await delivery.deliver([pieces[2] as (typeof pieces)[0], ...pieces], { mayBePresent: true });
    expect(await warehouse.query(`SELECT session_id, revision FROM ${database}.charging_sessions FINAL WHERE station_id = 'revised'`)).toEqual([{ session_id: 'x', revision: 2 }]);
  });
});
