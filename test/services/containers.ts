import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { StartedTestContainer } from 'testcontainers';
import { freePort } from './local-process.ts';
import type { LocalPlace } from './local-process.ts';

/** Images, by exact version. */
export const images = { kafka: 'apache/kafka:4.2.0', redis: 'redis:7.4.1', clickhouse: 'clickhouse/clickhouse-server:25.8.2.29' } as const;

/** An image may have to be pulled over a slow network. */
const startupMs = 300_000;

interface ContainerPlan {
  readonly image: string;
  /** Inside of the container. */
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  /** A line of its output that says that it is ready, or an HTTP path that answers 200. */
  readonly ready: RegExp | string;
}

const plans: Readonly<Record<keyof typeof images, (hostPort: number) => ContainerPlan>> = {
  // Kafka tells clients where it is, so that the port outside must be known before it starts, and is the same inside.
  kafka: (port) => ({ image: images.kafka, port, environment: kafkaEnvironment(port), ready: /Kafka Server started/ }),
  redis: () => ({
    image: images.redis, port: 6379, ready: /Ready to accept connections/,
    command: ['redis-server', '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
  }),
  clickhouse: () => ({ image: images.clickhouse, port: 8123, environment: { CLICKHOUSE_SKIP_USER_SETUP: '1' }, ready: '/ping' }),
};

/** One service in a container, by testcontainers; its data go with it. */
export class ContainerService {
  readonly #kind: keyof typeof images;
  readonly #place: LocalPlace;
  #container: StartedTestContainer | null = null;
  #address = '';

  constructor(kind: keyof typeof images, place: LocalPlace = {}) {
    this.#kind = kind;
    this.#place = place;
  }

  /** host:port */
  get address(): string {
    return this.#address;
  }

  async start(): Promise<void> {
    const { GenericContainer, Wait } = await import('testcontainers');
    const hostPort = this.#place.port ?? await freePort();
    const { image, port, environment, command, ready } = plans[this.#kind](hostPort);
    let container = new GenericContainer(image)
      .withExposedPorts({ container: port, host: hostPort })
      .withEnvironment({ ...environment })
      .withStartupTimeout(startupMs)
      .withWaitStrategy(typeof ready === 'string' ? Wait.forHttp(ready, port) : Wait.forLogMessage(ready));
    if (command !== undefined) container = container.withCommand([...command]);
    const { logFile } = this.#place;
    if (logFile !== undefined) {
      mkdirSync(dirname(logFile), { recursive: true });
      container = container.withLogConsumer((lines) => void lines.pipe(createWriteStream(logFile, { flags: 'a' })));
    }
    this.#container = await container.start();
    this.#address = `${this.#container.getHost()}:${hostPort}`;
  }

  async dispose(): Promise<void> {
    await this.#container?.stop();
    this.#container = null;
  }
}

function kafkaEnvironment(port: number): Readonly<Record<string, string>> {
  return {
    KAFKA_NODE_ID: '1', KAFKA_PROCESS_ROLES: 'broker,controller', KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENERS: `PLAINTEXT://0.0.0.0:${port},CONTROLLER://localhost:29093`, KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://localhost:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT', KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:29093',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1', KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '4',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1', KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1', KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: '4',
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1', KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0', KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000', KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_LOG_MESSAGE_TIMESTAMP_AFTER_MAX_MS: '9223372036854775807', KAFKA_LOG_RETENTION_MS: '-1', KAFKA_MESSAGE_MAX_BYTES: '16777216',
  };
}
