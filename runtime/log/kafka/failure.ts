import { type ErrorCode, VoltstreamError } from '../../../errors.ts';

const codesByType: Readonly<Record<string, ErrorCode>> = {
  PRODUCER_FENCED: 'FENCED',
  INVALID_PRODUCER_EPOCH: 'FENCED',
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_MISSING',
  INVALID_TOPIC_EXCEPTION: 'TOPIC_MISSING',
};

/** Kafka's name of a protocol error (`PRODUCER_FENCED`...), also when kafkajs has wrapped it. */
export function kafkaErrorType(error: unknown): string | undefined {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if ('type' in one && typeof one.type === 'string') return one.type;
  }
  return undefined;
}

/** An error of kafkajs as one of the catalogue. */
export function kafkaFailure(error: unknown, what: string, where?: string): VoltstreamError {
  if (error instanceof VoltstreamError) return error;
  const type = kafkaErrorType(error);
  const code = (type === undefined ? undefined : codesByType[type]) ?? 'LOG_UNAVAILABLE';
  return new VoltstreamError(code, `${what}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
    ...(where === undefined ? {} : { where }),
    ...(type === 'MESSAGE_TOO_LARGE' ? { cure: 'Raise max.message.bytes of the topic (and message.max.bytes of the broker).' } : {}),
  });
}

export async function asKafkaFailure<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw kafkaFailure(error, what);
  }
}
