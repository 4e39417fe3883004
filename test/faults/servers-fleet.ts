import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodMessage, PodOptions, PodOrder, PodStatus } from './servers-pod.ts';
import type { PodHappening } from './servers-pod-log.ts';
import { PodLog } from './servers-pod-log.ts';

const podFile = join(import.meta.dirname, 'servers-pod.ts');
/** Before a pod that ended by itself during its start is started again, as its cluster would do it. */
const startAgainMs = 1_000;

/**
 * One pod, through all its lives. A death that nobody ordered is an error of the run; but one that finds a server dead at its start
 * ends with an error, and rightly, and is started again.
 */
export class Pod {
  readonly name: string;
  readonly #options: PodOptions;
  readonly #logFile: string;
  readonly #log: PodLog;
  /** True when a server is away, or was a moment ago. */
  readonly #outage: () => boolean;
  #child: ChildProcess | null = null;
  #orderedDeath = false;
  #drained: readonly string[] | null = null;
  asleep = false;
  status: PodStatus | null = null;
  lives = 0;
  /** Lives that ended by themselves before they had started, while a server was away. */
  startsFailed = 0;
  failure: string | null = null;

  constructor(options: PodOptions, folder: string, outage: () => boolean) {
    this.name = options.name;
    this.#options = options;
    this.#logFile = join(folder, `pod-${options.name}.log`);
    this.#log = new PodLog(this.#logFile);
    this.#outage = outage;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** Tasks with which it reported to be drained since the last `drain`, or null. */
  get drained(): readonly string[] | null {
    return this.#drained;
  }

  start(): void {
    if (this.#child !== null) return;
    this.lives++;
    this.#orderedDeath = false;
    this.status = null;
    this.#drained = null;
    const output = openSync(this.#logFile, 'a');
    const child = fork(podFile, [JSON.stringify(this.#options), String(this.lives)], {
      stdio: ['ignore', output, output, 'ipc'], execArgv: ['--max-semi-space-size=64'],
    });
    closeSync(output);
    this.#child = child;
    child.on('message', (message: PodMessage) => this.#heard(message));
    child.once('exit', (code, signal) => this.#ended(child, signal ?? `code ${code}`));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#orderedDeath = true;
    if (child === null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops it from running for so long. */
  async sleep(forMs: number): Promise<void> {
    const child = this.#child;
    this.asleep = true;
    child?.kill('SIGSTOP');
    await sleep(forMs);
    child?.kill('SIGCONT');
    this.asleep = false;
  }

  signal(signal: 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  drain(): void {
    this.#drained = null;
    this.#order('drain');
  }

  /** Gracefully: commits and delivers what is there. One that is still starting is killed: it has nothing yet. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || this.status === null) return this.kill();
    this.#orderedDeath = true;
    const ended = once(child, 'exit');
    this.#order('stop');
    const [code, signal] = (await ended) as [number | null, string | null];
    if (code !== 0) this.failure ??= `pod ${this.name} did not stop well: ${signal ?? `code ${code}`}; see ${this.#logFile}`;
  }

  /** What its log tells of claims, drops by reason, and retries by operation since the last time: what the faults have really hit. */
  happenings(): readonly PodHappening[] {
    return this.#log.news();
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child === child) this.#child = null;
    if (this.#orderedDeath) return;
    if (this.status !== null || !this.#outage()) {
      this.failure ??= `pod ${this.name} ended by itself with ${how}; see ${this.#logFile}`;
      return;
    }
    this.startsFailed++;
    setTimeout(() => {
      if (!this.#orderedDeath) this.start();
    }, startAgainMs).unref();
  }

  #order(order: PodOrder): void {
    this.#child?.send(order);
  }

  #heard(message: PodMessage): void {
    if (message.kind === 'status') this.status = message;
    else if (message.kind === 'drained') this.#drained = message.tasks;
    else if (this.status !== null || !this.#outage()) this.failure ??= `pod ${this.name} failed: ${message.error}`;
  }
}

/** The pods of one application. */
export class Fleet {
  readonly pods: readonly Pod[];
  readonly #tasks: number;
  readonly #positions = new Map<string, number>();
  readonly #happenings: PodHappening[] = [];

  constructor(pods: readonly Pod[], tasks: number) {
    this.pods = pods;
    this.#tasks = tasks;
  }

  get running(): readonly Pod[] {
    return this.pods.filter((pod) => pod.running);
  }

  /** True when running pods together have every task. */
  get complete(): boolean {
    return new Set(this.running.flatMap((pod) => pod.status?.tasks ?? [])).size === this.#tasks;
  }

  /** True when each task is with one pod, and all of them are ready: no rebalance goes on. */
  get settled(): boolean {
    return this.complete && this.running.every((pod) => pod.status?.ready === true)
      && this.running.reduce((sum, pod) => sum + (pod.status?.tasks.length ?? 0), 0) === this.#tasks;
  }

  /** Task -> pod/life, as the pods tell. */
  owners(): ReadonlyMap<string, string> {
    return new Map(this.running.flatMap((pod) => (pod.status?.tasks ?? []).map((task) => [task, `${pod.name}/${pod.lives}`] as const)));
  }

  get startsFailed(): number {
    return this.pods.reduce((sum, pod) => sum + pod.startsFailed, 0);
  }

  /** How far the slowest reader of the topic of events is, over all partitions. Of a task that nobody has: as last heard. */
  get processed(): number {
    for (const pod of this.running) {
      for (const [task, position] of Object.entries(pod.status?.positions ?? {})) this.#positions.set(task, position);
    }
    const sums = new Map<string, number>();
    for (const [task, position] of this.#positions) {
      const reader = task.slice(0, task.lastIndexOf('_'));
      sums.set(reader, (sums.get(reader) ?? 0) + position);
    }
    return sums.size === 0 ? 0 : Math.min(...sums.values());
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

  /** Waits until the running pods together have all tasks and everything in the log is processed, committed, delivered. Throws when nothing moves for so long. */
  async drained(stallMs: number): Promise<void> {
    for (;;) {
      for (const pod of this.running) pod.drain();
      const isDrained = (): boolean => this.running.length > 0 && this.running.every((pod) => pod.drained !== null);
      for (let before = this.#state(); !(await this.until(isDrained, stallMs));) {
        const now = this.#state();
        if (now === before) throw new Error(`nothing moves for ${stallMs} ms, and not all is done:\n${this.describe()}`);
        before = now;
      }
      if (new Set(this.running.flatMap((pod) => pod.drained ?? [])).size === this.#tasks) return;
      await sleep(200);
    }
  }

  describe(): string {
    return this.pods.map((pod) => `${pod.name}: ${pod.running ? '' : 'not running '}${JSON.stringify(pod.status)}`).join('\n');
  }

  /** What has happened since the last time. */
  happenings(): readonly PodHappening[] {
    const news = this.pods.flatMap((pod) => pod.happenings());
    this.#happenings.push(...news);
    return news;
  }

  /** All that `happenings` has given so far. */
  get allHappenings(): readonly PodHappening[] {
    return this.#happenings;
  }

  async stop(): Promise<void> {
    await Promise.all(this.pods.map((pod) => pod.stop()));
    this.check();
  }

  async kill(): Promise<void> {
    for (const pod of this.pods) pod.signal('SIGCONT');
    await Promise.all(this.pods.map((pod) => pod.kill()));
  }

  #state(): string {
    return JSON.stringify(this.pods.map(({ status, lives }) => [lives, status]));
  }
}
