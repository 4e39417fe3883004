/**
 * The undisturbed run, in one process and without any server: embedded log, LMDB and chDB. `servers-reference.ts` starts it as
 * `node servers-reference-process.ts FOLDER EVENTS PARTITIONS`; what it leaves in the folder is described there.
 */
import '../../cli/thread-pool.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chargingTopics } from '../../charging/topics.ts';
import { sessionsTopic } from '../../charging/topology.ts';
import { closePorts, openPorts } from '../../cli/workplace.ts';
import { Application } from '../../runtime/application.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EngineMetrics } from '../../runtime/metrics.ts';
import { firstEvents, InputFeed } from './servers-input.ts';
import { readSequences } from './servers-judges.ts';
import { fixedRun } from './servers-run-number.ts';
import { baseTables, judgedTopology, stopMerges } from './servers-tables.ts';

const [folder = '', eventsText = '', partitionsText = ''] = process.argv.slice(2);
const events = Number(eventsText);
const partitions = Number(partitionsText);

const configuration = loadConfiguration({ flags: { data: folder, partitions } });
const ports = await openPorts(configuration);
const { database } = configuration.warehouse;
await stopMerges(ports.warehouse, database);
await ports.log.createTopics(chargingTopics(partitions));
const feed = new InputFeed({ events, log: ports.log, registry: ports.registry, perSecond: Number.POSITIVE_INFINITY });
await feed.prelude();
const application = new Application({
  configuration, ports, topology: judgedTopology(database), topics: [], metrics: new EngineMetrics({ nodeMetrics: false }),
  logger: createLogger({ level: 'error' }), newRun: () => fixedRun,
});
const drained = (): Promise<void> => Promise.race([application.drained(new AbortController().signal), application.failed]);
await application.start();
// As a judged run begins: what all stations tell first is known before the rest comes.
const feeding = feed.run();
while (feed.appended < firstEvents(events)) await sleep(10);
await feed.pause();
await drained();
feed.resume();
await feeding;
await drained();
const rows = join(folder, 'rows');
mkdirSync(rows);
for (const table of baseTables) {
  await ports.warehouse.command(`INSERT INTO FUNCTION file('${join(rows, `${table}.native`)}', 'Native') SELECT * EXCEPT (_inserted) FROM ${database}.${table}`);
}
const sequences = await readSequences(ports.log, sessionsTopic, partitions);
writeFileSync(join(folder, 'sequences.json'), JSON.stringify([...sequences]));
await application.stop();
await closePorts(ports);
process.exit(0);
