import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { VoltstreamError } from '../errors.ts';
import type { Configuration } from '../runtime/configuration.ts';
import { migrate } from '../runtime/migrations.ts';
import type { Ports } from '../runtime/ports.ts';
import { portsOf } from '../runtime/ports.ts';

/** Where the shipped migrations lie. */
const migrationsFolder = join(import.meta.dirname, '..', 'deploy', 'clickhouse');

/** The file that tells other commands about the process that works on a data folder. */
const processFile = 'process.json';

export interface RunningProcess {
  readonly pid: number;
  readonly url: string;
}

/**
 * Opens all ports and brings the database up to date. The warehouse goes first: chDB refuses a folder that is in use. `waiting` hears when another
 * process brings the database up to date, which is waited for.
 */
export async function openPorts(configuration: Configuration, waiting: () => void = () => undefined): Promise<Ports> {
  await mkdir(configuration.dataFolder, { recursive: true });
  const ports = await portsOf(configuration);
  const opened: { close(): Promise<void> }[] = [];
  try {
    for (const port of [ports.warehouse, ports.log, ports.store, ports.registry]) {
      await port.open();
      opened.push(port);
    }
    const { kind, database } = configuration.warehouse;
    // A server is shared by pods that may start in the same moment; the data folder of chDB belongs to one process.
    const turn = kind === 'server' ? { turnOf: `process ${process.pid} of ${hostname()}`, waiting } : {};
    await migrate(ports.warehouse, { folder: migrationsFolder, database, ...turn });
  } catch (error) {
    for (const port of opened.reverse()) await port.close();
    throw error;
  }
  return ports;
}

export async function closePorts(ports: Ports): Promise<void> {
  await ports.registry.close();
  await ports.store.close();
  await ports.log.close();
  await ports.warehouse.close();
}

/** Tells other commands where to reach us; the function given back takes it away again. */
export async function announce(dataFolder: string, url: string): Promise<() => Promise<void>> {
  const path = join(dataFolder, processFile);
  await writeFile(path, `${JSON.stringify({ pid: process.pid, url })}\n`);
  return () => rm(path, { force: true });
}

/** The process that works on a data folder, or null. A file that a killed process left behind is recognised by asking. */
export async function runningProcess(dataFolder: string): Promise<RunningProcess | null> {
  let found: RunningProcess;
  try {
    found = JSON.parse(await readFile(join(dataFolder, processFile), 'utf8')) as RunningProcess;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
  try {
    const response = await fetch(`${found.url}/health`, { signal: AbortSignal.timeout(2_000) });
    return response.ok ? found : null;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw new VoltstreamError('DATA_FOLDER_BUSY', 'a process works on this folder but does not answer', {
      where: dataFolder, got: `process ${found.pid} at ${found.url}`, cause: error,
    });
  }
}
