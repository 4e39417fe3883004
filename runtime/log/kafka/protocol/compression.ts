import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithmsByBitmask } from '@platformatic/kafka';
import { DamagedBatch } from './damaged-batch.ts';

const gzip = 1;
const zstd = 4;

/** Opens the records of a compressed batch: 1 gzip and 4 zstd by Node, 2 snappy and 3 lz4 by the client's WebAssembly. */
export function decompress(codec: number, bytes: Buffer): Buffer {
  try {
    if (codec === gzip) return gunzipSync(bytes);
    if (codec === zstd) return zstdDecompressSync(bytes);
    const algorithm = compressionsAlgorithmsByBitmask[codec];
    if (algorithm === undefined) throw new DamagedBatch(`records are compressed by codec ${codec}, which nobody knows`);
    return Buffer.from(algorithm.decompressSync(bytes));
  } catch (error) {
    if (error instanceof DamagedBatch) throw error;
    throw new DamagedBatch(`records that are compressed by codec ${codec} cannot be opened`, { cause: error });
  }
}
