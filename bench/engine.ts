/**
 * The engine alone: log in memory, state in memory, a sink that takes everything. Source, decoding (22-field Avro, 120 bytes),
 * three stateless steps, one window aggregate by station and minute, commits every 200 ms.
 * `node --max-semi-space-size=64 bench/engine.ts --help` explains its options.
 */
import { cpus } from 'node:os';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { filter } from '../operators/filter.ts';
import { mapValues } from '../operators/map-values.ts';
import { windowAggregate } from '../operators/window-aggregate.ts';
import { tumbling } from '../operators/windows/time-windows.ts';
import { Application } from '../runtime/application.ts';
import { loadConfiguration } from '../runtime/configuration.ts';
import type { OutboundRecord } from '../runtime/log/log.ts';
import { MemoryLog } from '../runtime/log/memory-log.ts';
import { createLogger } from '../runtime/logger.ts';
import { EngineMetrics } from '../runtime/metrics.ts';
import type { Warehouse } from '../runtime/sinks/warehouse.ts';
import { float64, utf8, windowedKey } from '../schemas/builtin-codecs.ts';
import { completeChargingEvent } from '../schemas/charging-event-json.ts';
import { FileRegistry } from '../schemas/file-registry.ts';
import { chargingEvent } from '../schemas/generated/charging-event.ts';
import type { ChargingEvent } from '../schemas/generated/charging-event.ts';
import { MemoryStateStore } from '../state/memory-state-store.ts';
import { script, whole } from '../test/script-options.ts';
import { logTopic } from '../topology/sink.ts';
import { Topology } from '../topology/topology.ts';

const { records, keys, rounds } = script('node --max-semi-space-size=64 bench/engine.ts',
  'The engine alone, with log and state in memory: records per second and processor time, from decoding (22-field Avro) over three stateless steps and one '
    + 'window aggregate to commits every 200 ms. Needs nothing beside Node.')
  .option('--records <number>', 'of each round', whole(1), 2_000_000)
  .option('--keys <number>', 'live keys', whole(1), 1_000)
  .option('--rounds <number>', 'counted rounds, behind one to warm up', whole(1), 5)
  .parse()
  .opts<{ readonly records: number; readonly keys: number; readonly rounds: number }>();

const noWarehouse: Warehouse = {
  open: () => Promise.resolve(),
  query: () => Promise.resolve([]),
  queryText: () => Promise.resolve(''),
  async * stream() {},
  command: () => Promise.resolve(),
  insert: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

function topology(): Topology {
  const built = new Topology('bench');
  built.stream<string, ChargingEvent>('events', { key: utf8, value: chargingEvent, timestampOf: (event) => event.timestampMs })
    .pipe(
      filter((event) => event.type === 'TransactionUpdated'),
      mapValues((event) => ({ powerW: event.powerW ?? 0, meterWh: event.meterWh ?? 0 })),
      filter((reading) => reading.meterWh >= 0),
      windowAggregate('station-minute', tumbling({ sizeMs: 60_000, graceMs: 5_000 }), {
        key: utf8, aggregate: float64, emit: 'final', initial: () => 0, fold: (sum, reading) => sum + reading.powerW,
      }),
    )
    .to(logTopic('minutes', { key: windowedKey(utf8), value: float64 }));
  return built;
}

class NullSinkLog extends MemoryLog {
  delivered = 0;

  override ordinalProducer() {
    return {
      open: () => Promise.resolve(null),
      deliver: (batch: readonly OutboundRecord[]) => {
        this.delivered += batch.length;
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
  }
}

async function round(folder: string): Promise<{ readonly perSecond: number; readonly cpuSecondsPerMillion: number; readonly results: number }> {
  const log = new NullSinkLog({});
  const registry = new FileRegistry({ folder });
  await log.open();
  await registry.open();
  await log.createTopics([{ topic: 'events', partitions: 1 }]);
  const writer = await registry.writer('events-value', chargingEvent);
  const producer = await log.producer();
  for (let at = 0; at < records;) {
    const batch: OutboundRecord[] = [];
    for (; batch.length < 5_000 && at < records; at++) {
      const stationId = `station-${at % keys}`;
      const timestampMs = 1_700_000_000_000 + Math.floor(at / keys) * 10_000 + (at % keys) % 10_000;
      batch.push({
        topic: 'events', key: utf8.encode(stationId), timestampMs,
        value: writer.encode(completeChargingEvent({
          eventId: `event-${at}`, type: 'TransactionUpdated', stationId, timestampMs, transactionId: `t-${at % keys}`, seqNo: at % 1_000,
          meterWh: at, powerW: 7_400 + (at % 100), soc: at % 100, chargingState: 'Charging',
        })),
      });
    }
    await producer.append(batch);
  }
  const configuration = loadConfiguration({ flags: { data: folder } });
  const application = new Application({
    configuration, topology: topology(), topics: [], metrics: new EngineMetrics({ nodeMetrics: false }), logger: createLogger({ level: 'error' }),
    ports: { log, registry, store: new MemoryStateStore(), warehouse: noWarehouse },
  });
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await application.start();
  await Promise.race([application.drained(new AbortController().signal), application.failed]);
  const elapsedMs = performance.now() - startedMs;
  const cpu = process.cpuUsage(cpuBefore);
  await application.stop();
  return { perSecond: records / elapsedMs * 1_000, cpuSecondsPerMillion: (cpu.user + cpu.system) / records, results: log.delivered };
}

const folder = mkdtempSync(join(tmpdir(), 'voltstream-bench-'));
try {
  const rates: number[] = [];
  const costs: number[] = [];
  let results = 0;
  for (let number = 0; number <= rounds; number++) {
    const measured = await round(folder);
    if (number === 0) continue; // warm-up
    rates.push(measured.perSecond);
    costs.push(measured.cpuSecondsPerMillion);
    ({ results } = measured);
  }
  rates.sort((a, b) => a - b);
  costs.sort((a, b) => a - b);
  const median = (list: readonly number[]): number => list[Math.floor(list.length / 2)] ?? 0;
  process.stdout.write(
    `engine alone, ${records.toLocaleString('en-US')} records, ${keys} keys, ${results.toLocaleString('en-US')} results, ${cpus()[0]?.model ?? '?'}, Node ${process.version}\n` +
    `records/s: min ${Math.round(rates[0] ?? 0).toLocaleString('en-US')}, median ${Math.round(median(rates)).toLocaleString('en-US')}, max ${Math.round(rates.at(-1) ?? 0).toLocaleString('en-US')}\n` +
    `CPU-seconds per million: median ${median(costs).toFixed(2)} (all threads)\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
