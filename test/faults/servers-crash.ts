/**
 * Two pods on Kafka, Redis and ClickHouse under seeded faults, judged against an undisturbed run:
 * `node test/faults/servers-crash.ts --seed 1 --kills 10 --full`. Starts every server itself, unless VOLTSTREAM_TEST_KAFKA names one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { ClickHouseService } from '../services/clickhouse.ts';
import { KafkaService } from '../services/kafka.ts';
import { RedisService } from '../services/redis.ts';
import { verdictLine } from './servers-judges.ts';
import { ServersRun } from './servers-run.ts';

const values = new Command('servers-crash')
  .description('Two pods on Kafka, Redis and ClickHouse under seeded faults, judged against an undisturbed run. Needs java, mvn and redis-server, unless\nVOLTSTREAM_TEST_KAFKA names a broker.')
  .option('--seed <number>', 'of the first run', '1')
  .option('--runs <number>', 'runs, each with the next seed', '1')
  .option('--kills <number>', 'kill -9 of one or both pods', '10')
  .option('--zombies <number>', 'SIGSTOP for longer than the session, then SIGCONT', '1')
  .option('--rewinds <number>', 'Redis put back to an older snapshot; tables are then judged with FINAL', '0')
  .option('--warehouse-faults <number>', 'ClickHouse killed, refusing, hanging, or failing after it took the rows', '0')
  .option('--session-ms <number>', "session time-out of the consumers, in ms", '6000')
  .option('--rows <number>', 'rows of the session log', '10000')
  .option('--full', 'all of Dundee instead of --rows', false)
  .parse()
  .opts<Record<'seed' | 'runs' | 'kills' | 'zombies' | 'rewinds' | 'warehouseFaults' | 'sessionMs' | 'rows', string> & { full: boolean }>();

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
        warehouseFaults: Number(values.warehouseFaults), rowsMax: values.full ? null : Number(values.rows),
        sessionTimeoutMs: Number(values.sessionMs), kafka: kafka?.address ?? process.env['VOLTSTREAM_TEST_KAFKA'] ?? '', redis, warehouse, folder,
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
