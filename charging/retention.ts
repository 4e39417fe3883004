import type { Warehouse } from './engine.ts';

/**
 * Sets for how long raw events are kept, by their event time; null keeps them for ever, which is what the tables are made with. Whole parts go,
 * so a month stays until its last event is old enough. Events that are ingested when they are already older go at the next merge.
 *
 * Asks first, and alters the table only when something changes: safe at every start, and from several processes at once.
 */
export async function keepRawEvents(warehouse: Warehouse, database: string, days: number | null): Promise<'unchanged' | 'changed'> {
  if (days !== null && !(Number.isInteger(days) && days > 0)) throw new RangeError(`days to keep raw events: a whole number above 0, not ${days}`);
  const name = database.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  const [table] = await warehouse.query<{ readonly ttl: string }>(
    `SELECT extract(engine_full, 'TTL event_time \\\\+ toIntervalDay\\\\((\\\\d+)\\\\)') AS ttl FROM system.tables WHERE database = '${name}' AND name = 'charging_events'`,
  );
  if (table === undefined || table.ttl === String(days ?? '')) return 'unchanged';
  const change = days === null ? 'REMOVE TTL' : `MODIFY TTL event_time + toIntervalDay(${days})`;
  await warehouse.command(`ALTER TABLE \`${database.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\`.charging_events ${change}`);
  return 'changed';
}
