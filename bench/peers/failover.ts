/**
 * Failover side by side: two processes count records by key, one gets kill -9, and the other one takes over: ours by reading the live keys from
 * Redis, Kafka Streams by restoring its changelog. Time from the session time-out (which both wait for) to the first record of the tasks that were lost, and
 * of the last of them. Each kill has processes, topic and state of its own; sides take turns.
 *
 * node bench/peers/failover.ts [--keys 100000,2000000] [--rounds 3] [--partitions 8] [--session-ms 6000] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { fill, Trickle, until } from '../../test/faults/failover-load.ts';
import { failoverTopic } from '../../test/faults/failover-pod.ts';
import { KafkaService } from '../../test/services/kafka.ts';
import { RedisService } from '../../test/services/redis.ts';
import { CountingProcess } from './counting-process.ts';
import type { CountingOptions } from './counting-process.ts';
import { spreadOf } from './report.ts';
import { buildKafkaStreams } from './sides.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '100000,2000000' }, rounds: { type: 'string', default: '3' }, partitions: { type: 'string', default: '8' },
    'session-ms': { type: 'string', default: '6000' }, 'commit-ms': { type: 'string', default: '100' }, sides: { type: 'string', default: 'voltstream,kafka-streams' },
    json: { type: 'string' },
  },
});
const partitions = Number(values.partitions);
const sessionMs = Number(values['session-ms']);

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
    return await measure({ side, applicationId: `failover-${number}`, brokers: kafka.address, redisUrl: redis.address, partitions, sessionMs, commitMs: Number(values['commit-ms']) }, keys);
  } finally {
    await Promise.all([kafka.dispose(), redis.dispose()]);
  }
}

process.stdout.write(`${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}; ${partitions} partitions, session time-out ${sessionMs} ms, commits every ${values['commit-ms']} ms\n`);
const results: Failover[] = [];
const sides = values.sides.split(',') as CountingOptions['side'][];
if (sides.includes('kafka-streams')) buildKafkaStreams();
for (const keys of values.keys.split(',').map(Number)) {
  for (let round = 1; round <= Number(values.rounds); round++) {
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
