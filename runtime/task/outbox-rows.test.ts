import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../../errors.ts';
import { RowCollector, rowCountOf, visitRows } from './outbox-rows.ts';

const row = fc.record({ group: fc.string({ maxLength: 8 }), bytes: fc.uint8Array({ maxLength: 40 }) });

function chunkOf(rows: readonly { readonly group: string; readonly bytes: Uint8Array }[], collector = new RowCollector()): Uint8Array {
  for (const { group, bytes } of rows) {
    collector.add((into) => {
      into.writeBytes(bytes);
      return group;
    });
  }
  return collector.take();
}

function rowsOf(chunk: Uint8Array): { readonly group: string; readonly bytes: Uint8Array }[] {
  const rows: { readonly group: string; readonly bytes: Uint8Array }[] = [];
  visitRows(chunk, (group, bytes, start, end) => rows.push({ group, bytes: new Uint8Array(bytes.subarray(start, end)) }));
  return rows;
}

describe('a chunk of outbox rows', () => {
  it('gives back groups, bytes and order as they went in, also from the middle of a larger buffer', () => {
    fc.assert(fc.property(fc.array(row, { maxLength: 30 }), fc.nat(9), (rows, offset) => {
      const chunk = chunkOf(rows);
      const larger = new Uint8Array(chunk.length + offset + 3);
      larger.set(chunk, offset);
      const inside = larger.subarray(offset, offset + chunk.length);
      expect([rowCountOf(inside), rowsOf(inside)]).toEqual([rows.length, rows]);
    }));
  });

  it('holds nothing of a row whose encoder threw half way', () => {
    const collector = new RowCollector();
    expect(() => collector.add((into) => {
      into.writeBytes(Uint8Array.of(1, 2, 3));
      throw new Error('planted');
    })).toThrow('planted');
    expect([collector.rows, collector.bytes]).toEqual([0, 0]);
    expect(rowsOf(chunkOf([{ group: 'a', bytes: Uint8Array.of(9) }], collector))).toEqual([{ group: 'a', bytes: Uint8Array.of(9) }]);
  });

  it('starts empty after each chunk, groups included', () => {
    const collector = new RowCollector();
    chunkOf([{ group: 'a', bytes: Uint8Array.of(1) }], collector);
    expect(rowsOf(chunkOf([{ group: 'b', bytes: Uint8Array.of(2) }], collector))).toEqual([{ group: 'b', bytes: Uint8Array.of(2) }]);
  });

  it('is refused when it is cut short', () => {
    const chunk = chunkOf([{ group: 'a', bytes: Uint8Array.of(1, 2, 3) }, { group: 'b', bytes: Uint8Array.of(4) }]);
    const missingRow = new Uint8Array(chunk);
    missingRow[chunk.length - 4] = 3;                            // says three rows and has two
    expect(() => rowsOf(missingRow)).toThrow(InvariantViolation);
    const wrongLength = new Uint8Array(chunk);
    wrongLength[4] = 200;
    expect(() => rowsOf(wrongLength)).toThrow(InvariantViolation);
  });
});
