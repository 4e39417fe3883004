import { VoltstreamError } from '../errors.ts';
import { isTrustFailure } from '../schemas/trust-failure.ts';

/** Refusals that have a cure of their own, by the first word of Redis' answer. */
const CURES: Readonly<Record<string, string>> = {
  OOM: 'Give Redis more memory (maxmemory); it refuses writes rather than forget state, and processing goes on when there is room.',
  MISCONF: 'Redis cannot write its snapshot: look at its log and its disk; processing goes on when it can.',
  READONLY: 'This Redis is a replica: point the store at the master, or wait for the fail-over to end.',
  NOREPLICAS: 'Redis has fewer replicas than min-replicas-to-write asks for: bring them back.',
  NOAUTH: 'Give user name and password in the URL of the store.',
  WRONGPASS: 'Correct user name and password in the URL of the store.',
  NOPERM: 'Give this Redis user the commands and keys that docs/redis.md names.',
  WRONGTYPE: 'Another application writes to the same keys: choose another key prefix.',
  CROSSSLOT: 'Set state.cluster: this Redis is a cluster.',
  MOVED: 'Set state.cluster: this Redis is a cluster.',
  CLUSTERDOWN: 'Not all slots of the cluster are served: look at CLUSTER INFO; processing goes on when they are.',
};

/** Any failed command: whether it was done is unknown, and the caller sends it again. */
export function redisFailure(error: unknown, where: string, connectionError?: Error): VoltstreamError {
  if (error instanceof VoltstreamError) return error;
  const { message, word } = answerOf(error, connectionError);
  const cure = CURES[word];
  return new VoltstreamError('STORE_UNAVAILABLE', 'Redis did not carry out a command', {
    where, got: message, cause: withoutArguments(error),
    ...(cure === undefined ? {} : { cure }),
  });
}

/** A failure while the store is opened: wrong credentials and certificates are said so, and not tried again. */
export function openingFailure(error: unknown, where: string): unknown {
  if (!(error instanceof VoltstreamError) || error.code !== 'STORE_UNAVAILABLE') return error;
  const got = /\n {2}got: (.*)/.exec(error.message)?.[1] ?? '';
  const word = /^[A-Z]+/.exec(got)?.[0] ?? '';
  if (word === 'NOAUTH' || word === 'WRONGPASS') {
    return new VoltstreamError('LOGIN_REFUSED', 'Redis refused the login', { where, wanted: 'a user name and password that it knows', got, cause: error.cause, cure: 'Correct user name and password: state.url, or state.username and state.password.' });
  }
  if (word === 'NOPERM') {
    return new VoltstreamError('LOGIN_REFUSED', 'Redis does not let this user do what the store needs', { where, got, cause: error.cause, cure: CURES['NOPERM'] as string });
  }
  if (isTrustFailure(error.cause) || isTrustFailure({ message: got })) {
    return new VoltstreamError('LOGIN_REFUSED', 'there is no trust between this process and Redis', { where, got, cause: error.cause, cure: 'Name the PEM file of the authority that signed its certificate with state.caFile, and our own with state.certificateFile and state.keyFile.' });
  }
  return error;
}

function answerOf(error: unknown, connectionError: Error | undefined): { readonly message: string; readonly word: string } {
  const answer = error instanceof Error ? error.message : String(error);
  const reason = connectionError?.message;
  const message = reason === undefined ? answer : `${reason} (${answer})`;
  return { message, word: /^[A-Z]+/.exec(message)?.[0] ?? '' };
}

/** ioredis keeps a refused command with its arguments: cells, or the password of AUTH. Nobody is to print them. */
function withoutArguments(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const plain = new Error(error.message);
  plain.name = error.name;
  if (error.stack !== undefined) plain.stack = error.stack;
  return 'code' in error ? Object.assign(plain, { code: error.code }) : plain;
}
