import { setTimeout as pause } from 'node:timers/promises';
import { eventsTopic } from '../../charging/topology.ts';
import type { Warehouse } from '../../charging/engine.ts';

export const SAMPLE_MS = 500;

/** Messages by partition that have a row by now: in the table of raw events, or as a dead letter. */
export async function visibleRows(warehouse: Warehouse, database: string): Promise<ReadonlyMap<number, number>> {
  const counts = await warehouse.query<{ readonly partition: number; readonly rows: string }>(
    `SELECT partition, sum(rows) AS rows FROM (
       SELECT partition, count() AS rows FROM ${database}.charging_events GROUP BY partition
       UNION ALL SELECT partition, count() AS rows FROM ${database}.dead_letters WHERE topic = '${eventsTopic}' GROUP BY partition
     ) GROUP BY partition`);
  return new Map(counts.map(({ partition, rows }) => [Number(partition), Number(rows)]));
}

export function sumOf(counts: ReadonlyMap<number, number>): number {
  return counts.values().reduce((sum, count) => sum + count, 0);
}

/** What the tables of a database take. */
export async function tableSizes(warehouse: Warehouse, database: string): Promise<{ readonly rows: number; readonly bytes: number; readonly parts: number }> {
  const [sizes] = await warehouse.query<{ readonly rows: string; readonly bytes: string; readonly parts: string }>(
    `SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE active AND database = '${database}'`);
  return { rows: Number(sizes?.rows ?? 0), bytes: Number(sizes?.bytes ?? 0), parts: Number(sizes?.parts ?? 0) };
}

/** Samples until the signal comes, one after the other; what takes longer than the time between two is not made up for. */
export async function watch(sample: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const startedMs = performance.now();
    await sample();
    await pause(Math.max(0, SAMPLE_MS - (performance.now() - startedMs)), undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
