import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Cluster } from 'ioredis';
import { answerWithin } from '../schemas/answer-within.ts';
import { commandTimeoutMsDefault, mastersOf } from './redis-connection.ts';
import type { RedisClient } from './redis-connection.ts';
import { redisFailure } from './redis-failure.ts';

const NAMES = ['apply', 'claim', 'clear', 'commit', 'copy', 'read', 'redo', 'scan', 'seal', 'stage'] as const;

export type ScriptName = (typeof NAMES)[number];
export type Argument = string | Buffer;
/** What a command answers, bytes as Buffers. */
export type Reply = Buffer | number | null | readonly Reply[];

/** Stands around every command: `send` carries it out. For tests that count commands or let one fail. */
export type Intercept = (command: string, send: () => Promise<unknown>) => Promise<unknown>;

/** The Lua scripts of `lua/`, sent by their hash: one command, one round trip. */
export class RedisScripts {
  readonly #redis: RedisClient;
  readonly #where: string;
  readonly #intercept: Intercept;
  /** Why the connection last broke: ioredis' own errors of commands do not say. */
  #connectionError: Error | undefined;
  readonly #sources = new Map<ScriptName, { readonly source: string; readonly sha: string }>();

  readonly #timeoutMs: number;

  constructor(redis: RedisClient, where: string, options: { readonly intercept?: Intercept | undefined; readonly timeoutMs?: number | undefined } = {}) {
    this.#redis = redis;
    this.#where = where;
    this.#intercept = options.intercept ?? ((_command, send) => send());
    this.#timeoutMs = options.timeoutMs ?? commandTimeoutMsDefault;
    redis.on('error', (error: Error) => (this.#connectionError ??= error));
    // One node of a cluster: says more than the cluster's own error, until it says that it was closed for that.
    redis.on('node error', (error: Error) => {
      if (!error.message.startsWith('Connection is closed')) this.#connectionError = error;
    });
    redis.on('ready', () => (this.#connectionError = undefined));
  }

  /** Connects, and makes the scripts known to every master. */

  async load(): Promise<void> {
    for (const name of NAMES) {
      const source = await readFile(new URL(`lua/${name}.lua`, import.meta.url), 'utf8');
      this.#sources.set(name, { source, sha: createHash('sha1').update(source).digest('hex') });
    }
    if (!(this.#redis instanceof Cluster)) {
      for (const { source } of this.#sources.values()) await this.command('SCRIPT', 'LOAD', source);
      return;
    }
    try {
      await this.#answered(() => this.#redis.connect());
      for (const node of mastersOf(this.#redis)) {
        for (const { source } of this.#sources.values()) await this.#intercept('SCRIPT', () => node.callBuffer('SCRIPT', ['LOAD', source]));
      }
    } catch (error) {
      throw redisFailure(error, this.#where, this.#connectionError);
    }
  }

  /** Runs a script; a Redis that does not know it (restarted, failed over, another node of the cluster) gets it as a whole. */
  async run(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const script = this.#sources.get(name);
    if (script === undefined) throw new Error('the Redis state store is not open');
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.#send('EVALSHA', [script.sha, ...rest]).catch((error: unknown) => {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return this.#send('EVAL', [script.source, ...rest]);
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
    return (await this.#intercept(name, () => this.#answered(() => this.#redis.callBuffer(name, [...args])))) as Reply;
  }

  /** While a cluster cannot be found its commands wait in ioredis without a limit, other than those to one Redis. */
  #answered(ask: () => Promise<unknown>): Promise<unknown> {
    if (!(this.#redis instanceof Cluster)) return ask();
    return answerWithin({ timeoutMs: this.#timeoutMs, silent: () => new Error(`no answer of the cluster within ${this.#timeoutMs} ms`) }, ask);
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
