import { VoltstreamError } from '../errors.ts';
import { avroType } from './avro-types.ts';
import { messageOf } from './malformed.ts';

/**
 * What a new schema of a subject must be able to do, by the names of Confluent's registry. BACKWARD: read what the version
 * before has written; FORWARD: be read by it; FULL: both. The TRANSITIVE ones look at all versions, not only at the last.
 */
export const compatibilityLevels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
export type CompatibilityLevel = (typeof compatibilityLevels)[number];

function whyUnreadable(reader: object, writer: object): string | null {
  try {
    avroType(reader).createResolver(avroType(writer));
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Throws SCHEMA_INCOMPATIBLE when `schema` may not follow `earlier` (oldest first) at this level. */
export function checkCompatibility(subject: string, schema: object, earlier: readonly object[], level: CompatibilityLevel): void {
  if (level === 'NONE') return;
  const compared = level.endsWith('_TRANSITIVE') ? earlier : earlier.slice(-1);
  const forward = level.startsWith('FORWARD') || level.startsWith('FULL');
  const backward = level.startsWith('BACKWARD') || level.startsWith('FULL');
  const first = earlier.length - compared.length + 1;
  compared.forEach((old, index) => {
    const problem =
      (backward ? prefixed('it cannot read', first + index, whyUnreadable(schema, old)) : null) ??
      (forward ? prefixed('it cannot be read by', first + index, whyUnreadable(old, schema)) : null);
    if (problem !== null) {
      throw new VoltstreamError('SCHEMA_INCOMPATIBLE', `a new schema does not fit subject ${subject}`, {
        where: `subject ${subject}`,
        wanted: `${level} compatibility`,
        got: problem,
      });
    }
  });
}

function prefixed(what: string, version: number, problem: string | null): string | null {
  return problem === null ? null : `${what} version ${version}: ${problem}`;
}
