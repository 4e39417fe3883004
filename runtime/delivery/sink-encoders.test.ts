import { describe, expect, it } from 'vitest';
import type { RecordOrigin } from '../../operators/operator.ts';
import type { TableDefinition, WarehouseSink } from '../../topology/sink.ts';
import { batchGapBytes, RowBuffer, rowVersion } from '../sinks/clickhouse/row-buffer.ts';
import { warehouseEncoder } from './sink-encoders.ts';

const run = 3;
const origin = {} as unknown as RecordOrigin;

/** `_version` of one row that is encoded with an ordinal at a time. */
function versionOf(versions: TableDefinition<{ text: string }>['versions'], ordinal: number, nowMs: number): bigint {
  const sink = {
    kind: 'warehouse', name: 't', row: () => ({ text: 'x' }),
    table: { database: 'd', table: 't', columns: { text: 'String' }, partitionOf: () => '', ...(versions === undefined ? {} : { versions }) },
  } as unknown as WarehouseSink<unknown, unknown, Readonly<Record<string, never>>>;
  const into = new RowBuffer();
  warehouseEncoder(sink, run, () => nowMs).encode({ key: null, value: null, timestampMs: 0 } as never, ordinal, origin as never, into);
  return into.view.getBigUint64(into.length - batchGapBytes - 8, true);
}

describe('the version of a row', () => {
  it('is the ordinal behind the run, whatever the time', () => {
    expect(versionOf(undefined, 12, 5_000)).toBe(rowVersion(run, 12));
    expect(versionOf('by ordinal', 12, 9_000)).toBe(rowVersion(run, 12));
  });

  it('by clock is later for what was made later, though a state that was put back counts from less', () => {
    const today = Date.UTC(2026, 10, 21);
    const before = versionOf('by clock', 4_000_000, today);
    expect(versionOf('by clock', 7, today + 1_000)).toBeGreaterThan(before);
    expect(versionOf('by clock', 8, Date.UTC(2100, 0, 1))).toBeLessThan(rowVersion(run + 1, 0));
  });

  it('by clock is above every ordinal of a table that was versioned by ordinals', () => {
    expect(versionOf('by clock', 0, Date.UTC(2026, 0, 1))).toBeGreaterThan(rowVersion(run, 400_000_000_000));
  });
});
