import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longest wait for a service to answer after its start; a JVM on a busy machine needs about 10 s. */
const readyMs = 60_000;
/** Lines of output kept for the error message when a service ends early. */
const outputBytesMax = 4_000;

/** A port of 127.0.0.1 that nobody uses right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** The port that people know a service by, when nobody uses it right now, else any free one. */
export async function usualPort(usual: number): Promise<number> {
  const server = createServer();
  const taken = await new Promise<boolean>((done) => {
    server.once('error', () => done(true));
    server.listen(usual, '127.0.0.1', () => done(false));
  });
  if (taken) return freePort();
  server.close();
  await once(server, 'close');
  return usual;
}

/** Throws an error that names what to install when a command is not there. */
export function requireCommand(command: string, versionArgument: string, install: string): void {
  if (spawnSync(command, [versionArgument], { stdio: 'ignore' }).error !== undefined) {
    throw new Error(`${command} is not installed; it is needed to start this service as a local process: ${install}`);
  }
}

/** Where a service has its data, its output and its port; what is left out is temporary, nowhere, or any free one. */
export interface LocalPlace {
  readonly folder?: string;
  readonly logFile?: string;
  readonly port?: number;
}

/** A child process that ends with this one. */
export class LocalProcess {
  readonly #name: string;
  readonly #logFile: string | null;
  #child: ChildProcess | null = null;
  #output = '';

  /** All that it prints goes into `logFile` as well, when there is one; its folder is made. */
  constructor(name: string, logFile: string | null = null) {
    this.#name = name;
    this.#logFile = logFile;
    if (logFile !== null) mkdirSync(dirname(logFile), { recursive: true });
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and waits until `ready` resolves to true. */
  async start(command: string, argumentList: readonly string[], environment: NodeJS.ProcessEnv, ready: () => Promise<boolean>): Promise<void> {
    const child = spawn(command, argumentList, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#output = '';
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-outputBytesMax);
      if (this.#logFile !== null) appendFileSync(this.#logFile, chunk);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.off('exit', endWithUs));
    const untilMs = Date.now() + readyMs;
    while (!(await ready())) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${this.#name} ended at its start:\n${this.#output}`);
      if (Date.now() > untilMs) throw new Error(`${this.#name} did not answer within ${readyMs} ms:\n${this.#output}`);
      await sleep(50);
    }
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    await once(child, 'exit');
    this.#child = null;
  }
}
