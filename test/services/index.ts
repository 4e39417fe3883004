/**
 * Real services for tests and for people: `npm run services` starts Kafka, Redis, ClickHouse and a schema registry, says where they are and
 * which environment variables lead to them, and keeps them until Ctrl-C, which deletes their data. `npm run services -- kafka redis` starts
 * some. As containers where Docker runs, else as local processes: see `placement.ts`.
 *
 * `node test/services/index.ts up` is for scripts: Kafka and Redis, on any free ports, and only the variables of tests on standard output.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oneOf, script } from '../script-options.ts';
import { placement } from './placement.ts';
import { requirePrograms, serviceNames, startService } from './services.ts';
import type { RunningService, ServiceName } from './services.ts';

export { KafkaService } from './kafka.ts';
export { KafkaCluster } from './kafka-cluster.ts';
export { RedisService } from './redis.ts';
export { RegistryService } from './registry.ts';

/** Between two lines about a service that is not ready yet. */
const progressMs = 3_000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;

function exportsOf(services: readonly RunningService[], kind: 'testVariables' | 'runVariables'): string {
  return services.flatMap((service) => Object.entries(service[kind])).map(([name, value]) => `export ${name}=${value}\n`).join('');
}

/** Starts one and tells how it goes. */
async function startTelling(name: ServiceName, start: () => Promise<RunningService>): Promise<RunningService> {
  const startedMs = Date.now();
  const ticker = setInterval(() => say(`${name}: starting, ${seconds(startedMs)}`), progressMs);
  try {
    const service = await start();
    say(`${name}: ready after ${seconds(startedMs)} at ${service.address} (${service.remark})`);
    return service;
  } catch (error) {
    throw new Error(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    clearInterval(ticker);
  }
}

async function up(names: readonly ServiceName[], forScripts: boolean): Promise<void> {
  const where = await placement();
  requirePrograms(names, where);
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-services-'));
  const services: RunningService[] = [];
  const down = async (exitCode: number): Promise<never> => {
    await Promise.allSettled(services.map((service) => service.dispose()));
    rmSync(folder, { recursive: true, force: true });
    process.exit(exitCode);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void down(0));
  // What is still starting ends with this process; the folder goes in any case.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  if (!forScripts) say(`as ${where === 'containers' ? 'containers' : 'local processes (no Docker engine answers)'}: ${names.join(', ')}`);
  const started = await Promise.allSettled(names.map(async (name) => {
    const start = (): Promise<RunningService> => startService(name, where, { folder, usualPort: !forScripts });
    const service = await (forScripts ? start() : startTelling(name, start));
    services.push(service);
    if (forScripts) process.stdout.write(exportsOf([service], 'testVariables'));
  }));
  const failed = started.filter((outcome) => outcome.status === 'rejected');
  for (const { reason } of failed) say(reason instanceof Error ? reason.message : String(reason));
  if (failed.length > 0) await down(1);
  if (forScripts) process.stdout.write('# running; Ctrl-C stops them and deletes their data\n');
  else tell(names.flatMap((name) => services.filter((service) => service.name === name)), folder);
}

function tell(services: readonly RunningService[], folder: string): void {
  const runFile = join(folder, 'run.env');
  const testFile = join(folder, 'tests.env');
  writeFileSync(runFile, exportsOf(services, 'runVariables'));
  writeFileSync(testFile, exportsOf(services, 'testVariables'));
  process.stdout.write(`
# For voltstream:  . ${runFile} && npm start -- --no-sample
${exportsOf(services, 'runVariables')}
# For the tests:   . ${testFile} && npm test
${exportsOf(services, 'testVariables')}
# data ${folder}
# logs ${join(folder, 'logs')}
# Ctrl-C stops them and deletes their data.
`);
}

if (import.meta.main) {
  const command = script('npm run services --',
    'Starts services for tests and for people, says where they are and which environment variables lead to them, and keeps them until Ctrl-C, which deletes their data. '
      + 'As containers where Docker runs, else as local processes: then kafka needs java and mvn, redis needs redis-server.')
    .argument('[names...]', `of ${serviceNames.join(', ')} (default: all). "up" before them: for scripts, on any free ports, with only the variables of tests on standard output (default: kafka redis)`,
      (text: string, before: readonly string[] = []) => [...before, before.length === 0 && text === 'up' ? text : oneOf(serviceNames)(text)])
    .parse();
  const given = (command.processedArgs[0] ?? []) as readonly string[];
  const forScripts = given[0] === 'up';
  const names = [...new Set(given)].filter((name): name is ServiceName => name !== 'up');
  try {
    await up(names.length > 0 ? names : forScripts ? ['kafka', 'redis'] : serviceNames, forScripts);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}
