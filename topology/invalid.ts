import { VoltstreamError } from '../errors.ts';

/** An error at build time that names the step, what was wanted and what was given. */
export function invalid(step: string, what: string, wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('TOPOLOGY_INVALID', what, { where: `step "${step}"`, wanted, got });
}

const NAME = /^[A-Za-z0-9._-]{1,120}$/;

/** Names stand in Redis keys, topic names, metrics and file names, so they are kept to what all of these allow. */
export function checkName(kind: string, name: string): void {
  if (!NAME.test(name)) {
    throw invalid(name, `a ${kind} has a name that cannot be used`, 'letters, digits, ".", "_" and "-", at most 120', JSON.stringify(name));
  }
}
