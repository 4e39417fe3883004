import { describe, expect, it } from 'vitest';
import { ProtocolError } from '@platformatic/kafka';
import { isPassing, kafkaErrorType, kafkaFailure } from './failure.ts';

const codeOf = (type: string): string => kafkaFailure(new ProtocolError(type), 'cannot').code;

describe('what a broker says', () => {
  it.each([
    'COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR', 'UNSTABLE_OFFSET_COMMIT', 'CONCURRENT_TRANSACTIONS', 'NOT_LEADER_OR_FOLLOWER',
    'LEADER_NOT_AVAILABLE', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'OFFSET_NOT_AVAILABLE', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'KAFKA_STORAGE_ERROR', 'THROTTLING_QUOTA_EXCEEDED', 'NOT_CONTROLLER',
  ])('%s passes: the same is asked again', (type) => expect(isPassing(new ProtocolError(type))).toBe(true));

  it.each([
    'TRANSACTION_ABORTABLE', 'INVALID_TXN_STATE', 'INVALID_PRODUCER_ID_MAPPING', 'UNKNOWN_PRODUCER_ID', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_SERVER_ERROR', 'CORRUPT_MESSAGE',
  ])('%s is not asked again, but a new producer cures it: LOG_UNAVAILABLE', (type) => expect([isPassing(new ProtocolError(type)), codeOf(type)]).toEqual([false, 'LOG_UNAVAILABLE']));

  it.each(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'])('%s: another one has the task, or the transaction took too long: FENCED', (type) => expect(codeOf(type)).toBe('FENCED'));

  it.each([
    'INVALID_TIMESTAMP', 'INVALID_RECORD', 'INVALID_SESSION_TIMEOUT', 'INCONSISTENT_GROUP_PROTOCOL', 'GROUP_MAX_SIZE_REACHED', 'POLICY_VIOLATION', 'INVALID_CONFIG',
    'UNSUPPORTED_VERSION', 'INVALID_TRANSACTION_TIMEOUT', 'TOPIC_AUTHORIZATION_FAILED', 'FENCED_INSTANCE_ID',
  ])('%s stays as it is, however often it is asked: LOG_REFUSED', (type) => expect(codeOf(type)).toBe('LOG_REFUSED'));

  it('about several parts of a request is what tells most', () => {
    const several = new AggregateError([new ProtocolError('OPERATION_NOT_ATTEMPTED'), new ProtocolError('INVALID_TIMESTAMP')]);
    expect(kafkaErrorType(several)).toBe('INVALID_TIMESTAMP');
  });
});
