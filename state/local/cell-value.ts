import { InvariantViolation, VoltstreamError } from '../../errors.ts';
import type { Codec } from '../../schemas/codec.ts';
import { encodeInto } from '../../schemas/encode-into.ts';
import { messageOf } from '../../schemas/malformed.ts';
import { cellWriter } from './cell-writer.ts';

const KEY_LENGTH_MAX = 200;

/**
 * A value as its codec writes it; `part` is what its cell's key holds beside the key: a member, a time. Throws SERIALISATION_FAILED with the
 * key when the codec cannot: a step has put what it does not take.
 */
export function encodeValue<V>(codec: Codec<V>, value: V, key: unknown, part?: unknown): Uint8Array {
  try {
    if (codec.encodeInto === undefined) return codec.encode(value);
    cellWriter.begin();
    codec.encodeInto(value, cellWriter);
    return cellWriter.take();
  } catch (error) {
    throw unwritable(error, key, part);
  }
}

/** The value behind one byte that says what kind of value it is. */
export function encodeMarkedValue<V>(mark: number, codec: Codec<V>, value: V, key: unknown, part: unknown): Uint8Array {
  try {
    cellWriter.begin();
    cellWriter.uint8(mark);
    encodeInto(codec, value, cellWriter);
    return cellWriter.take();
  } catch (error) {
    throw unwritable(error, key, part);
  }
}

function unwritable(error: unknown, key: unknown, part: unknown): unknown {
  if (error instanceof InvariantViolation) return error;
  const where = `key ${textOf(key)}${part === undefined ? '' : `, ${textOf(part)}`}`;
  if (error instanceof VoltstreamError) return error.at(where);
  return new VoltstreamError('SERIALISATION_FAILED', messageOf(error), { where, cause: error });
}

function textOf(key: unknown): string {
  return (typeof key === 'object' ? JSON.stringify(key, (_name, part: unknown) => typeof part === 'bigint' ? String(part) : part) : String(key)).slice(0, KEY_LENGTH_MAX);
}
