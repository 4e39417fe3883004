/** One run of one side, from the start of its process to its last commit. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../runtime/log/log.ts';
import type { KafkaService } from '../../test/services/kafka.ts';
import { RedisService } from '../../test/services/redis.ts';
import { machineSeconds, MeasuredProcess, peakBytes, processorSeconds } from './measured-process.ts';
import { readOutput } from './output.ts';
import type { Output } from './output.ts';
import { commandLineOf } from './sides.ts';
import type { Side } from './sides.ts';
import type { PeerOptions } from './workloads.ts';

export interface Figures {
  /** From the first event read to the last one processed and committed. */
  readonly eventsPerSecond: number;
  /** In the same time, of all threads, by a million events. */
  readonly applicationSecondsPerMillion: number;
  readonly redisSecondsPerMillion: number;
  readonly brokerSecondsPerMillion: number;
  /** What the application had used before the first event: start of its machine, joining. */
  readonly startSeconds: number;
  readonly peakMegabytes: number;
  readonly redisPeakMegabytes: number;
  /** From the start of the process until a reader of committed records sees the first one. */
  readonly firstOutputMs: number;
  readonly outputRecords: number;
  /** Share of the machine that others took meanwhile: how quiet it was. */
  readonly othersShare: number;
  /** Longest time for which the runner itself did not get the processor: a machine that was asleep or held still says nothing of either side. */
  readonly standstillMs: number;
}

export interface RunPlan extends Omit<PeerOptions, 'redisUrl' | 'folder' | 'tuned' | 'brokers'> {
  readonly side: Side;
  readonly kafka: KafkaService;
  readonly log: Log;
  readonly cores: number;
  readonly profileFolder: string | null;
  /** For all of it; a side that takes longer is ended, and the run fails. */
  readonly secondsMax: number;
}

export async function run(plan: RunPlan): Promise<{ readonly figures: Figures; readonly output: Output }> {
  const { side, kafka, log, cores, profileFolder, secondsMax, ...options } = plan;
  const { outputTopic, partitions, events } = options;
  await log.createTopics([{ topic: outputTopic, partitions, settings: { 'retention.ms': '-1' } }]);
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-peer-'));
  const redis = new RedisService();
  if (side === 'voltstream') await redis.start();
  let child: MeasuredProcess | null = null;
  const standstill = new Standstill();
  try {
    const redisUrl = side === 'voltstream' ? redis.address : '';
    child = new MeasuredProcess(commandLineOf(side, { ...options, redisUrl, folder, brokers: kafka.address }, profileFolder));
    const ids = { application: child.id, redis: redis.processId, broker: kafka.processId };
    const firstOutput = firstRecord(log, outputTopic, partitions, child.when('done'));
    child.failAfter(secondsMax);
    const firstMs = await child.when('first');
    const before = seconds(ids);
    const doneMs = await child.when('done');
    const after = seconds(ids);
    const figures = {
      ...figuresOf(before, after, events, doneMs - firstMs, cores),
      peakMegabytes: peakBytes(child.id) / 1e6, redisPeakMegabytes: redis.processId === undefined ? 0 : peakBytes(redis.processId) / 1e6,
      firstOutputMs: await firstOutput - child.startedMs, standstillMs: standstill.longestMs,
    };
    await child.end(profileFolder === null ? 'killed' : 'asked');
    const output = await readOutput(log, outputTopic, partitions);
    return { figures: { ...figures, outputRecords: output.records }, output };
  } finally {
    standstill.end();
    await child?.end('killed');
    await redis.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Looks at the clock every 50 ms. */
class Standstill {
  #lastMs = performance.now();
  longestMs = 0;
  readonly #timer = setInterval(() => {
    const nowMs = performance.now();
    this.longestMs = Math.max(this.longestMs, nowMs - this.#lastMs - 50);
    this.#lastMs = nowMs;
  }, 50);

  end(): void {
    clearInterval(this.#timer);
  }
}

interface Seconds {
  readonly application: number;
  readonly redis: number;
  readonly broker: number;
  readonly runner: number;
  readonly machine: number;
}

function seconds({ application, redis, broker }: { readonly application: number; readonly redis: number | undefined; readonly broker: number | undefined }): Seconds {
  const of = (id: number | undefined): number => id === undefined ? 0 : processorSeconds(id);
  return { application: of(application), redis: of(redis), broker: of(broker), runner: of(process.pid), machine: machineSeconds() };
}

function figuresOf(before: Seconds, after: Seconds, events: number, durationMs: number, cores: number) {
  const used = (part: keyof Seconds): number => after[part] - before[part];
  const perMillion = (part: keyof Seconds): number => used(part) / events * 1e6;
  const others = used('machine') - used('application') - used('redis') - used('broker') - used('runner');
  return {
    eventsPerSecond: events / durationMs * 1_000, startSeconds: before.application,
    applicationSecondsPerMillion: perMillion('application'), redisSecondsPerMillion: perMillion('redis'), brokerSecondsPerMillion: perMillion('broker'),
    othersShare: Math.max(0, others) / (durationMs / 1_000 * cores),
  };
}

/** When the first record of a topic can be read by those who read committed ones; asked every 20 ms, of both sides alike. */
async function firstRecord(log: Log, topic: string, partitions: number, done: Promise<number>): Promise<number> {
  let ended = false;
  const end = (): void => void (ended = true);
  done.then(end, end);
  for (;;) {
    const last = ended;
    for (let partition = 0; partition < partitions; partition++) {
      if ((await log.bounds({ topic, partition })).end > 0) return Date.now();
    }
    if (last) return Number.NaN;
    await sleep(20);
  }
}
