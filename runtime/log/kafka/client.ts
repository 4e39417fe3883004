import './quiet-request-queue.ts';
import { Kafka, type KafkaConfig, type LogEntry, logLevel } from 'kafkajs';

export interface KafkaLogOptions {
  /** host:port of some brokers. */
  readonly brokers: readonly string[];
  /** Names transactional ids and the groups that hold marks. */
  readonly application: string;
  /** A member that is silent for so long loses its tasks. Within the broker's group.min/max.session.timeout.ms. Default 10 s. */
  readonly sessionTimeoutMs?: number;
  /** Default: a tenth of the session. */
  readonly heartbeatMs?: number;
  /** Of topics made by `createTopics`; default: the broker's. */
  readonly replicationFactor?: number;
  readonly security?: Pick<KafkaConfig, 'ssl' | 'sasl'>;
  /** Gets what kafkajs logs (warnings and errors); nothing is printed otherwise. */
  readonly onClientLog?: (line: KafkaLogLine) => void;
}

export interface KafkaLogLine {
  readonly level: 'warn' | 'error';
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const connectionTimeoutMs = 3_000;

/** A kafkajs client that prints nothing itself. `onLine` is for an adapter that must know what kafkajs only logs. */
export function kafkaClient(options: KafkaLogOptions, onLine: (line: KafkaLogLine) => void = () => undefined): Kafka {
  const write = ({ level, log: { message, ...details } }: LogEntry): void => {
    if (level > logLevel.WARN) return;
    const line: KafkaLogLine = { level: level === logLevel.ERROR ? 'error' : 'warn', message, details };
    onLine(line);
    options.onClientLog?.(line);
  };
  return new Kafka({
    clientId: options.application,
    brokers: [...options.brokers],
    connectionTimeout: connectionTimeoutMs,
    retry: { initialRetryTime: 100, retries: 5 },
    logLevel: logLevel.WARN,
    logCreator: () => write,
    ...options.security,
  });
}
