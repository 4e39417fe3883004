import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { dataQualityRow, dataQualityTable, findingsOf } from '../../charging/ingest/data-quality.ts';
import { dundeeMapping } from '../../charging/session-log/dundee.mapping.ts';
import type { QuarantinedRow, SessionLogRow } from '../../charging/session-log/mapping.ts';
import { readSessionLogs } from '../../charging/session-log/read-session-log.ts';
import { migrate } from '../../runtime/migrations.ts';
import { ChdbWarehouse } from '../../runtime/sinks/clickhouse/chdb-warehouse.ts';
import { insertRows } from './testing/load-session-logs.ts';

const data = join(import.meta.dirname, '..', '..', 'charging', 'data', 'dundee');
const files = readdirSync(data).filter((name) => name.endsWith('.csv.gz')).sort();

type Raw = Readonly<Record<string, string>>;

/** The files' own rows, read without the product's code. */
function rawRows(): readonly Raw[] {
  return files.flatMap((name) => parse(gunzipSync(readFileSync(join(data, name))), { columns: (names: string[]) => names.map((column, index) => column || `unnamed ${index}`) }) as Raw[]);
}

it('session_log_quality: all batches of a source together, checks that nobody fails among them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-quality-'));
  const warehouse = new ChdbWarehouse({ folder: join(folder, 'clickhouse') });
  await warehouse.open();
  try {
    await migrate(warehouse, { folder: import.meta.dirname, database: 'voltstream' });
    // A batch a file, each an hour after the one before.
    const findings = [];
    for (const [hour, name] of files.entries()) {
      const [rows, refused]: [SessionLogRow[], QuarantinedRow[]] = [[], []];
      for await (const row of readSessionLogs([join(data, name)], dundeeMapping)) (row.kind === 'row' ? rows as object[] : refused as object[]).push(row);
      findings.push(...findingsOf(rows, refused, dundeeMapping, name, Date.UTC(2026, 0, 1, hour)));
    }
    await insertRows(warehouse, dataQualityTable('voltstream') as never, findings.map((finding) => dataQualityRow(finding)));
    const found = await warehouse.query<Raw & { readonly examples: readonly string[] }>('SELECT * FROM voltstream.session_log_quality');

    const raw = rawRows();
    const [sessions, nameless] = [raw.filter((row) => row['CP ID'] !== ''), raw.filter((row) => row['CP ID'] === '')];
    const wanted: Readonly<Record<string, number>> = {
      'missing-stop': sessions.filter((row) => row['End Date'] === '').length, 'negative-energy': sessions.filter((row) => Number(row['Total kWh']) < 0).length,
      'missing-energy': sessions.filter((row) => row['Total kWh'] === '').length, 'missing-start': 0, unreadable: nameless.length,
    };
    expect(Object.values(wanted).filter((failed) => failed > 0).length).toBeGreaterThanOrEqual(4);
    for (const [check, failed] of Object.entries(wanted)) {
      const row = found.find((each) => each['check'] === check);
      expect([check, row?.['rows_failed'], row?.['rows_checked'], row?.['share']]).toEqual([check, String(failed), String(raw.length), failed / raw.length]);
      expect([check, row?.examples.length === 0]).toEqual([check, failed === 0]);
    }
    expect(found.find((each) => each['check'] === 'missing-stop')?.['last_checked']).toBe('2026-01-01 03:00:00.000');
    expect(new Set(found.map((each) => each['source']))).toEqual(new Set(['dundee']));
  } finally {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  }
}, 60_000);
