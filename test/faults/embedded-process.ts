import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EmbeddedRun, Phase } from './embedded-run.ts';

const program = join(import.meta.dirname, 'embedded-run.ts');

/** SIGKILL so long after a process has come to a phase; 'start' is its very beginning. */
export interface Kill {
  readonly after: Phase | 'start';
  readonly delayMs: number;
}

export interface Ended {
  /** 'killed' by SIGKILL, 'done' with exit code 0, else what it wrote to standard error. */
  readonly how: 'killed' | 'done' | 'failed';
  /** Phase it had come to. */
  readonly phase: Phase | 'start';
  readonly errors: string;
}

/** Runs the product once, until it is done or killed: by us, or by its own kill switch. */
export function runOnce(run: EmbeddedRun, kill: Kill | null = null): Promise<Ended> {
  const child = spawn(process.execPath, [program, JSON.stringify(run)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Half of a short life goes into compiling the same files again.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'voltstream-compile-cache') },
  });
  let phase: Phase | 'start' = 'start';
  let errors = '';
  let timer: NodeJS.Timeout | undefined;
  const arrived = (at: Phase | 'start'): void => {
    phase = at;
    if (kill?.after === at) timer = setTimeout(() => child.kill('SIGKILL'), kill.delayMs);
  };
  child.on('spawn', () => arrived('start'));
  createInterface({ input: child.stdout }).on('line', (line) => arrived(line as Phase));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ how: signal === 'SIGKILL' ? 'killed' : code === 0 ? 'done' : 'failed', phase, errors });
    });
  });
}
