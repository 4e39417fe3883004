import { invalid } from './invalid.ts';

/** Where a record can fail: when it is read, in a step, or when it is encoded for a sink. */
export type ErrorStage = 'deserialise' | 'process' | 'deliver';

/** What happens to a record that fails, when nothing else may be tried. */
export type FinalErrorPolicy = 'fail' | 'dead-letter';

/** Tries a record again from the state before it; when no attempt is left, `otherwise` says what happens. */
export interface RetryPolicy {
  /** How often the record is tried in all, the first time included: 2 to 1,000. */
  readonly attempts: number;
  /** Least wait before the second try; doubled before each further one, up to a minute (or this, if it is longer). At most an hour. */
  readonly backOffMs: number;
  readonly otherwise: FinalErrorPolicy;
}

/**
 * What happens to a record that fails. `fail`: its task stops before it commits, and the application with it. `dead-letter`: the
 * record goes to the topology's dead letters with its bytes, in the same commit, and the task goes on. A `RetryPolicy`: the task
 * forgets what it has not committed, waits, and takes the record again; other tasks go on meanwhile. The same holds for what fails
 * between two records: a punctuator, a tick of idle sources, and what comes after them.
 */
export type ErrorPolicy = FinalErrorPolicy | RetryPolicy;

/** A policy for each stage, and for single sources, steps, sinks and archives by name, which go before their stage's. */
export interface ErrorPolicies {
  readonly deserialise?: ErrorPolicy;
  readonly process?: ErrorPolicy;
  readonly deliver?: ErrorPolicy;
  readonly steps?: { readonly [name: string]: ErrorPolicy };
}

const ATTEMPTS_MAX = 1_000;
const BACK_OFF_MS_MAX = 3_600_000;

/** The policy of a stage at a source, step, sink or archive. Without any word on it: dead letters where there is a sink for them, else fail. */
export function errorPolicyOf(
  topology: { readonly errorPolicies: ErrorPolicies; readonly deadLetters: unknown }, stage: ErrorStage, name: string,
): ErrorPolicy {
  const { errorPolicies: policies, deadLetters } = topology;
  return policies.steps?.[name] ?? policies[stage] ?? (deadLetters === null ? 'fail' : 'dead-letter');
}

/** Throws TOPOLOGY_INVALID for a policy that names nothing of the topology, is out of bounds, or has no sink to send to. */
export function checkErrorPolicies(policies: ErrorPolicies, names: ReadonlySet<string>, deadLetters: boolean): void {
  const { steps = {}, ...stages } = policies;
  for (const name of Object.keys(steps)) {
    if (!names.has(name)) throw invalid(name, 'an error policy is for a name that the topology has not', 'a source, step, sink or archive', `"${name}"`);
  }
  for (const [where, policy] of [...Object.entries(stages), ...Object.entries(steps)]) {
    if (policy !== undefined) checkPolicy(where, policy, deadLetters);
  }
}

function checkPolicy(where: string, policy: ErrorPolicy, deadLetters: boolean): void {
  if (typeof policy === 'object') {
    const { attempts, backOffMs } = policy;
    if (!(Number.isInteger(attempts) && attempts >= 2 && attempts <= ATTEMPTS_MAX)) {
      throw invalid(where, 'an error policy has a number of attempts that cannot be', `2 to ${ATTEMPTS_MAX}`, String(attempts));
    }
    if (!(backOffMs >= 0 && backOffMs <= BACK_OFF_MS_MAX)) {
      throw invalid(where, 'an error policy has a back-off that cannot be', `0 to ${BACK_OFF_MS_MAX} ms`, String(backOffMs));
    }
  }
  if ((typeof policy === 'object' ? policy.otherwise : policy) === 'dead-letter' && !deadLetters) {
    throw invalid(where, 'its error policy asks for dead letters, which have no sink', 'topology.deadLetters(sink)', 'none');
  }
}
