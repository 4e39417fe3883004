import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { RestartPolicy } from './restart-policy.ts';

const LOOK_EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 2_000;

export interface WorkerCommand {
  readonly command: string;
  readonly words: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

export interface WorkerListener {
  /** A line that the worker has written, to either stream. */
  line(worker: WorkerProcess, text: string): void;
  ready(worker: WorkerProcess): void;
  /** It has ended without being told to. */
  died(worker: WorkerProcess, how: string, readyForMs: number): void;
}

/** One process of the group, through all its lives. */
export class WorkerProcess {
  readonly name: string;
  readonly policy = new RestartPolicy();
  readonly #command: WorkerCommand;
  readonly #listener: WorkerListener;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #stopping = false;
  #url: string | null = null;
  #reasons: readonly string[] = ['it is starting'];
  #readySinceMs: number | null = null;
  #look: NodeJS.Timeout | null = null;
  #restart: NodeJS.Timeout | null = null;

  constructor(name: string, command: WorkerCommand, listener: WorkerListener) {
    this.name = name;
    this.#command = command;
    this.#listener = listener;
  }

  /** Address of its own HTTP server, on loopback; null while it has none. */
  get url(): string | null {
    return this.#url;
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** As it said within the last second; empty when it is ready. */
  get notReadyBecause(): readonly string[] {
    return this.#reasons;
  }

  /** In a process group of its own: Ctrl-C reaches the supervisor alone, which passes it on once. */
  start(): void {
    this.#restart = null;
    const { command, words, environment } = this.#command;
    const child = spawn(command, words, { env: environment, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.#child = child;
    this.#reasons = ['it is starting'];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (text) => this.#listener.line(this, text));
    }
    child.on('message', (message: { readonly kind?: string; readonly url?: string }) => {
      if (message.kind === 'listening') this.#url = message.url ?? null;
    });
    child.on('error', (error) => this.#listener.line(this, error.message));
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#over(signal ?? `code ${code}`);
        resolve();
      });
    });
    this.#look = setInterval(() => void this.#ask(), LOOK_EVERY_MS);
  }

  startAfter(waitMs: number): void {
    this.#reasons = [`it has died, and is started again after ${waitMs} ms`];
    this.#restart = setTimeout(() => this.start(), waitMs);
  }

  /** Tells it to stop and waits until it has; kills it when it takes longer than it may. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#child?.kill('SIGTERM');
    const overdue = setTimeout(() => this.kill(), withinMs);
    await this.#ended;
    clearTimeout(overdue);
  }

  kill(): void {
    this.#stopping = true;
    this.#child?.kill('SIGKILL');
  }

  #over(how: string): void {
    if (this.#look !== null) clearInterval(this.#look);
    const readyForMs = this.#readySinceMs === null ? 0 : performance.now() - this.#readySinceMs;
    this.#child = null;
    this.#url = null;
    this.#readySinceMs = null;
    this.#reasons = ['it has ended'];
    if (!this.#stopping) this.#listener.died(this, how, readyForMs);
  }

  async #ask(): Promise<void> {
    const url = this.#url;
    if (url === null) return;
    const reasons = await reasonsOf(url);
    if (this.#url !== url) return;
    this.#reasons = reasons;
    if (reasons.length > 0 || this.#readySinceMs !== null) return;
    this.#readySinceMs = performance.now();
    this.#listener.ready(this);
  }
}

async function reasonsOf(url: string): Promise<readonly string[]> {
  try {
    const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return ((await response.json()) as { readonly reasons: readonly string[] }).reasons;
  } catch (error) {
    return [`it does not answer: ${error instanceof Error ? error.message : String(error)}`];
  }
}
