import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, LocalProcess } from './local-process.ts';
import type { LocalPlace } from './local-process.ts';

/**
 * `serve` as it should be; `refuse` connections; `hang` without an answer; and for inserts only: `fail` before the rows are
 * taken, `lose-answer` (the rows are taken and the connection is cut), `fail-afterwards` (the rows are taken, the answer is an error).
 */
export type ClickHouseMode = 'serve' | 'refuse' | 'hang' | 'fail' | 'lose-answer' | 'fail-afterwards';

export interface ClickHouseServiceOptions extends LocalPlace {
  /** No merges in any table, also after a restart: for judges that must see every row that was ever inserted. */
  readonly stopMerges?: boolean;
}

const processFile = join(import.meta.dirname, 'clickhouse-process.ts');

/**
 * ClickHouse's HTTP interface on 127.0.0.1, served from chDB in a process of its own (see `clickhouse-process.ts`), so that several
 * processes can share it, and it can be killed and started again on its data.
 */
export class ClickHouseService {
  readonly #process: LocalProcess;
  readonly #options: ClickHouseServiceOptions;
  #folder = '';
  #port = 0;
  #controlPort = 0;

  constructor(options: ClickHouseServiceOptions = {}) {
    this.#options = options;
    this.#process = new LocalProcess('ClickHouse', options.logFile);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get processId(): number | undefined {
    return this.#process.processId;
  }

  async start(): Promise<void> {
    this.#folder = this.#options.folder ?? mkdtempSync(join(tmpdir(), 'voltstream-clickhouse-'));
    this.#port = this.#options.port ?? await freePort();
    this.#controlPort = await freePort();
    await this.restart();
  }

  /** Starts again on the same data and port after `stop` or `kill`. */
  async restart(): Promise<void> {
    const flags = this.#options.stopMerges === true ? ['--stop-merges'] : [];
    const parameters = [processFile, this.#folder, String(this.#port), String(this.#controlPort), ...flags];
    await this.#process.start(process.execPath, parameters, { UV_THREADPOOL_SIZE: '16' }, () => answers(`${this.url}/ping`));
  }

  async stop(): Promise<void> {
    await this.#process.signal('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#process.signal('SIGKILL');
  }

  /** From now on; `times` ends it by itself after so many statements. */
  async mode(mode: ClickHouseMode, times?: number): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.#controlPort}/mode?mode=${mode}${times === undefined ? '' : `&times=${times}`}`, { method: 'POST' });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** Inserts carried out since its start. */
  async totals(): Promise<{ readonly inserts: number; readonly insertedRows: number }> {
    return (await (await fetch(`http://127.0.0.1:${this.#controlPort}/totals`)).json()) as { inserts: number; insertedRows: number };
  }

  /** Stops it and deletes its data, unless they lie in a folder that was given. */
  async dispose(): Promise<void> {
    await this.kill();
    if (this.#folder !== '' && this.#options.folder === undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch (error) {
    if (error instanceof TypeError) return false; // nobody listens yet
    throw error;
  }
}
