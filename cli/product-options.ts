import type { ChargingTopologyOptions } from '../charging/topology.ts';
import type { Configuration } from '../runtime/configuration.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** The settings of the product as its topology wants them. */
export function productOptions({ charging, warehouse }: Pick<Configuration, 'charging' | 'warehouse'>) {
  const { sessions, load, visits } = charging;
  return {
    database: warehouse.database,
    sessions: { settleMs: sessions.settleMinutes * minuteMs, inactiveMs: sessions.inactiveDays * dayMs, finishedForMs: sessions.finishedForDays * dayMs },
    load: { graceMs: load.openForDays * dayMs },
    visits: { waitForMs: visits.waitForDays * dayMs },
  } satisfies ChargingTopologyOptions;
}
