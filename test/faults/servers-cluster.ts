import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseService } from '../services/clickhouse.ts';
import { KafkaService } from '../services/kafka.ts';
import { RedisService } from '../services/redis.ts';
import type { Ending } from './servers-schedule.ts';

/** A pod that starts so long after an outage may still have met it. */
const outageEchoMs = 20_000;

interface Server {
  readonly processId: number | undefined;
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Kafka, Redis and ClickHouse of one run, each with data of its own, and what may be done to them. */
export class Cluster {
  readonly fsync: 'always' | 'everysec';
  readonly kafka = new KafkaService();
  readonly redis: RedisService;
  readonly clickhouse = new ClickHouseService({ stopMerges: true });
  #away = 0;
  #backMs = Number.NEGATIVE_INFINITY;
  #copy: string | null = null;

  /** `always`: Redis has on the disk what it has answered; `everysec`: a kill may cost it a second. */
  constructor(fsync: 'always' | 'everysec') {
    this.fsync = fsync;
    this.redis = new RedisService({ arguments: ['--appendfsync', fsync] });
  }

  async start(): Promise<void> {
    await Promise.all([this.kafka.start(), this.redis.start(), this.clickhouse.start()]);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.kafka.dispose(), this.redis.dispose(), this.clickhouse.dispose()]);
  }

  /** True while a server is away or disturbed, and a moment longer. */
  get outage(): boolean {
    return this.#away > 0 || performance.now() - this.#backMs < outageEchoMs;
  }

  restart(server: Server, ending: Ending, downMs: number): Promise<void> {
    return this.#during(async () => {
      await (ending === 'kill' ? server.kill() : server.stop());
      await sleep(downMs);
      await server.restart();
    });
  }

  copyRedis(): Promise<void> {
    return this.#during(async () => {
      this.#copy = await this.redis.snapshot();
    });
  }

  /** Gives Redis its last copy back. Throws when there is none. */
  rewindRedis(): Promise<void> {
    const copy = this.#copy;
    if (copy === null) throw new Error('there is no copy of Redis');
    return this.#during(() => this.redis.restore(copy));
  }

  get hasCopy(): boolean {
    return this.#copy !== null;
  }

  /** ClickHouse refuses or hangs for a while; then it serves, or is killed and starts again (what hangs would wait on). */
  disturb(mode: 'refuse' | 'hang', forMs: number, restart: boolean): Promise<void> {
    return this.#during(async () => {
      await this.clickhouse.mode(mode);
      await sleep(forMs);
      if (restart) {
        await this.clickhouse.kill();
        await this.clickhouse.restart();
      } else {
        await this.clickhouse.mode('serve');
      }
    });
  }

  async #during(work: () => Promise<void>): Promise<void> {
    this.#away++;
    try {
      await work();
    } finally {
      this.#away--;
      this.#backMs = performance.now();
    }
  }
}
