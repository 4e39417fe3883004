import { VoltstreamError } from '../errors.ts';

/** Refusals that have a cure of their own, by the first word of Redis' answer. */
const CURES: Readonly<Record<string, string>> = {
  OOM: 'Give Redis more memory (maxmemory); it refuses writes rather than forget state, and processing goes on when there is room.',
  MISCONF: 'Redis cannot write its snapshot: look at its log and its disk; processing goes on when it can.',
  READONLY: 'This Redis is a replica: point the store at the master, or wait for the fail-over to end.',
  NOREPLICAS: 'Redis has fewer replicas than min-replicas-to-write asks for: bring them back.',
  NOAUTH: 'Give user name and password in the URL of the store.',
  WRONGPASS: 'Correct user name and password in the URL of the store.',
  NOPERM: 'Allow this Redis user the commands EVALSHA, SCRIPT LOAD, HSCAN, HGETALL, SADD, SMEMBERS, INFO and those in state/lua.',
  WRONGTYPE: 'Another application writes to the same keys: choose another key prefix.',
};

/** Any failed command: whether it was done is unknown, and the caller sends it again. */
export function redisFailure(error: unknown, where: string, connectionError?: Error): VoltstreamError {
  if (error instanceof VoltstreamError) return error;
  const answer = error instanceof Error ? error.message : String(error);
  const message = connectionError === undefined ? answer : `${connectionError.message} (${answer})`;
  const word = /^[A-Z]+/.exec(message)?.[0] ?? '';
  const cure = CURES[word];
  return new VoltstreamError('STORE_UNAVAILABLE', 'Redis did not carry out a command', {
    where,
    got: message,
    cause: error,
    ...(cure === undefined ? {} : { cure }),
  });
}
