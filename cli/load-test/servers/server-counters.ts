import type { Configuration } from '../../../runtime/configuration.ts';
import { storeServerOf } from '../../../runtime/ports.ts';
import type { Ports } from '../../../runtime/ports.ts';
import type { StoreCounters, StoreServer } from '../../../state/state-store.ts';
import { processAt, useOf } from './local-process.ts';
import type { ProcessUse } from './local-process.ts';
import type { PodCounters } from './pods-under-test.ts';
import type { PartUse, ServersReport } from './servers-report.ts';

const usualPorts = { Kafka: 9_092, Redis: 6_379, ClickHouse: 8_123 } as const;

type Figures = Pick<ServersReport, 'redis' | 'clickhouse' | 'parts' | 'commits'>;

interface Moment {
  readonly redis: StoreCounters | null;
  readonly clickhouse: ReadonlyMap<string, number>;
  readonly processes: ReadonlyMap<string, ProcessUse | null>;
  readonly own: NodeJS.CpuUsage;
}

/** What the servers have done between two moments, by their own counters, and what their processes have used where these run on this machine. */
export class ServerCounters {
  readonly #ports: Ports;
  readonly #redis: StoreServer | null;
  readonly #processes: ReadonlyMap<string, number | null>;
  #before: Moment | null = null;

  private constructor(ports: Ports, redis: StoreServer | null, processes: ReadonlyMap<string, number | null>) {
    this.#ports = ports;
    this.#redis = redis;
    this.#processes = processes;
  }

  static async open({ log, state, warehouse, ...rest }: Configuration, ports: Ports): Promise<ServerCounters> {
    const redis = await storeServerOf({ log, state, warehouse, ...rest });
    await redis?.open();
    const addresses = { Kafka: log.brokers[0] ?? '', Redis: state.url ?? '', ClickHouse: warehouse.url ?? '' };
    const processes = new Map<string, number | null>();
    for (const [name, port] of Object.entries(usualPorts) as [keyof typeof usualPorts, number][]) processes.set(name, await processAt(addresses[name], port));
    return new ServerCounters(ports, redis, processes);
  }

  async begin(): Promise<void> {
    this.#before = await this.#moment();
  }

  /** Since `begin`. */
  async end({ commits, cpuSeconds }: PodCounters, podMemoryMb: number): Promise<Figures> {
    const [before, after] = [this.#before, await this.#moment()];
    const event = (name: string): number => (after.clickhouse.get(name) ?? 0) - (before?.clickhouse.get(name) ?? 0);
    const own = process.cpuUsage(before?.own);
    return {
      commits, redis: redisBetween(before?.redis ?? null, after.redis, commits),
      clickhouse: { inserts: event('InsertQuery'), insertedRows: event('InsertedRows'), mergedRows: event('MergedRows') },
      parts: [
        { part: 'pods', cpuSeconds, memoryMb: podMemoryMb },
        ...[...after.processes].map(([part, use]): PartUse => ({
          part, memoryMb: use?.memoryMb ?? null, cpuSeconds: use === null ? null : use.cpuSeconds - (before?.processes.get(part)?.cpuSeconds ?? 0),
        })),
        { part: 'simulator and load test', cpuSeconds: (own.user + own.system) / 1e6, memoryMb: process.memoryUsage.rss() / 1_048_576 },
      ],
    };
  }

  async close(): Promise<void> {
    await this.#redis?.close();
  }

  async #moment(): Promise<Moment> {
    const events = await this.#ports.warehouse.query<{ readonly event: string; readonly value: string }>(
      `SELECT event, value FROM system.events WHERE event IN ('InsertQuery', 'InsertedRows', 'MergedRows')`);
    const processes = new Map<string, ProcessUse | null>();
    for (const [name, id] of this.#processes) processes.set(name, id === null ? null : await useOf(id));
    return {
      redis: await this.#redis?.counters() ?? null, clickhouse: new Map(events.map(({ event, value }) => [event, Number(value)])), processes, own: process.cpuUsage(),
    };
  }
}

function redisBetween(before: StoreCounters | null, after: StoreCounters | null, commits: number): ServersReport['redis'] {
  if (before === null || after === null) return null;
  const roundTrips = after.roundTrips - before.roundTrips;
  return {
    commands: after.commands - before.commands, roundTrips, roundTripsPerCommit: commits === 0 ? 0 : roundTrips / commits,
    receivedBytes: after.receivedBytes - before.receivedBytes, sentBytes: after.sentBytes - before.sentBytes, usedBytes: after.usedBytes, peakBytes: after.peakBytes,
  };
}
