import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { VoltstreamError } from '../../errors.ts';

/** A file of reference data as text. */
export interface ReferenceFile {
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the bytes as they lie on the disk, in hex. */
  readonly contentHash: string;
  readonly encoding: 'utf-8' | 'windows-1252';
}

/** Registers of whole countries have some 100 MB; beyond this a file is hardly reference data. */
const bytesMax = 512_000_000;

/**
 * Reads a file whole, plain or gzip. Text that is not UTF-8 is taken for windows-1252 (a superset of ISO 8859-1), as German
 * authorities write their CSV. Throws CONFIGURATION_INVALID when the file cannot be read.
 */
export async function readReferenceFile(path: string): Promise<ReferenceFile> {
  let bytes: Buffer;
  let plain: Buffer;
  try {
    bytes = await readFile(path);
    plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: bytesMax }) : bytes;
  } catch (error) {
    throw new VoltstreamError('CONFIGURATION_INVALID', 'the file cannot be read', {
      where: path, got: error instanceof Error ? error.message : String(error), cause: error, cure: 'Name a CSV or JSON file, plain or gzip.',
    });
  }
  return { name: basename(path), contentHash: createHash('sha256').update(bytes).digest('hex'), ...textOf(plain) };
}

/** Bytes as text, without a byte order mark. */
export function textOf(bytes: Uint8Array): Pick<ReferenceFile, 'text' | 'encoding'> {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'utf-8' };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { text: new TextDecoder('windows-1252').decode(bytes), encoding: 'windows-1252' };
  }
}
