import { setTimeout as sleep } from 'node:timers/promises';
import { InvariantViolation, VoltstreamError, isPassing } from '../errors.ts';
import { SchemaNotLoaded } from '../schemas/codec.ts';
import type { SchemaRegistry, WireReader } from '../schemas/codec.ts';
import type { KeyValueStore, LocalStore, VersionedStore } from '../state/local-store.ts';
import type { Timestamped } from '../state/local/timestamped.ts';
import type { GlobalTableNode } from '../topology/graph.ts';
import type { Log, LogRecord } from './log/log.ts';
import { BackOff } from './task/back-off.ts';

/**
 * Puts one record of a global table into its store: versions by time, or the newest value; null deletes. False when it is left
 * out: it has no key, or is behind the history.
 */
export function applyGlobalRecord(store: LocalStore, kind: string, key: unknown, value: unknown, timestampMs: number): boolean {
  if (key === null) return false;
  if (kind === 'versioned') return (store as VersionedStore<unknown, unknown>).put(key, value, timestampMs);
  if (value === null) {
    (store as KeyValueStore<unknown, unknown>).delete(key);
  } else {
    (store as KeyValueStore<unknown, Timestamped<unknown>>).put(key, { value, timestampMs });
  }
  return true;
}

export interface GlobalTablesOptions {
  readonly tables: readonly GlobalTableNode[];
  readonly log: Log;
  readonly registry: SchemaRegistry;
  /** Time between looks for changes after the first load. */
  readonly refreshMs: number;
  readonly problem: (message: string, error: unknown) => void;
  /** Ends the waiting for a log or registry that is away at start. */
  readonly signal: AbortSignal;
}

/**
 * Global tables of one process: read to the end seen at start before the first record, and kept up to date afterwards (the
 * named exception to Law 5: when a change arrives relative to the stream is not part of any commit).
 */
export class GlobalTables {
  readonly stores = new Map<string, LocalStore>();
  readonly #options: GlobalTablesOptions;
  readonly #positions = new Map<string, number>();
  readonly #stop = new AbortController();
  #refreshing: Promise<void> = Promise.resolve();

  constructor(options: GlobalTablesOptions) {
    this.#options = options;
    for (const { store } of options.tables) this.stores.set(store.name, store.create());
  }

  /** Resolves when all tables are read to the end seen now; waits while log or registry are away. */
  async start(): Promise<void> {
    const backOff = new BackOff(this.#options.signal);
    for (;;) {
      try {
        await this.#readAll();
        break;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#options.problem('a global table cannot be read yet, and nothing starts before it is', error);
        await backOff.wait();
      }
    }
    if (this.#options.tables.length > 0) this.#refreshing = this.#refresh();
  }

  /** Resolves after the answer of the log that is waited for, if any. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#refreshing;
  }

  /** One look after the other: where one takes longer than `refreshMs`, further ones must not queue up behind it. */
  async #refresh(): Promise<void> {
    const { refreshMs, problem } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await sleep(refreshMs, undefined, { signal, ref: false }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      if (signal.aborted) return;
      await this.#readAll().catch((error: unknown) => problem('a global table could not be read; its last state is used', error));
    }
  }

  async #readAll(): Promise<void> {
    for (const table of this.#options.tables) {
      if (this.#stop.signal.aborted) return;
      const partitions = await this.#options.log.partitionCount(table.topic);
      if (partitions === null) {
        throw new VoltstreamError('TOPIC_MISSING', 'a global table has no topic', { where: `table "${table.name}"`, wanted: `topic ${table.topic}` });
      }
      for (let partition = 0; partition < partitions && !this.#stop.signal.aborted; partition++) await this.#readPartition(table, partition);
    }
  }

  async #readPartition(table: GlobalTableNode, partition: number): Promise<void> {
    const { log, registry } = this.#options;
    const id = `${table.topic}-${partition}`;
    const { start, end } = await log.bounds({ topic: table.topic, partition });
    const from = Math.max(start, this.#positions.get(id) ?? 0);
    if (from >= end) return;
    const key = registry.reader(table.form.key);
    const value = registry.reader(table.form.value);
    for await (const batch of log.read({ topic: table.topic, partition }, from, end)) {
      for (const record of batch.records) await this.#apply(table, record, key, value);
      this.#positions.set(id, batch.nextPosition);
      if (this.#stop.signal.aborted) return;
    }
  }

  async #apply(table: GlobalTableNode, record: LogRecord, keyReader: WireReader<unknown>, valueReader: WireReader<unknown>): Promise<void> {
    const { store } = table;
    try {
      const key = record.key === null ? null : await decoded(keyReader, record.key);
      const value = record.value === null ? null : await decoded(valueReader, record.value);
      const timestampMs = value === null ? record.timestampMs : table.form.timestampOf?.(value, record.timestampMs) ?? record.timestampMs;
      if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) {
        throw new VoltstreamError('DESERIALISATION_FAILED', 'the time cannot be used', {
          wanted: 'whole milliseconds since 1970, not negative', got: String(timestampMs),
        });
      }
      applyGlobalRecord(this.stores.get(store.name) as LocalStore, store.kind, key, value, timestampMs);
    } catch (error) {
      // What passes is no fault of the record: it is read again, since the position stays before it.
      if (isPassing(error) || error instanceof InvariantViolation) throw error;
      this.#options.problem(`a record of the global table ${table.name} at offset ${record.offset} cannot be read and is left out`, error);
    }
  }
}

async function decoded(reader: WireReader<unknown>, bytes: Uint8Array): Promise<unknown> {
  for (;;) {
    try {
      return reader.decode(bytes);
    } catch (error) {
      if (!(error instanceof SchemaNotLoaded)) throw error;
      await reader.load(error.schemaId);
    }
  }
}
