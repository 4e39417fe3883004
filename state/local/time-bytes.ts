import { VoltstreamError } from '../../errors.ts';

/** Whole milliseconds as 8 bytes in the order of the times: the form of the `int64` codec, without its copies. */
export const timeBytes = 8;

/** The time, then the bytes. */
export function timeThenBytes(timeMs: number, bytes: Uint8Array): Uint8Array {
  const joined = Buffer.allocUnsafe(timeBytes + bytes.length);
  writeTime(joined, 0, timeMs);
  joined.set(bytes, timeBytes);
  return joined;
}

/** The bytes, then the time. */
export function bytesThenTime(bytes: Uint8Array, timeMs: number): Uint8Array {
  const joined = Buffer.allocUnsafe(bytes.length + timeBytes);
  joined.set(bytes, 0);
  writeTime(joined, bytes.length, timeMs);
  return joined;
}

function writeTime(target: Buffer, at: number, timeMs: number): void {
  if (!Number.isSafeInteger(timeMs)) {
    throw new VoltstreamError('SERIALISATION_FAILED', 'a time is not in whole milliseconds', { wanted: 'a safe integer', got: String(timeMs) });
  }
  const high = Math.floor(timeMs / 2 ** 32);
  target.writeUInt32BE((high ^ 0x8000_0000) >>> 0, at);
  target.writeUInt32BE(timeMs - high * 2 ** 32, at + 4);
}
