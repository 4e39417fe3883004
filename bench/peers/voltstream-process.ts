/** One run of a workload by us: `node voltstream-process.ts OPTIONS` as JSON. Says the same as `kafka-streams/Peer.java`. */
import { Application } from '../../runtime/application.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EngineMetrics } from '../../runtime/metrics.ts';
import { portsOf } from '../../runtime/ports.ts';
import type { Warehouse } from '../../runtime/sinks/warehouse.ts';
import { peerTopology } from './voltstream-topology.ts';
import type { PeerMessage, PeerOptions } from './workloads.ts';

const noWarehouse: Warehouse = {
  open: () => Promise.resolve(), query: () => Promise.resolve([]), queryText: () => Promise.resolve(''), async* stream() {},
  command: () => Promise.resolve(), insert: () => Promise.resolve(), close: () => Promise.resolve(),
};

function tell(message: PeerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function main(text: string): Promise<void> {
  const options = JSON.parse(text) as PeerOptions;
  const configuration = loadConfiguration({ flags: {
    applicationId: options.applicationId, dataFolder: options.folder, partitions: options.partitions, logLevel: 'error',
    'log.kind': 'kafka', 'log.brokers': options.brokers, 'state.kind': 'redis', 'state.url': options.redisUrl,
    'registry.kind': 'confluent', 'registry.url': options.registryUrl,
    // Output is as fresh as the other side's: each commit's goes out with the next one at the latest.
    'commit.intervalMs': options.commitMs, 'outbox.sealAgeMs': 1,
  } });
  const ports = { ...await portsOf(configuration), warehouse: noWarehouse };
  for (const port of [ports.log, ports.store, ports.registry]) await port.open();
  const application = new Application({
    configuration, ports, topology: peerTopology(options), metrics: new EngineMetrics({ nodeMetrics: false }), logger: createLogger({ level: 'error' }), topics: [],
  });
  application.failed.catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
  // A profile is written when the process ends by itself.
  process.once('SIGTERM', () => process.exit(0));
  await application.start();
  const first = setInterval(() => {
    if (application.figures.processed === 0) return;
    clearInterval(first);
    tell({ kind: 'first', atMs: Date.now() });
  }, 5);
  await application.drained(new AbortController().signal);
  tell({ kind: 'done', atMs: Date.now() });
}

if (import.meta.main) await main(process.argv[2] ?? '{}');
