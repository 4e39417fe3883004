import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodMessage, PodOptions, PodOrder, PodStatus } from './servers-pod.ts';

const podFile = join(import.meta.dirname, 'servers-pod.ts');

/** One pod, through all its lives. A death that nobody ordered is an error of the run. */
export class Pod {
  readonly name: string;
  readonly #options: PodOptions;
  readonly #logFile: string;
  #child: ChildProcess | null = null;
  #orderedDeath = false;
  #drained: readonly string[] | null = null;
  status: PodStatus | null = null;
  lives = 0;
  failure: string | null = null;

  constructor(options: PodOptions, folder: string) {
    this.name = options.name;
    this.#options = options;
    this.#logFile = join(folder, `pod-${options.name}.log`);
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Tasks with which it reported to be drained since the last `drain`, or null. */
  get drained(): readonly string[] | null {
    return this.#drained;
  }

  start(): void {
    this.lives++;
    this.#orderedDeath = false;
    this.status = null;
    this.#drained = null;
    const output = openSync(this.#logFile, 'a');
    const child = fork(podFile, [JSON.stringify(this.#options)], { stdio: ['ignore', output, output, 'ipc'] });
    closeSync(output);
    this.#child = child;
    child.on('message', (message: PodMessage) => this.#heard(message));
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#child = null;
      if (!this.#orderedDeath) this.failure ??= `pod ${this.name} ended by itself with ${signal ?? `code ${code}`}; see ${this.#logFile}`;
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#orderedDeath = true;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  drain(): void {
    this.#drained = null;
    this.#order('drain');
  }

  /** Gracefully: commits and delivers what is there. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#orderedDeath = true;
    const ended = once(child, 'exit');
    this.#order('stop');
    const [code, signal] = (await ended) as [number | null, string | null];
    if (code !== 0) this.failure ??= `pod ${this.name} did not stop well: ${signal ?? `code ${code}`}; see ${this.#logFile}`;
  }

  /** How often its log tells of claims, drops by reason, and retries by operation: what the faults have really hit. */
  happenings(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    const lines = existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8').split('\n') : [];
    for (const line of lines) {
      const what = happeningOf(line);
      if (what !== null) counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  }

  #order(order: PodOrder): void {
    this.#child?.send(order);
  }

  #heard(message: PodMessage): void {
    if (message.kind === 'status') this.status = message;
    else if (message.kind === 'drained') this.#drained = message.tasks;
    else this.failure ??= `pod ${this.name} failed: ${message.error}`;
  }
}

function happeningOf(line: string): string | null {
  if (!line.startsWith('{') || !line.endsWith('}')) return null; // cut off by a kill, or a warning of Node
  const { msg, reason, operation } = JSON.parse(line) as { readonly msg?: string; readonly reason?: string; readonly operation?: string };
  if (msg === 'task claimed') return 'claimed';
  if (msg === 'task dropped') return `dropped: ${reason ?? ''}`;
  if (operation !== undefined) return `retried: ${operation}`;
  return msg?.startsWith('the state store is behind the group') === true ? 'read again' : null;
}

/** The pods of one application. */
export class Fleet {
  readonly pods: readonly Pod[];
  readonly #tasks: number;

  constructor(pods: readonly Pod[], tasks: number) {
    this.pods = pods;
    this.#tasks = tasks;
  }

  start(): void {
    for (const pod of this.pods) pod.start();
  }

  /** Records processed by those lives of the pods that still run. */
  get processed(): number {
    return this.pods.reduce((sum, pod) => sum + (pod.status?.processed ?? 0), 0);
  }

  /** True when running pods together have every task. */
  get complete(): boolean {
    return new Set(this.pods.flatMap((pod) => (pod.running ? pod.status?.tasks ?? [] : []))).size === this.#tasks;
  }

  check(): void {
    for (const pod of this.pods) if (pod.failure !== null) throw new Error(pod.failure);
  }

  /** Resolves to false when the condition did not come true in time. Throws when a pod has died by itself. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    for (const endMs = Date.now() + timeoutMs; !condition();) {
      this.check();
      if (Date.now() > endMs) return false;
      await sleep(20);
    }
    this.check();
    return true;
  }

  /** Waits until the pods together have all tasks and everything in the log is processed, committed, delivered. */
  async drained(timeoutMs: number): Promise<void> {
    const endMs = Date.now() + timeoutMs;
    for (;;) {
      for (const pod of this.pods) pod.drain();
      const all = await this.until(() => this.pods.every((pod) => pod.drained !== null), endMs - Date.now());
      if (!all) throw new Error(`not drained within ${timeoutMs} ms:\n${this.describe()}`);
      const tasks = new Set(this.pods.flatMap((pod) => pod.drained ?? []));
      if (tasks.size === this.#tasks) return;
      await sleep(200);
    }
  }

  describe(): string {
    return this.pods.map((pod) => `${pod.name}: ${pod.running ? '' : 'not running '}${JSON.stringify(pod.status)}`).join('\n');
  }

  happenings(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const pod of this.pods) {
      for (const [what, count] of Object.entries(pod.happenings())) counts[what] = (counts[what] ?? 0) + count;
    }
    return counts;
  }

  async stop(): Promise<void> {
    await Promise.all(this.pods.map((pod) => pod.stop()));
    this.check();
  }

  async kill(): Promise<void> {
    for (const pod of this.pods) pod.signal('SIGCONT');
    await Promise.all(this.pods.map((pod) => pod.kill()));
  }
}
