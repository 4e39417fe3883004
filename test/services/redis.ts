import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, LocalProcess, requireCommand } from './local-process.ts';
import type { LocalPlace } from './local-process.ts';

/** True when it answers PING with PONG, or asks for a login: while it still loads its file it says LOADING. */
async function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (ready: boolean): void => {
      socket.destroy();
      done(ready);
    };
    socket.once('data', (data) => end(/^(?:\+PONG|-NOAUTH)/.test(data.toString())));
    socket.once('error', () => end(false));
  });
}

export interface RedisServiceOptions extends LocalPlace {
  /** More arguments of redis-server, after and above those of this service. */
  readonly arguments?: readonly string[];
}

/** Throws an error that names what to install when this machine cannot run Redis. */
export function requireRedis(): void {
  requireCommand('redis-server', '--version', 'install Redis 7 (Debian: apt-get install redis-server)');
}

/** One Redis on 127.0.0.1 with an append-only file, its data in a temporary folder unless one is given. */
export class RedisService {
  readonly #process: LocalProcess;
  readonly #options: RedisServiceOptions;
  #folder = '';
  #port = 0;
  #snapshots = 0;

  constructor(options: RedisServiceOptions = {}) {
    this.#options = options;
    this.#process = new LocalProcess('Redis', options.logFile);
  }

  /** redis://host:port, as VOLTSTREAM_TEST_REDIS wants it. */
  get address(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get processId(): number | undefined {
    return this.#process.processId;
  }

  async start(): Promise<void> {
    requireRedis();
    this.#folder = this.#options.folder ?? mkdtempSync(join(tmpdir(), 'voltstream-redis-'));
    mkdirSync(this.#data, { recursive: true });
    this.#port = this.#options.port ?? await freePort();
    await this.restart();
  }

  /** Starts again on the same data and port after `stop` or `kill`. */
  async restart(): Promise<void> {
    await this.#process.start('redis-server', [
      '--bind', '127.0.0.1', '--port', String(this.#port), '--dir', this.#data, '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '',
      ...this.#options.arguments ?? [],
    ], {}, () => answers(this.#port));
  }

  async stop(): Promise<void> {
    await this.#process.signal('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#process.signal('SIGKILL');
  }

  /** Copies the data as they are now (stops it for a moment) and gives the name of the copy. */
  async snapshot(): Promise<string> {
    const name = `snapshot-${this.#snapshots++}`;
    await this.stop();
    cpSync(this.#data, join(this.#folder, name), { recursive: true });
    await this.restart();
    return name;
  }

  /** Puts an older copy back: what was written since is lost, as after a fail-over. */
  async restore(snapshot: string): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true });
    cpSync(join(this.#folder, snapshot), this.#data, { recursive: true });
    await this.restart();
  }

  /** Stops it and deletes its data, unless they lie in a folder that was given. */
  async dispose(): Promise<void> {
    await this.kill();
    if (this.#folder !== '' && this.#options.folder === undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }
}
