/** One of two processes of either side that count records by key, for `failover.ts`. */
import type { ChildProcess } from 'node:child_process';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { FailoverMessage } from '../../test/faults/failover-pod.ts';
import { failoverTopic } from '../../test/faults/failover-pod.ts';
import { javaArguments } from './sides.ts';

export interface CountingOptions {
  readonly side: 'voltstream' | 'kafka-streams';
  readonly applicationId: string;
  readonly brokers: string;
  readonly redisUrl: string;
  readonly partitions: number;
  readonly sessionMs: number;
  readonly commitMs: number;
}

export class CountingProcess {
  readonly #child: ChildProcess;
  /** Of this process alone, as if it had a machine of its own: nothing but the log, or Redis, is shared with the other one. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'voltstream-counting-'));
  #output = '';
  tasks: readonly string[] = [];
  processed = 0;
  /** When each task had processed its first record; by the wall clock. */
  readonly firstRecords = new Map<string, number>();

  constructor(options: CountingOptions) {
    this.#child = options.side === 'voltstream' ? ours(options, this.#folder) : theirs(options, this.#folder);
    const endWithUs = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', endWithUs);
    this.#child.once('exit', (code) => {
      process.off('exit', endWithUs);
      if (code !== null && code !== 0) throw new Error(`a process of ${options.side} ended with code ${code}:\n${this.#output}`);
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => void (this.#output = (this.#output + chunk.toString()).slice(-8_000)));
    this.#child.on('message', (message: FailoverMessage) => this.#hear(message));
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        if (line.startsWith('{')) this.#hear(JSON.parse(line) as FailoverMessage);
      });
    }
  }

  get id(): number {
    return this.#child.pid ?? 0;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #hear(message: FailoverMessage): void {
    if (message.kind === 'tasks') ({ tasks: this.tasks, processed: this.processed } = message);
    else if (message.kind === 'first record') this.firstRecords.set(message.task, message.atMs);
  }
}

function ours({ applicationId, brokers, redisUrl, partitions, sessionMs, commitMs }: CountingOptions, folder: string): ChildProcess {
  const flags = {
    applicationId, dataFolder: folder, partitions, logLevel: 'error', 'log.kind': 'kafka', 'log.brokers': brokers, 'log.sessionTimeoutMs': sessionMs,
    'log.heartbeatIntervalMs': Math.floor(sessionMs / 10), 'state.kind': 'redis', 'state.url': redisUrl, 'commit.intervalMs': commitMs,
  };
  return fork(resolve(import.meta.dirname, '../../test/faults/failover-pod.ts'), [JSON.stringify({ flags, partitions })], {
    execArgv: ['--max-semi-space-size=64', '--max-old-space-size=8192'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

function theirs(options: CountingOptions, folder: string): ChildProcess {
  return spawn('java', javaArguments('Counting', folder, { ...options, folder, topic: failoverTopic }), { stdio: ['ignore', 'pipe', 'pipe'] });
}
