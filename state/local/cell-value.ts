import { InvariantViolation, VoltstreamError } from '../../errors.ts';
import type { Codec } from '../../schemas/codec.ts';
import { messageOf } from '../../schemas/malformed.ts';

const KEY_LENGTH_MAX = 200;

/**
 * A value as its codec writes it; `part` is what its cell's key holds beside the key: a member, a time. Throws SERIALISATION_FAILED with the
 * key when the codec cannot: a step has put what it does not take.
 */
export function encodeValue<V>(codec: Codec<V>, value: V, key: unknown, part?: unknown): Uint8Array {
  try {
    return codec.encode(value);
  } catch (error) {
    if (error instanceof InvariantViolation) throw error;
    const where = `key ${textOf(key)}${part === undefined ? '' : `, ${textOf(part)}`}`;
    if (error instanceof VoltstreamError) throw error.at(where);
    throw new VoltstreamError('SERIALISATION_FAILED', messageOf(error), { where, cause: error });
  }
}

function textOf(key: unknown): string {
  return (typeof key === 'object' ? JSON.stringify(key, (_name, part: unknown) => typeof part === 'bigint' ? String(part) : part) : String(key)).slice(0, KEY_LENGTH_MAX);
}
