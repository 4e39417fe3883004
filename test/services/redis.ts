import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, LocalProcess, requireCommand } from './local-process.ts';

/** True when it answers PING with PONG: while it still loads its file it says LOADING. */
async function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (ready: boolean): void => {
      socket.destroy();
      done(ready);
    };
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
  });
}

/** One Redis on 127.0.0.1 with an append-only file, its data in a temporary folder. */
export class RedisService {
  readonly #process = new LocalProcess('Redis');
  #folder = '';
  #port = 0;
  #snapshots = 0;

  /** redis://host:port, as VOLTSTREAM_TEST_REDIS wants it. */
  get address(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    requireCommand('redis-server', '--version', 'install Redis 7 (Debian: apt-get install redis-server)');
    this.#folder = mkdtempSync(join(tmpdir(), 'voltstream-redis-'));
    mkdirSync(this.#data);
    this.#port = await freePort();
    await this.restart();
  }

  /** Starts again on the same data and port after `stop` or `kill`. */
  async restart(): Promise<void> {
    await this.#process.start('redis-server', [
      '--bind', '127.0.0.1', '--port', String(this.#port), '--dir', this.#data, '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '',
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

  /** Stops it and deletes its data. */
  async dispose(): Promise<void> {
    await this.kill();
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }
}
