import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { redisFailure } from './redis-failure.ts';

const NAMES = ['apply', 'claim', 'clear', 'commit', 'copy', 'read', 'redo', 'seal', 'stage'] as const;

export type ScriptName = (typeof NAMES)[number];
export type Argument = string | Buffer;
/** What a command answers, bytes as Buffers. */
export type Reply = Buffer | number | null | readonly Reply[];

/** Stands around every command: `send` carries it out. For tests that count commands or let one fail. */
export type Intercept = (command: string, send: () => Promise<unknown>) => Promise<unknown>;

/** The Lua scripts of `lua/`, sent by their hash: one command, one round trip. */
export class RedisScripts {
  readonly #redis: Redis;
  readonly #where: string;
  readonly #intercept: Intercept;
  /** Why the connection last broke: ioredis' own errors of commands do not say. */
  #connectionError: Error | undefined;
  readonly #sources = new Map<ScriptName, { readonly source: string; readonly sha: string }>();

  constructor(redis: Redis, where: string, intercept: Intercept | undefined) {
    this.#redis = redis;
    this.#where = where;
    this.#intercept = intercept ?? ((_command, send) => send());
    redis.on('error', (error: Error) => (this.#connectionError = error));
    redis.on('ready', () => (this.#connectionError = undefined));
  }

  async load(): Promise<void> {
    for (const name of NAMES) {
      const source = await readFile(new URL(`lua/${name}.lua`, import.meta.url), 'utf8');
      this.#sources.set(name, { source, sha: createHash('sha1').update(source).digest('hex') });
      await this.command('SCRIPT', 'LOAD', source);
    }
  }

  /** Runs a script; a Redis that does not know it (restarted, failed over) is told and asked again. */
  async run(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const script = this.#sources.get(name);
    if (script === undefined) throw new Error('the Redis state store is not open');
    const send = () => this.#send('EVALSHA', [script.sha, String(keys.length), ...keys, ...args]);
    try {
      return await send().catch(async (error: unknown) => {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        await this.#send('SCRIPT', ['LOAD', script.source]);
        return send();
      });
    } catch (error) {
      throw redisFailure(error, this.#where, this.#connectionError);
    }
  }

  async command(name: string, ...args: readonly Argument[]): Promise<Reply> {
    try {
      return await this.#send(name, args);
    } catch (error) {
      throw redisFailure(error, this.#where, this.#connectionError);
    }
  }

  async #send(name: string, args: readonly Argument[]): Promise<Reply> {
    return (await this.#intercept(name, () => this.#redis.callBuffer(name, [...args]))) as Reply;
  }
}

export function text(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return typeof reply === 'number' ? String(reply) : '';
}

export function list(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : [];
}

export function binary(reply: Reply | undefined): Buffer {
  if (!Buffer.isBuffer(reply)) throw new Error('Redis gave something other than bytes');
  return reply;
}
