import { writeBatchGap } from '../../sinks/clickhouse/row-buffer.ts';
import { RowCollector } from '../../task/outbox-rows.ts';

/** A row without its `_batch`, and the table partition that it belongs to. */
export interface PartitionRow {
  readonly partition: string;
  readonly bytes: Uint8Array;
}

/** Rows as an outbox keeps them, each with a gap behind it. */
export function chunkOf(rows: readonly PartitionRow[]): Uint8Array {
  const collector = new RowCollector();
  for (const { partition, bytes } of rows) {
    collector.add((into) => {
      into.writeBytes(bytes);
      writeBatchGap(into);
      return partition;
    });
  }
  return collector.take();
}
