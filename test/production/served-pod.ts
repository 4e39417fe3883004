import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const program = join(import.meta.dirname, '..', '..', 'cli', 'voltstream.ts');

export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly task?: string;
  readonly reason?: string;
  readonly url?: string;
  readonly worker?: string;
}

/** What a pod's /metrics say that a restart is judged by. */
export interface PodFigures {
  readonly tasks: number;
  readonly lagRecords: number;
  readonly outboxRows: number;
}

/** One life of a pod: `voltstream run` as anybody would start it, seen from outside by its log, its probes and its metrics. */
export class ServedPod {
  readonly name: string;
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #text = '';

  constructor(name: string, environment: Readonly<Record<string, string>>, words: readonly string[] = []) {
    this.name = name;
    this.#child = spawn(process.execPath, ['--max-semi-space-size=64', program, 'run', '--no-sample', ...words], {
      env: { ...process.env, ...environment, POD_NAME: name, VOLTSTREAM_HTTP_PORT: environment['VOLTSTREAM_HTTP_PORT'] ?? '0' }, stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
    this.#ended = once(this.#child, 'close');
    const endWithUs = (): void => this.kill();
    process.once('exit', endWithUs);
    this.#child.once('exit', () => process.off('exit', endWithUs));
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get url(): string | null {
    return this.lines.find(({ msg, url }) => (msg === 'starting' || msg === 'starting workers') && url !== undefined)?.url ?? null;
  }

  /** What it said that is no log line: nothing, when all is well. */
  get prose(): string {
    return this.#text;
  }

  async ready(withinMs = 120_000): Promise<void> {
    const untilMs = Date.now() + withinMs;
    while (Date.now() < untilMs) {
      if (this.#child.exitCode !== null) throw new Error(`pod ${this.name} ended with ${this.#child.exitCode}: ${this.#text}${JSON.stringify(this.lines.at(-1))}`);
      if (this.url !== null && (await this.#ask('/ready'))?.ok === true) return;
      await sleep(100);
    }
    throw new Error(`pod ${this.name} was not ready within ${withinMs} ms: ${JSON.stringify(this.lines.at(-1))}`);
  }

  /** Null while it does not answer. */
  async figures(): Promise<PodFigures | null> {
    const text = await (await this.#ask('/metrics'))?.text();
    if (text === undefined) return null;
    const sum = (name: string): number => [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((total, [, value]) => total + Number(value), 0);
    return { tasks: sum('voltstream_tasks'), lagRecords: sum('voltstream_source_lag_records'), outboxRows: sum('voltstream_outbox_rows') };
  }

  /** Sends SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    return this.#child.exitCode;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(path: string): Promise<Response | null> {
    if (this.url === null) return null;
    try {
      return await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(2_000) });
    } catch (error) {
      if (error instanceof TypeError || (error as Error).name === 'TimeoutError') return null;
      throw error;
    }
  }

  #take(chunk: string): void {
    const lines = (this.#text + chunk).split('\n');
    const rest = lines.pop() ?? '';
    const prose: string[] = [];
    for (const line of lines) {
      if (line.startsWith('{') && line.endsWith('}')) this.lines.push(JSON.parse(line) as LogLine);
      else prose.push(`${line}\n`);
    }
    this.#text = prose.join('') + rest;
  }
}
