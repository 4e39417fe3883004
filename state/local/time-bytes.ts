import { VoltstreamError } from '../../errors.ts';
import type { ByteWriter } from '../../schemas/byte-writer.ts';
import { encodeBy } from '../../schemas/encode-into.ts';

/** Whole milliseconds as 8 bytes in the order of the times: the form of the `int64` codec. */
export const timeBytes = 8;

export function writeTime(timeMs: number, writer: ByteWriter): void {
  if (!Number.isSafeInteger(timeMs)) {
    throw new VoltstreamError('SERIALISATION_FAILED', 'a time is not in whole milliseconds', { wanted: 'a safe integer', got: String(timeMs) });
  }
  writer.orderedInt64(timeMs);
}

/** The time, then the bytes. */
export function timeThenBytes(timeMs: number, bytes: Uint8Array): Uint8Array {
  return encoded([timeMs, bytes]);
}

const encoded = encodeBy<readonly [timeMs: number, bytes: Uint8Array]>(([timeMs, bytes], writer) => {
  writeTime(timeMs, writer);
  writer.bytes(bytes);
});
