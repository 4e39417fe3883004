import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaService } from './kafka.ts';
import { usualPort } from './local-process.ts';

/** Small: three JVMs share a machine with the tests. */
const heap = '256m';

/** Below those that Linux gives to whoever connects: a broker that is away must find its port free when it comes back. */
const portsFrom = 20_000;
const portsTo = 32_000;

async function quietPorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = portsFrom + Math.floor(Math.random() * (portsTo - portsFrom));
    if (await usualPort(port) === port) ports.add(port);
  }
  return [...ports];
}

export interface KafkaClusterOptions {
  /** Default 3. Each is broker and controller. */
  readonly brokers?: number;
  /** A broker that is silent for so long loses what it leads; a killed one is only missed. Kafka's default is 9 s. */
  readonly brokerSessionMs?: number;
  /** Further lines of every server.properties. */
  readonly properties?: string;
}

/**
 * Some Kafka brokers on 127.0.0.1 that are one cluster: node ids from 1, internal topics and new ones on all of them, acknowledged by two. A broker
 * keeps its data and ports over `kill` and `restart`. Always local processes: what they are for is to be killed one by one.
 */
export class KafkaCluster {
  readonly #options: KafkaClusterOptions;
  #folder = '';
  #brokers: readonly KafkaService[] = [];

  constructor(options: KafkaClusterOptions = {}) {
    this.#options = options;
  }

  /** host:port of each, node 1 first. */
  get addresses(): readonly string[] {
    return this.#brokers.map((broker) => broker.address);
  }

  broker(node: number): KafkaService {
    const broker = this.#brokers[node - 1];
    if (broker === undefined) throw new Error(`there is no broker ${node}`);
    return broker;
  }

  /** Resolves when all answer; when one does not, none is left. */
  async start(): Promise<void> {
    const { brokers: count = 3 } = this.#options;
    this.#folder = mkdtempSync(join(tmpdir(), 'voltstream-kafka-cluster-'));
    const ports = await quietPorts(count * 2);
    const voters = ports.slice(0, count).map((port, index) => `${index + 1}@127.0.0.1:${port}`).join();
    this.#brokers = ports.slice(0, count).map((controllerPort, index) => new KafkaService({
      folder: join(this.#folder, `node-${index + 1}`), port: ports[count + index]!, heap,
      node: { id: index + 1, controllerPort, voters }, properties: this.#properties(count),
    }));
    const started = await Promise.allSettled(this.#brokers.map((broker) => broker.start()));
    const failed = started.find((outcome) => outcome.status === 'rejected');
    if (failed === undefined) return;
    await this.dispose();
    throw failed.reason;
  }

  /** Stops them all and deletes their data. */
  async dispose(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.dispose()));
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The last line of a setting counts: these come behind those of a broker that is alone. */
  #properties(count: number): string {
    const { brokerSessionMs = 3_000, properties = '' } = this.#options;
    return `default.replication.factor=${count}
min.insync.replicas=2
offsets.topic.replication.factor=${count}
transaction.state.log.replication.factor=${count}
transaction.state.log.min.isr=2
broker.session.timeout.ms=${brokerSessionMs}
broker.heartbeat.interval.ms=${Math.round(brokerSessionMs / 6)}
auto.leader.rebalance.enable=false
controlled.shutdown.enable=true
${properties}`;
  }
}
