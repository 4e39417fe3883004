/** A process of one side, watched from outside: both sides are measured by the very same means. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { processorSeconds } from '../servers-parts.ts';
import type { CommandLine } from './sides.ts';
import type { PeerMessage } from './workloads.ts';

const outputBytesMax = 8_000;

export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #heard = new Map<PeerMessage['kind'], PromiseWithResolvers<number>>(
    (['first', 'done'] as const).map((kind) => [kind, Promise.withResolvers<number>()]),
  );
  readonly startedMs = Date.now();
  #output = '';

  constructor({ command, arguments: list }: CommandLine) {
    this.#child = spawn(command, list, { stdio: ['ignore', 'pipe', 'pipe'] });
    const endWithUs = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', endWithUs);
    for (const { promise } of this.#heard.values()) promise.catch(() => undefined);
    this.#child.once('exit', (code, signal) => {
      process.off('exit', endWithUs);
      const error = new Error(`${command} ended with ${code ?? signal}:\n${this.#output}`);
      for (const { reject } of this.#heard.values()) reject(error);
    });
    this.#child.once('error', (error) => {
      for (const { reject } of this.#heard.values()) reject(error);
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#keep(chunk.toString()));
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#line(line));
  }

  /** What has not been heard by then is not waited for any more. */
  failAfter(seconds: number): void {
    const timer = setTimeout(() => {
      for (const { reject } of this.#heard.values()) reject(new Error(`not finished after ${seconds} s`));
    }, seconds * 1_000);
    this.#child.once('exit', () => clearTimeout(timer));
  }

  /** When it read the first event, or had processed and committed the last one; by the wall clock. */
  when(kind: PeerMessage['kind']): Promise<number> {
    return (this.#heard.get(kind) as PromiseWithResolvers<number>).promise;
  }

  get id(): number {
    return this.#child.pid ?? 0;
  }

  /** `asked`: it may write its profile; else it is killed, as nothing of it is needed any more. */
  async end(how: 'killed' | 'asked'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(how === 'killed' ? 'SIGKILL' : 'SIGTERM');
    await ended;
  }

  #line(line: string): void {
    if (!line.startsWith('{"kind":')) {
      this.#keep(`${line}\n`);
      return;
    }
    const { kind, atMs } = JSON.parse(line) as PeerMessage;
    this.#heard.get(kind)?.resolve(atMs);
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-outputBytesMax);
  }
}

/** Highest resident memory of a process so far, bytes. */
export function peakBytes(processId: number): number {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

/** Processor time since the start of the machine that is gone, s: what it has used, and what its host gave to other machines; guests and waiting left out. */
export function machineSeconds(): number {
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, softInterrupt = 0, stolen = 0] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] as string).split(/\s+/).slice(1).map(Number);
  return (user + nice + system + interrupt + softInterrupt + stolen) / 100;
}

export { processorSeconds };
