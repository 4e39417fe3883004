/**
 * Failover side by side: two processes count records by key, one gets kill -9, and the other one takes over: ours by reading the live keys from
 * Redis, Kafka Streams by restoring its changelog. Time from the session time-out (which both wait for) to the first record of the tasks that were lost, and
 * of the last of them. Each kill has processes, topic and state of its own; sides take turns.
 * `node bench/peers/failover.ts --help` explains its options.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { fill, Trickle, until } from '../../test/faults/failover-load.ts';
import { failoverTopic } from '../../test/faults/failover-pod.ts';
import { even, listOption, oneOf, script, whole } from '../../test/script-options.ts';
import { KafkaService } from '../../test/services/kafka.ts';
import { RedisService } from '../../test/services/redis.ts';
import { CountingProcess } from './counting-process.ts';
import type { CountingOptions } from './counting-process.ts';
import { spreadOf } from './report.ts';
import { buildKafkaStreams } from './sides.ts';

const bothSides: readonly CountingOptions['side'][] = ['voltstream', 'kafka-streams'];
const values = script('node bench/peers/failover.ts',
  'Failover beside that of Kafka Streams: of two processes that count records by key one is killed. Prints how long after the session time-out the other one has processed '
    + 'the first record of the tasks that were lost, and of the last of them. Starts Kafka and Redis itself. Needs java, javac, mvn and redis-server.')
  .addOption(listOption('--keys <list>', 'live keys of both processes together, with commas between', whole(1), [100_000, 2_000_000]))
  .option('--rounds <number>', 'kills of each side for each number of keys', whole(1), 3)
  .option('--partitions <number>', 'of the topic; even, as each process has half of them', even(2), 8)
  .option('--session-ms <number>', 'session time-out, in ms', whole(1), 6_000)
  .option('--commit-ms <number>', 'between commits, in ms', whole(1), 100)
  .addOption(listOption('--sides <list>', 'with commas between', oneOf(bothSides), bothSides))
  .option('--json <file>', 'write all results there')
  .parse()
  .opts<{
    readonly keys: readonly number[]; readonly rounds: number; readonly partitions: number; readonly sessionMs: number; readonly commitMs: number;
    readonly sides: readonly CountingOptions['side'][]; readonly json?: string;
  }>();
const { partitions, sessionMs, commitMs, sides } = values;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

interface Failover {
  readonly side: CountingOptions['side'];
  readonly keys: number;
  readonly lostTasks: number;
  /** Both from the session time-out on. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Kills one of two; gives when the other one went on with what it had. */
async function kill([victim, survivor]: readonly [CountingProcess, CountingProcess]): Promise<{ readonly lostTasks: number; readonly times: readonly number[] }> {
  const lost = victim.tasks;
  const killedMs = Date.now();
  await victim.kill();
  await until('the survivor goes on', () => lost.every((task) => (survivor.firstRecords.get(task) ?? 0) > killedMs));
  return { lostTasks: lost.length, times: lost.map((task) => (survivor.firstRecords.get(task) ?? 0) - killedMs - sessionMs) };
}

async function measure(options: CountingOptions, keys: number): Promise<Failover> {
  const log = new KafkaLog({ brokers: [options.brokers], application: `${options.applicationId}-driver` });
  await log.open();
  await log.createTopics([{ topic: failoverTopic, partitions, settings: { 'retention.ms': '-1' } }]);
  const producer = await log.producer();
  const counting = [new CountingProcess(options), new CountingProcess(options)] as const;
  let trickle: Trickle | null = null;
  try {
    // Before there is any state: Kafka Streams moves tasks with state only after a warm-up of minutes.
    await until('each process has half of the tasks', () => counting.every(({ tasks }) => tasks.length === partitions / 2));
    await fill(producer, keys);
    await until('everything is counted', () => counting.reduce((sum, { processed }) => sum + processed, 0) >= keys);
    await sleep(1_500); // commits
    trickle = new Trickle(producer, partitions, keys);
    await sleep(2_000);
    const { lostTasks, times } = await kill(counting);
    await trickle.end();
    return { side: options.side, keys, lostTasks, firstMs: Math.min(...times), lastMs: Math.max(...times) };
  } finally {
    await Promise.allSettled([trickle?.end()]); // an error of its own is told above
    await Promise.all(counting.map((one) => one.kill()));
    await producer.close();
    await log.close();
  }
}

async function once(side: CountingOptions['side'], keys: number, number: number): Promise<Failover> {
  const kafka = new KafkaService();
  const redis = new RedisService();
  try {
    await Promise.all([kafka.start(), redis.start()]);
    return await measure({ side, applicationId: `failover-${number}`, brokers: kafka.address, redisUrl: redis.address, partitions, sessionMs, commitMs }, keys);
  } finally {
    await Promise.all([kafka.dispose(), redis.dispose()]);
  }
}

process.stdout.write(`${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}; ${partitions} partitions, session time-out ${sessionMs} ms, commits every ${commitMs} ms\n`);
const results: Failover[] = [];
if (sides.includes('kafka-streams')) buildKafkaStreams();
for (const keys of values.keys) {
  for (let round = 1; round <= values.rounds; round++) {
    for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
      const result = await once(side, keys, results.length);
      results.push(result);
      process.stdout.write(`${keys.toLocaleString('en-US')} live keys, round ${round}, ${side}: ${result.lostTasks} tasks lost; first record ${result.firstMs} ms, of the last task ${result.lastMs} ms after the session time-out\n`);
    }
  }
  for (const side of sides) {
    const of = results.filter((result) => result.side === side && result.keys === keys);
    const text = (pick: (result: Failover) => number): string => Object.entries(spreadOf(of.map(pick))).map(([name, ms]) => `${name} ${ms.toFixed(0)}`).join(', ');
    process.stdout.write(`${keys.toLocaleString('en-US')} live keys, ${side}: first record ms ${text((one) => one.firstMs)}; of the last task ms ${text((one) => one.lastMs)}\n`);
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
process.exit(0);
