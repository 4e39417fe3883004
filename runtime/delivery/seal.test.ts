import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import { ChdbWarehouse } from '../sinks/clickhouse/chdb-warehouse.ts';
import type { SealRequest, Warehouse } from '../sinks/warehouse.ts';
import { FakeWarehouse } from '../worker/testing/fake-warehouse.ts';
import { piecesOf } from './pieces.ts';
import { sealPieces } from './seal.ts';
import { chunkOf } from './testing/chunk-of.ts';

const identity = { application: 'a', run: 1, table: 'd.t', task: 't_0', first: 0, last: 9 };
const row = fc.record({ partition: fc.constantFrom('p', 'q', ''), bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) });
const hash = fc.uint8Array({ minLength: 16, maxLength: 16 });

/** Pieces as text: bytes that crossed a thread are of another class. */
function textOf(pieces: Awaited<ReturnType<typeof sealPieces>>): unknown {
  return pieces.map((piece) => ({ ...piece, bytes: Buffer.from(piece.bytes).toString('hex'), batchHash: Buffer.from(piece.batchHash).toString('hex') }));
}

describe('sealing a batch', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-seal-'));
  const chdb = new ChdbWarehouse({ folder });
  beforeAll(() => chdb.open());
  afterAll(async () => {
    await chdb.close();
    rmSync(folder, { recursive: true });
  });

  it("gives the same pieces in chDB's thread as here, and leaves the chunks as they were, also when they lie in a larger buffer", async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.array(row, { maxLength: 12 }), { maxLength: 4 }), fc.array(hash, { maxLength: 3 }), async (rows, committedHashes) => {
      const chunks = rows.map(chunkOf).map((chunk) => Buffer.concat([Buffer.from('head'), chunk, Buffer.from('tail')]).subarray(4, 4 + chunk.length));
      const before = Buffer.concat(chunks);
      const request: SealRequest = { identity, chunks, committedHashes };
      expect(textOf(await sealPieces(chdb, request))).toEqual(textOf(piecesOf(request)));
      expect(Buffer.concat(chunks)).toEqual(before);
    }), { numRuns: 200 });
  });

  it('is done here by a warehouse without a thread of its own, and when that thread is gone; a bug of ours is not passed over', async () => {
    const request: SealRequest = { identity, chunks: [chunkOf([{ partition: 'p', bytes: Uint8Array.of(1, 2) }])], committedHashes: [] };
    const failing = (error: Error): Warehouse => Object.assign(new FakeWarehouse({}), { seal: () => Promise.reject(error) });
    const here = textOf(piecesOf(request));
    expect(textOf(await sealPieces(new FakeWarehouse({}), request))).toEqual(here);
    expect(textOf(await sealPieces(failing(new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'gone')), request))).toEqual(here);
    await expect(sealPieces(failing(new TypeError('planted')), request)).rejects.toThrow('planted');
  });
});
