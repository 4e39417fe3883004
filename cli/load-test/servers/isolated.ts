import { VoltstreamError } from '../../../errors.ts';
import { eventsTopic } from '../../../charging/topology.ts';
import { loadConfiguration } from '../../../runtime/configuration.ts';
import type { Configuration, ConfigurationSources } from '../../../runtime/configuration.ts';
import type { Ports } from '../../../runtime/ports.ts';
import { portsOf, storeServerOf } from '../../../runtime/ports.ts';

/** What names of runs may be: they become names of topics, keys and databases. */
const runName = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** A load test's own part of the servers: application, topics and database that nobody else has. */
export interface Isolated {
  readonly run: string;
  readonly sources: ConfigurationSources;
  readonly configuration: Configuration;
}

/** The run's name as it is wanted, or made of the time. Throws CONFIGURATION_INVALID. */
export function runNameOf(wanted: string | null, now: Date): string {
  const run = wanted ?? now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  if (!runName.test(run)) throw new VoltstreamError('CONFIGURATION_INVALID', 'a load test cannot have this name', { where: '--run', wanted: 'a-z, 0-9 and -, at most 40', got: run });
  return run;
}

/** The configuration with other names, so that what is in production under the configured ones is neither read nor written. */
export function isolated(sources: ConfigurationSources, run: string, options: { readonly folder: string; readonly pods: number }): Isolated {
  const given = loadConfiguration(sources);
  const own = {
    applicationId: `load-test-${run}`, 'log.topicPrefix': `${given.log.topicPrefix ?? ''}load-test-${run}.`, 'warehouse.database': `load_test_${run.replaceAll('-', '_')}`,
    // Pods are several on this machine, and a name of a static member belongs to one.
    'log.instanceId': '', data: options.folder, partitions: Math.max(given.partitions, options.pods),
  };
  if (own.applicationId === given.applicationId || own['warehouse.database'] === given.warehouse.database) {
    throw new VoltstreamError('CONFIGURATION_INVALID', 'the load test would be the application that is configured', {
      where: '--run', wanted: 'a name that gives another application and database', got: `${own.applicationId}, ${own['warehouse.database']}`,
    });
  }
  const isolatedSources: ConfigurationSources = { ...sources, flags: { ...sources.flags, ...own } };
  return { run, sources: isolatedSources, configuration: loadConfiguration(isolatedSources) };
}

/** What it has on the servers, for people. */
export function namesOf({ configuration: { applicationId, warehouse, log, state } }: Isolated): string {
  return `database ${warehouse.database}, topics ${log.topicPrefix ?? ''}*, keys ${state.keyPrefix}{${applicationId}*`;
}

/** Opens what is there and makes nothing. */
export async function withIsolatedPorts(own: Isolated, work: (ports: Ports) => Promise<void>): Promise<void> {
  const ports = await portsOf(own.configuration);
  const opened: { close(): Promise<void> }[] = [];
  try {
    for (const port of [ports.warehouse, ports.log, ports.store]) {
      await port.open();
      opened.push(port);
    }
    await work(ports);
  } finally {
    for (const port of opened) await port.close();
  }
}

/** Throws CONFIGURATION_INVALID when something of this name is there: it is not ours to write into. The ports are open. */
export async function refuseTaken({ configuration }: Isolated, ports: Ports): Promise<void> {
  const { database } = configuration.warehouse;
  const found = [
    ...((await ports.warehouse.query(`SELECT name FROM system.databases WHERE name = '${database}'`)).length > 0 ? [`the database ${database}`] : []),
    ...(await ports.log.partitionCount(eventsTopic) === null ? [] : [`the topic ${configuration.log.topicPrefix ?? ''}${eventsTopic}`]),
    ...((await ports.store.tasks()).length > 0 ? [`state of ${configuration.applicationId}`] : []),
  ];
  if (found.length === 0) return;
  throw new VoltstreamError('CONFIGURATION_INVALID', 'a load test writes only into what it has made itself', {
    where: '--run', wanted: 'a name under which there is nothing yet', got: found.join(', '), cure: 'Choose another name, or leave --run out.',
  });
}

/** Deletes what the load test has made: database, state, topics and groups. Pods must have ended. */
export async function removeIsolated({ configuration }: Isolated, ports: Ports): Promise<void> {
  await ports.warehouse.command(`DROP DATABASE IF EXISTS ${configuration.warehouse.database}`);
  const server = await storeServerOf(configuration);
  if (server !== null) {
    await server.open();
    try {
      await server.removeAll();
    } finally {
      await server.close();
    }
  }
  await ports.log.removeAll?.({ topicPrefix: '', application: configuration.applicationId });
}
