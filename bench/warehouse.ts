import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { chargingTables } from '../charging/tables.ts';
import { migrate } from '../runtime/migrations.ts';
import { batchHash } from '../runtime/sinks/clickhouse/batch-hash.ts';
import { ChdbWarehouse } from '../runtime/sinks/clickhouse/chdb-warehouse.ts';
import type { DeliveryTable } from '../runtime/sinks/clickhouse/check-table.ts';
import type { SealedPiece } from '../runtime/sinks/clickhouse/delivery.ts';
import { sealedPiece } from '../runtime/sinks/clickhouse/sealed-piece.ts';
import { PieceDelivery } from '../runtime/sinks/clickhouse/delivery.ts';
import { rowEncoder } from '../runtime/sinks/clickhouse/row-binary.ts';
import { RowBuffer, writeRowVersion } from '../runtime/sinks/clickhouse/row-buffer.ts';
import { script, whole } from '../test/script-options.ts';

/**
 * Rows a second from row objects into chDB (raw events, 26 columns), by size of the piece, with what the event loop and a reader
 * feel meanwhile. `node bench/warehouse.ts --help` explains its argument.
 */
const [rowsTotal] = script('node bench/warehouse.ts',
  'Rows per second from objects into the embedded ClickHouse, by size of the piece, with stalls of the event loop and the time of a query meanwhile. Needs nothing beside Node.')
  .argument('[rows]', 'raw events with 26 columns, for each size of piece', whole(1), 1_000_000)
  .parse()
  .processedArgs as [number];
const table = chargingTables('voltstream').events as unknown as DeliveryTable;
const encode = rowEncoder<Record<string, unknown>>(table.columns);

function eventRow(number: number): Record<string, unknown> {
  const timestampMs = Date.UTC(2018, 5, 1) + number * 2_000;
  return {
    station_id: `station-${number % 97}`, event_time: timestampMs, topic: 'charging.events', partition: number % 4, offset: number,
    event_id: `event-${number}-5f2c`, type: 'TransactionUpdated', evse_id: 1, connector_id: 1, timestamp_ms: timestampMs,
    received_ms: timestampMs + 500, transaction_id: `transaction-${number % 5_000}`, seq_no: number % 100, offline: false,
    id_token: `token-${number % 1_000}`, partner: null, vehicle_model: null, meter_wh: number * 0.5, meter_export_wh: null, power_w: 7_200.5,
    soc: null, charging_state: 'Charging', status: null, error_code: null, trigger_reason: 'MeterValuePeriodic', stop_reason: null, edition: 0,
  };
}

function encodePiece(buffer: RowBuffer, first: number, count: number): Uint8Array[] {
  const rows: Uint8Array[] = [];
  for (let number = first; number < first + count; number++) {
    encode(eventRow(number), buffer);
    writeRowVersion(buffer, 1, number);
    rows.push(buffer.take());
  }
  return rows;
}

function seal(rows: readonly Uint8Array[], first: number): SealedPiece {
  const identity = { application: 'bench', run: 1, table: 'events', task: 'bench_0', partition: '', firstOrdinal: first, lastOrdinal: first + rows.length - 1 };
  return sealedPiece('', rows, batchHash(identity, rows));
}

function percentile(values: readonly number[], part: number): string {
  return (values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0).toFixed(1);
}

async function measure(warehouse: ChdbWarehouse, rowsPerPiece: number): Promise<void> {
  await warehouse.command('TRUNCATE TABLE voltstream.charging_events');
  const delivery = new PieceDelivery({ warehouse, table });
  const buffer = new RowBuffer();
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const spent = { encodeMs: 0, sealMs: 0, deliverMs: 0 };
  const latencies: number[] = [];
  let running = true;
  const reader = (async () => {
    while (running) {
      const start = performance.now();
      await warehouse.query("SELECT count(), max(meter_wh) FROM voltstream.charging_events WHERE station_id = 'station-7'");
      latencies.push(performance.now() - start);
      await new Promise((resume) => setTimeout(resume, 50));
    }
  })();
  const start = performance.now();
  for (let first = 0; first < rowsTotal; first += rowsPerPiece) {
    const begun = performance.now();
    const rows = encodePiece(buffer, first, Math.min(rowsPerPiece, rowsTotal - first));
    const encoded = performance.now();
    const piece = seal(rows, first);
    const sealed = performance.now();
    loop.enable();
    await delivery.deliver([piece], { mayBePresent: false });
    loop.disable();
    spent.encodeMs += encoded - begun;
    spent.sealMs += sealed - encoded;
    spent.deliverMs += performance.now() - sealed;
  }
  const totalMs = performance.now() - start;
  running = false;
  await reader;
  const perSecond = (ms: number): string => Math.round((rowsTotal / ms) * 1000).toLocaleString('en');
  console.log(
    `${String(rowsPerPiece).padStart(6)} rows a piece: ${perSecond(totalMs)} rows/s in all; make and encode ${perSecond(spent.encodeMs)}, ` +
      `seal ${perSecond(spent.sealMs)}, deliver ${perSecond(spent.deliverMs)}; loop stalls ${(loop.max / 1e6).toFixed(1)} ms at most; ` +
      `query meanwhile ${percentile(latencies, 0.5)} ms median, ${percentile(latencies, 0.99)} ms p99 (${latencies.length})`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'voltstream-bench-'));
const warehouse = new ChdbWarehouse({ folder });
await warehouse.open();
await migrate(warehouse, { folder: fileURLToPath(new URL('../deploy/clickhouse', import.meta.url)), database: 'voltstream' });
console.log(`${cpus().length} x ${cpus()[0]?.model ?? ''}, Node ${process.version}, ${rowsTotal.toLocaleString('en')} rows of 26 columns`);
for (const rowsPerPiece of [1_000, 10_000, 20_000, 50_000]) await measure(warehouse, rowsPerPiece);
console.log(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
await warehouse.close();
rmSync(folder, { recursive: true });
