import type { Warehouse } from '../sinks/warehouse.ts';
import type { DeliveryTable, TableFacts } from '../sinks/clickhouse/check-table.ts';
import { PieceDelivery } from '../sinks/clickhouse/delivery.ts';
import type { SealedBatch } from '../task/outbox.ts';
import type { DeliveryTask, SinkDelivery } from './delivery.ts';
import { sealPieces } from './seal.ts';

/** Into a ClickHouse table, exactly once: the data says which pieces of a batch are applied (Law 4). */
export class WarehouseDelivery implements SinkDelivery {
  readonly #warehouse: Warehouse;
  readonly #delivery: PieceDelivery;
  readonly #application: string;
  readonly #table: DeliveryTable;
  readonly #task: DeliveryTask;

  constructor(warehouse: Warehouse, application: string, table: DeliveryTable, facts: TableFacts, task: DeliveryTask) {
    this.#warehouse = warehouse;
    this.#application = application;
    this.#table = table;
    this.#task = task;
    this.#delivery = new PieceDelivery({
      warehouse, table, replicated: facts.replicated, signal: task.signal,
      report: (event) => {
        if (event.kind === 'retry') task.retrying(`insert into ${event.table}`, event.error);
      },
    });
  }

  async open(): Promise<void> {
    // Nothing to fence: an old owner re-sends the same bytes under the same hash, which is recognised.
  }

  async deliver(batch: SealedBatch): Promise<void> {
    const identity = {
      application: this.#application, run: this.#task.run, table: `${this.#table.database}.${this.#table.table}`,
      task: this.#task.id, first: batch.first, last: batch.last,
    };
    const pieces = await sealPieces(this.#warehouse, { identity, chunks: batch.chunks, committedHashes: [] });
    await this.#delivery.deliver(pieces, { mayBePresent: batch.restored });
  }

  async close(): Promise<void> {
    // The warehouse is shared and closed by the application.
  }
}
