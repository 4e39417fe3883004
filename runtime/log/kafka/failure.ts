import { ProtocolError } from '@platformatic/kafka';
import { type ErrorCode, VoltstreamError } from '../../../errors.ts';

const codesByType: Readonly<Record<string, ErrorCode>> = {
  PRODUCER_FENCED: 'FENCED',
  INVALID_PRODUCER_EPOCH: 'FENCED',
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_MISSING',
  INVALID_TOPIC_EXCEPTION: 'TOPIC_MISSING',
  MESSAGE_TOO_LARGE: 'RECORD_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'RECORD_TOO_LARGE',
  LOGIN: 'LOG_REFUSED',
  CERTIFICATE: 'LOG_REFUSED',
  TLS_WANTED: 'LOG_REFUSED',
  TOPIC_AUTHORIZATION_FAILED: 'LOG_REFUSED',
  GROUP_AUTHORIZATION_FAILED: 'LOG_REFUSED',
  CLUSTER_AUTHORIZATION_FAILED: 'LOG_REFUSED',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'LOG_REFUSED',
  SASL_AUTHENTICATION_FAILED: 'LOG_REFUSED',
  UNSUPPORTED_SASL_MECHANISM: 'LOG_REFUSED',
  FENCED_INSTANCE_ID: 'LOG_REFUSED',
  // What stays as it is, however often it is asked: anything that is not named here is tried again.
  INVALID_TIMESTAMP: 'LOG_REFUSED',
  INVALID_RECORD: 'LOG_REFUSED',
  INVALID_SESSION_TIMEOUT: 'LOG_REFUSED',
  INVALID_TRANSACTION_TIMEOUT: 'LOG_REFUSED',
  INVALID_CONFIG: 'LOG_REFUSED',
  INVALID_PARTITIONS: 'LOG_REFUSED',
  POLICY_VIOLATION: 'LOG_REFUSED',
  INCONSISTENT_GROUP_PROTOCOL: 'LOG_REFUSED',
  GROUP_MAX_SIZE_REACHED: 'LOG_REFUSED',
  UNSUPPORTED_VERSION: 'LOG_REFUSED',
};

/** Types that another try can cure: brokers on their way up or down, leaders and coordinators that move. */
const passingTypes: ReadonlySet<string> = new Set([
  'NETWORK', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT', 'BROKER_NOT_AVAILABLE', 'REPLICA_NOT_AVAILABLE', 'NETWORK_EXCEPTION',
  'COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'NOT_CONTROLLER',
  'CONCURRENT_TRANSACTIONS', 'KAFKA_STORAGE_ERROR', 'LISTENER_NOT_FOUND', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'OFFSET_NOT_AVAILABLE',
  'TOKEN_UNAVAILABLE', 'UNSTABLE_OFFSET_COMMIT', 'UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID', 'THROTTLING_QUOTA_EXCEEDED',
]);

/** Said of what failed because of something else. */
const vagueTypes: ReadonlySet<string> = new Set(['NETWORK', 'OPERATION_NOT_ATTEMPTED']);

const certificateCodes = /^(ERR_TLS_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY))|^ERR_SSL_|^EPROTO$/;

function ownType(error: Error): string | undefined {
  if (error instanceof VoltstreamError) return error.code === 'LOG_REFUSED' ? 'LOGIN' : error.code === 'LOG_UNAVAILABLE' ? 'TOKEN_UNAVAILABLE' : undefined;
  if ('apiId' in error && typeof error.apiId === 'string') return error.apiId;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'PLT_KFK_AUTHENTICATION') return 'LOGIN';
  if (certificateCodes.test(code)) return 'CERTIFICATE';
  if (code === 'PLT_KFK_USER' && error.message.includes('TLS')) return 'TLS_WANTED';
  return undefined;
}

/**
 * What went wrong, in Kafka's words (`PRODUCER_FENCED`...), or NETWORK, LOGIN, CERTIFICATE, TLS_WANTED. The cause that says
 * most counts: a failed login arrives as a broken connection.
 */
export function kafkaErrorType(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner = error instanceof AggregateError ? error.errors : [];
  for (const one of [error.cause, ...inner]) {
    const type = kafkaErrorType(one);
    if (type !== undefined && !vagueTypes.has(type)) return type;
  }
  const own = ownType(error);
  if (own !== undefined) return own;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'PLT_KFK_NETWORK' || code === 'PLT_KFK_TIMEOUT' || code === 'PLT_KFK_UNEXPECTED_CORRELATION_ID' || code === 'PLT_KFK_MULTIPLE') return 'NETWORK';
  return inner.map(kafkaErrorType).find((type) => type !== undefined);
}

export function isPassing(error: unknown): boolean {
  return passingTypes.has(kafkaErrorType(error) ?? '');
}

/** An error code in a response, as an error. */
export function refusal(errorCode: number, message: string | null = null): Error {
  return new ProtocolError(errorCode, message);
}

const cures: Readonly<Record<string, string>> = {
  NETWORK: 'Check that it runs and can be reached. A broker that wants a login and gets none just breaks the connection: then log.sasl is missing.',
  MESSAGE_TOO_LARGE: 'Raise max.message.bytes of the topic (and message.max.bytes of the broker).',
  LOGIN: 'Check log.sasl (mechanism, username, password or token) and that the brokers know this user.',
  SASL_AUTHENTICATION_FAILED: 'Check log.sasl (mechanism, username, password or token) and that the brokers know this user.',
  CERTIFICATE: 'Check log.ssl: caFile must hold the authority that signed the certificate of the brokers, which must be valid for the name in log.brokers.',
  TLS_WANTED: 'Set log.ssl.enabled if the brokers speak TLS, and leave it out if they do not.',
  INVALID_TIMESTAMP: 'The topic takes no records of such a time: raise its message.timestamp.after.max.ms and message.timestamp.before.max.ms.',
  INVALID_RECORD: 'The topic takes no such records: a compacted one, for instance, none without a key.',
  INVALID_SESSION_TIMEOUT: 'log.sessionTimeoutMs must lie between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers.',
  INVALID_TRANSACTION_TIMEOUT: 'Raise transaction.max.timeout.ms of the brokers to 10,000 or more.',
  INVALID_CONFIG: 'Look at the settings of the topic in the topology.',
  INVALID_PARTITIONS: 'Look at partitions and at the settings of the topic in the topology.',
  POLICY_VIOLATION: 'A policy of the cluster forbids it: ask who runs it.',
  INCONSISTENT_GROUP_PROTOCOL: 'Consumers that are not of voltstream are in this group: give the application another applicationId.',
  GROUP_MAX_SIZE_REACHED: 'Start fewer processes, or raise group.max.size of the brokers.',
  UNSUPPORTED_VERSION: 'Kafka 3.1 or later is needed.',
  FENCED_INSTANCE_ID: 'Two processes have the same log.instanceId: give each one of its own.',
};

/** The message of the innermost cause, which is the broker's or the system's own. */
function reasonOf(error: unknown): string {
  let reason = error;
  for (;;) {
    if (!(reason instanceof Error)) return String(reason);
    const next: unknown = reason.cause ?? (reason instanceof AggregateError ? reason.errors[0] : undefined);
    if (!(next instanceof Error)) break;
    reason = next;
  }
  const server = 'serverErrorMessage' in reason && typeof reason.serverErrorMessage === 'string' ? ` (${reason.serverErrorMessage})` : '';
  const name = 'apiId' in reason && typeof reason.apiId === 'string' ? `${reason.apiId}: ` : '';
  return `${name}${reason.message}${server}`;
}

/** An error of the client as one of the catalogue. */
export function kafkaFailure(error: unknown, what: string, where?: string): VoltstreamError {
  if (error instanceof VoltstreamError) return error;
  const type = kafkaErrorType(error) ?? '';
  const cure = cures[type];
  return new VoltstreamError(codesByType[type] ?? 'LOG_UNAVAILABLE', `${what}: ${reasonOf(error)}`, {
    cause: error,
    ...(where === undefined ? {} : { where }),
    ...(cure === undefined ? {} : { cure }),
  });
}

export async function asKafkaFailure<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw kafkaFailure(error, what);
  }
}
