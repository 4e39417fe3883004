import { VoltstreamError } from '../errors.ts';

/** The error for bytes that do not fit their form: what was read, what was wanted, what came. */
export function malformed(what: string, wanted: string, got: string, cause?: unknown): VoltstreamError {
  return new VoltstreamError('DESERIALISATION_FAILED', what, { wanted, got, ...(cause === undefined ? {} : { cause }) });
}

/** The first bytes in hexadecimal, for messages. */
export function bytesPreview(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 16)).toString('hex');
  return `${bytes.length} bytes${bytes.length === 0 ? '' : `, ${shown}${bytes.length > 16 ? '...' : ''}`}`;
}

/** The same memory as a Buffer, whose methods are the fast ones of Node. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
