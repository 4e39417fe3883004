/**
 * Two pods on Kafka, Redis and ClickHouse under seeded faults, judged against an undisturbed run:
 * `node test/faults/servers-crash.ts --seed 1 --kills 10 --full`. Starts every server itself, unless VOLTSTREAM_TEST_KAFKA names one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ClickHouseService } from '../services/clickhouse.ts';
import { KafkaService } from '../services/kafka.ts';
import { RedisService } from '../services/redis.ts';
import { verdictLine } from './servers-judges.ts';
import { ServersRun } from './servers-run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    kills: { type: 'string', default: '10' },
    zombies: { type: 'string', default: '1' },
    rewinds: { type: 'string', default: '0' },
    'warehouse-faults': { type: 'string', default: '0' },
    'session-ms': { type: 'string', default: '6000' },
    rows: { type: 'string', default: '10000' },
    full: { type: 'boolean', default: false },
  },
});

// Servers and pods end with this process, but only when it ends by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

let unsound = 0;
const kafka = process.env['VOLTSTREAM_TEST_KAFKA'] === undefined ? new KafkaService() : null;
await kafka?.start();
try {
  for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.runs); seed++) {
    const folder = mkdtempSync(join(tmpdir(), `voltstream-servers-${seed}-`));
    const redis = new RedisService();
    const warehouse = new ClickHouseService({ stopMerges: true });
    try {
      await Promise.all([redis.start(), warehouse.start()]);
      const report = await new ServersRun({
        seed, kills: Number(values.kills), zombies: Number(values.zombies), rewinds: Number(values.rewinds),
        warehouseFaults: Number(values['warehouse-faults']), rowsMax: values.full ? null : Number(values.rows),
        sessionTimeoutMs: Number(values['session-ms']), kafka: kafka?.address ?? process.env['VOLTSTREAM_TEST_KAFKA'] ?? '', redis, warehouse, folder,
        report: (line) => console.log(line),
      }).run();
      for (const verdict of report.verdicts) console.log(verdictLine(verdict));
      console.log(`seed ${seed}: ${report.sound ? 'exact' : 'WRONG'}, ${report.events} events, ${JSON.stringify(report.faults)}, ${JSON.stringify(report.happenings)}, disturbed ${
        (report.disturbedMs / 1_000).toFixed(1)} s, reference ${(report.referenceMs / 1_000).toFixed(1)} s`);
      if (!report.sound) unsound++;
      if (report.sound) rmSync(folder, { recursive: true, force: true });
      else console.log(`logs of the pods: ${folder}`);
    } catch (error) {
      unsound++;
      console.log(`seed ${seed}: FAILED; logs of the pods: ${folder}\n${error instanceof Error ? error.stack : String(error)}`);
    } finally {
      await Promise.all([redis.dispose(), warehouse.dispose()]);
    }
  }
} finally {
  await kafka?.dispose();
}
process.exit(unsound === 0 ? 0 : 1);
