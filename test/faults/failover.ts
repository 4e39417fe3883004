/**
 * How long partitions stand still when their process is killed: two pods count records by key; one gets kill -9, and the other one loads
 * what it had. `npm run failover -- --keys 100000,2000000`. Starts Kafka and Redis itself.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { even, listOption, script, whole } from '../script-options.ts';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { KafkaService } from '../services/kafka.ts';
import { RedisService } from '../services/redis.ts';
import { fill, Trickle, until } from './failover-load.ts';
import type { FailoverMessage, FailoverPodOptions } from './failover-pod.ts';
import { failoverTopic } from './failover-pod.ts';

const values = script('failover', 'Two processes count records by key; one is killed. Prints how long after the session time-out the other one has processed the first\n'
  + 'record of the partitions that were lost, and of the last of them. Needs java, mvn and redis-server.')
  .addOption(listOption('--keys <list>', 'live keys of both processes together', whole(1), [100_000, 2_000_000]))
  .option('--partitions <number>', 'of the topic; even, as each pod has half of them', even(2), 8)
  .option('--session-ms <number>', 'session time-out, in ms', whole(1), 6_000)
  .option('--rounds <number>', 'kills for each number of keys', whole(1), 3)
  .option('--prof <folder>', 'write CPU profiles of the pods there')
  .parse()
  .opts<{ keys: readonly number[]; partitions: number; sessionMs: number; rounds: number; prof?: string }>();
const { partitions, sessionMs } = values;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

class CountingPod {
  readonly #child: ChildProcess;
  tasks: readonly string[] = [];
  processed = 0;
  settled = false;
  readonly firstRecords = new Map<string, number>();
  readonly claims = new Map<string, { readonly atMs: number; readonly restoreMs: number }>();
  assignedMs = 0;

  constructor(options: FailoverPodOptions) {
    const profile = values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`];
    this.#child = fork(join(import.meta.dirname, 'failover-pod.ts'), [JSON.stringify(options)], {
      execArgv: ['--max-semi-space-size=64', '--max-old-space-size=8192', ...profile],
    });
    this.#child.on('message', (message: FailoverMessage) => {
      if (message.kind === 'tasks') ({ tasks: this.tasks, processed: this.processed, settled: this.settled } = message);
      else if (message.kind === 'first record') this.firstRecords.set(message.task, message.atMs);
      else if (message.kind === 'assigned') this.assignedMs = message.atMs;
      else this.claims.set(message.task, message);
    });
  }

  async end(how: 'kill' | 'stop'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    if (how === 'kill') this.#child.kill('SIGKILL');
    else this.#child.send('stop');
    await ended;
  }
}

interface Failover {
  readonly lostTasks: number;
  /** Both less the session time-out. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** When the survivor knew that the tasks are its own, less the session time-out. */
  readonly assignedMs: number;
  /** When each was ready to process, in order, less the session time-out, and what its claim took. */
  readonly claims: readonly { readonly atMs: number; readonly restoreMs: number }[];
}

async function failover(pods: CountingPod[], start: () => CountingPod): Promise<Failover> {
  const [victim, survivor] = pods as [CountingPod, CountingPod];
  const lost = new Set(victim.tasks);
  survivor.firstRecords.clear();
  const killedMs = Date.now();
  await victim.end('kill');
  await until('the survivor goes on', () => [...lost].every((task) => (survivor.firstRecords.get(task) ?? 0) > killedMs));
  const times = [...lost].map((task) => (survivor.firstRecords.get(task) ?? 0) - killedMs - sessionMs);
  const sinceTimeout = (atMs: number): number => atMs - killedMs - sessionMs;
  const claims = [...lost].flatMap((task) => survivor.claims.get(task) ?? []).map(({ atMs, restoreMs }) => ({ atMs: sinceTimeout(atMs), restoreMs }));
  pods.splice(0, 2, survivor, start());
  return {
    lostTasks: lost.size, firstMs: Math.min(...times), lastMs: Math.max(...times), assignedMs: sinceTimeout(survivor.assignedMs),
    claims: claims.toSorted((left, right) => left.atMs - right.atMs),
  };
}

async function measure(kafka: string, redis: string, keys: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-failover-'));
  const application = `failover-${keys}`;
  const log = new KafkaLog({ brokers: [kafka], application: `${application}-driver` });
  await log.open();
  const flags = {
    applicationId: application, dataFolder: folder, partitions, logLevel: 'error', 'log.kind': 'kafka', 'log.brokers': kafka,
    'log.sessionTimeoutMs': sessionMs, 'log.heartbeatIntervalMs': Math.floor(sessionMs / 10), 'state.kind': 'redis', 'state.url': redis,
  };
  const start = (): CountingPod => new CountingPod({ flags, partitions });
  if (await log.partitionCount(failoverTopic) === null) await log.createTopics([{ topic: failoverTopic, partitions, settings: { 'retention.ms': '-1' } }]);
  const producer = await log.producer();
  const ends = async (): Promise<number> => {
    let sum = 0;
    for (let partition = 0; partition < partitions; partition++) sum += (await log.bounds({ topic: failoverTopic, partition })).end;
    return sum;
  };
  await fill(producer, keys);
  const pods = [start(), start()];
  let trickle: Trickle | null = null;
  try {
    const all = async (): Promise<void> => {
      const wanted = await ends();
      await until('both pods have done everything', () => pods.every((pod) => pod.tasks.length === partitions / 2)
        && pods.reduce((sum, pod) => sum + pod.processed, 0) >= wanted);
      await sleep(1_500); // commits
    };
    await all();
    trickle = new Trickle(producer, partitions, keys);
    for (let round = 1; round <= values.rounds; round++) {
      await all();
      const { lostTasks, firstMs, lastMs, assignedMs, claims } = await failover(pods, start);
      console.log(`${keys.toLocaleString('en-US')} live keys, round ${round}: ${lostTasks} tasks lost; first record ${firstMs} ms, of the last task ${lastMs} ms after the session time-out of ${sessionMs} ms;\n    tasks assigned after ${assignedMs} ms, ready after ${claims.map(({ atMs, restoreMs }) => `${atMs} (claim and state ${restoreMs})`).join(', ')} ms`);
    }
    await trickle.end();
    // Only a graceful end writes a profile.
    if (values.prof !== undefined) await pods[0]?.end('stop');
  } finally {
    await Promise.allSettled([trickle?.end()]); // an error of its own is told above
    await Promise.all(pods.map((pod) => pod.end('kill')));
    await producer.close();
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

console.log(`${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}`);
for (const keys of values.keys) {
  const kafka = new KafkaService();
  const redis = new RedisService();
  try {
    await Promise.all([kafka.start(), redis.start()]);
    await measure(kafka.address, redis.address, keys);
  } finally {
    await Promise.all([kafka.dispose(), redis.dispose()]);
  }
}
process.exit(0);
