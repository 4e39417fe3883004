import { createHash } from 'node:crypto';
import type { Log } from '../../runtime/log/log.ts';
import type { Warehouse } from '../../runtime/sinks/warehouse.ts';

/** One base table as it lies there, merges stopped. */
export interface ObservedTable {
  readonly table: string;
  /** `count()`. */
  readonly rows: number;
  /** Distinct business keys; of sessions, a key for each revision. */
  readonly keys: number;
  /** Parts that a merge has made, which may have hidden duplicates. */
  readonly mergedParts: number;
  /** Rows in the order of their keys: the row itself, or its hash where there are many. */
  readonly content: readonly string[];
}

export interface ObservedTopic {
  readonly topic: string;
  /** A line for each record of each partition, in order. */
  readonly partitions: readonly (readonly string[])[];
}

export interface Observation {
  readonly tables: readonly ObservedTable[];
  readonly topics: readonly ObservedTopic[];
}

/** The product's base tables and their business keys; of a session every revision is there, of an hour every row that was given. */
const observedTables = [
  { table: 'charging_events', keys: 'topic, partition, offset' },
  { table: 'charging_sessions', keys: 'station_id, session_id, revision' },
  { table: 'station_hours', keys: 'station_id, hour, _version' },
  { table: 'station_days', keys: 'station_id, day, _version' },
  { table: 'dead_letters', keys: 'step, topic, partition, offset, number' },
  { table: 'late_records', keys: 'step, topic, partition, offset, number' },
] as const;

/** Rows of a table that are kept as they are, for messages; more are kept as hashes. */
const plainRowsMax = 50_000;

/** Looks at everything that the product has put out. Only when and in which batch a row came is left out. */
export async function observe(warehouse: Warehouse, log: Log, database: string, topics: readonly string[]): Promise<Observation> {
  const tables: ObservedTable[] = [];
  for (const { table, keys } of observedTables) {
    const [counted] = await warehouse.query<{ rows: string; keys: string }>(
      `SELECT count() AS rows, uniqExact(${keys}) AS keys FROM ${database}.${table}`);
    const [parts] = await warehouse.query<{ merged: string }>('SELECT countIf(min_block_number != max_block_number) AS merged FROM system.parts ' +
      `WHERE database = '${database}' AND table = '${table}' AND active`);
    const rows = Number(counted?.rows);
    const row = "formatRow('JSONCompactEachRow', * EXCEPT (_inserted, _batch))";
    const content = await warehouse.query<{ row: string }>(
      `SELECT ${rows <= plainRowsMax ? row : `hex(sipHash64(${row}))`} AS row FROM ${database}.${table} ORDER BY ${keys}`);
    tables.push({ table, rows, keys: Number(counted?.keys), mergedParts: Number(parts?.merged ?? 0), content: content.map((line) => line.row.trim()) });
  }
  return { tables, topics: await Promise.all(topics.map((topic) => observeTopic(log, topic))) };
}

async function observeTopic(log: Log, topic: string): Promise<ObservedTopic> {
  const count = await log.partitionCount(topic) ?? 0;
  const partitions: string[][] = [];
  for (let partition = 0; partition < count; partition++) {
    const lines: string[] = [];
    const { start, end } = await log.bounds({ topic, partition });
    for await (const batch of log.read({ topic, partition }, start, end)) {
      for (const { offset, timestampMs, key, value } of batch.records) {
        const digest = createHash('sha256').update(value ?? 'null').digest('hex').slice(0, 16);
        lines.push(`${offset} ${timestampMs} ${key === null ? 'null' : Buffer.from(key).toString()} ${digest}`);
      }
    }
    partitions.push(lines);
  }
  return { topic, partitions };
}
