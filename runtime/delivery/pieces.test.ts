import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchHashBytes } from '../sinks/clickhouse/batch-hash.ts';
import { PieceBuilder } from './pieces.ts';
import { chunkOf } from './testing/chunk-of.ts';
import type { PartitionRow } from './testing/chunk-of.ts';

const identity = { application: 'a', run: 1, table: 'd.t', task: 't_0', first: 0, last: 9 };
const row = fc.record({ partition: fc.constantFrom('p', 'q', 'r'), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) });

const rowsAChunk = 7;

function piecesOf(rows: readonly PartitionRow[], of = identity, committed: readonly Uint8Array[] = []) {
  const builder = new PieceBuilder();
  for (let from = 0; from < rows.length || from === 0; from += rowsAChunk) builder.addChunk(chunkOf(rows.slice(from, from + rowsAChunk)));
  return builder.take(of, committed);
}

describe('pieces of a batch', () => {
  it('hold one table partition each, all of its rows in order, and their own hash behind every row', () => {
    fc.assert(fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      const pieces = piecesOf(rows);
      expect(pieces.map((piece) => piece.partition)).toEqual([...new Set(rows.map(({ partition }) => partition))]);
      for (const piece of pieces) {
        const own = rows.filter(({ partition }) => partition === piece.partition);
        expect(piece.rowCount).toBe(own.length);
        expect(Buffer.from(piece.bytes)).toEqual(Buffer.concat(own.flatMap(({ bytes }) => [bytes, piece.batchHash])));
      }
    }));
  });

  it('have the same hashes for the same rows, and others for any other row, order, run, task or ordinals', () => {
    const rows: readonly PartitionRow[] = [{ partition: 'p', bytes: Uint8Array.of(1) }, { partition: 'p', bytes: Uint8Array.of(2) }];
    const hash = (given: readonly PartitionRow[], of = identity): string => Buffer.from(piecesOf(given, of)[0]?.batchHash ?? []).toString('hex');
    const hashes = [
      hash(rows), hash([...rows].reverse()), hash(rows.slice(1)), hash(rows.map(({ bytes }) => ({ partition: 'q', bytes }))),
      hash(rows, { ...identity, run: 2 }), hash(rows, { ...identity, task: 't_1' }), hash(rows, { ...identity, application: 'b' }),
      hash(rows, { ...identity, table: 'd.u' }), hash(rows, { ...identity, first: 1 }), hash(rows, { ...identity, last: 10 }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hash(rows)).toBe(hashes[0]);
    expect(hashes[0]).toHaveLength(2 * batchHashBytes);
  });

  it('take hashes that were committed for the same range, in their order', () => {
    const committed = [new Uint8Array(16).fill(7), new Uint8Array(16).fill(8)];
    const pieces = piecesOf([{ partition: 'p', bytes: Uint8Array.of(1) }, { partition: 'q', bytes: Uint8Array.of(2) }], identity, committed);
    expect(pieces.map((piece) => piece.batchHash)).toEqual(committed);
    expect(Buffer.from(pieces[1]?.bytes ?? [])).toEqual(Buffer.from([2, ...new Uint8Array(16).fill(8)]));
  });

  it('end before 100,000 rows and 10 MB, so that each insert is one block', () => {
    const small: PartitionRow = { partition: 'p', bytes: new Uint8Array(1) };
    const builder = new PieceBuilder();
    builder.addChunk(chunkOf(Array.from({ length: 100_001 }, () => small)));
    expect(builder.take(identity).map((piece) => piece.rowCount)).toEqual([100_000, 1]);
    expect(builder.take(identity)).toEqual([]);
    // Rows carry their ordinal, so no two are equal.
    builder.addChunk(chunkOf(Array.from({ length: 5 }, (_, index) => ({ partition: 'p', bytes: new Uint8Array(4_000_000).fill(index) }))));
    const pieces = builder.take(identity);
    expect(pieces.map((piece) => piece.rowCount)).toEqual([2, 2, 1]);
    expect(new Set(pieces.map((piece) => Buffer.from(piece.batchHash).toString('hex'))).size).toBe(3);
  });
});
