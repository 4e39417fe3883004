import { typeOfForm } from './avro-codec.ts';
import type { RegisteredForm } from './codec.ts';
import { compileEncoder } from './compiled-encoder.ts';

/**
 * Writes a value's Avro body into a buffer from a position on; gives the position behind it, or one beyond the buffer's end when there was no room
 * (nothing that counts is written then). Throws on values that do not fit the schema.
 */
export function avroBodyWriter<T>(form: RegisteredForm<T>): (value: T, buffer: Buffer, from: number) => number {
  const type = typeOfForm(form);
  const fast = compileEncoder(type);
  return (value, buffer, from) => {
    const fastEnd = fast === null ? -1 : fast(value, buffer, from);
    if (fastEnd >= 0) return fastEnd;
    // avsc gives minus what is missing when there is no room.
    const end = type.encode(value, buffer, from);
    return end < 0 ? buffer.length - end : end;
  };
}
