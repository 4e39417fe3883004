import { dataQualityTable } from '../../charging/ingest/data-quality.ts';
import { stationVersionsTable } from '../../charging/reference/station-version-row.ts';
import { chargingTables } from '../../charging/tables.ts';
import { chargingTopology } from '../../charging/topology.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Warehouse } from '../../runtime/sinks/warehouse.ts';

/**
 * The product. A pod that stands still for a second is five days of events behind the others here, and its attempts must find their visits all the
 * same: they are waited for without end.
 */
export function judgedTopology(database: string): Topology {
  return chargingTopology({ database, visits: { waitForMs: 50 * 365 * 86_400_000 } });
}

/** All base tables of the product, by name. */
export const baseTables: readonly string[] = [
  ...Object.values(chargingTables('any')).map(({ table }) => table),
  stationVersionsTable('any').table,
  dataQualityTable('any').table,
].toSorted();

/**
 * No merges, so that every row that was ever inserted can be judged. In the settings of the tables, too: merges would go on for a moment
 * after each start. The many parts that are left need room.
 */
export async function stopMerges(warehouse: Warehouse, database: string): Promise<void> {
  for (const table of baseTables) {
    await warehouse.command(`ALTER TABLE ${database}.${table} MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1, `
      + 'max_bytes_to_merge_at_min_space_in_pool = 1, parts_to_delay_insert = 1000000, parts_to_throw_insert = 1000000, max_parts_in_total = 10000000');
  }
  await warehouse.command('SYSTEM STOP MERGES');
}
