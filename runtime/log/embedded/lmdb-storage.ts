import { mkdirSync, realpathSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Database, open, type RootDatabase } from 'lmdb';
import { VoltstreamError } from '../../../errors.ts';
import { assertRoom, lmdbSpareBytes } from '../../../state/lmdb-room.ts';
import type { LogRecord, TopicDefinition, TopicPartition } from '../log.ts';
import { batchSummary, decodeBatch, encodeBatch, type FramedRecord, framedSizeMax } from './framing.ts';
import { type AppendJob, type LogStorage, retentionMs, type StoredBounds, type StoredRead, type StoredTopic } from './storage.ts';

/** Bytes of one stored batch: large enough for one read to give about 2,000 small records, small enough to copy quickly. */
const batchBytesMax = 256 * 1024;
/** Bytes of one transaction: appends that wait together are cut after so much, so that the loop is held for milliseconds. */
const transactionBytesMax = 8 * 1024 * 1024;
/** Batches deleted in one transaction, for the same reason. */
const deleteBatchesMax = 64;
/** How often a waiting reader looks for appends of other processes. */
const otherProcessesMs = 25;
/** Abortable, committed on return; the flush to disk follows in the background (see README: what a power cut may cost). */
const commitFlags: number = 0x10003;

type Bytes = Database<Uint8Array, Uint8Array>;
type KnownTopic = StoredTopic & { readonly firstId: number };

interface Pending {
  readonly job: AppendJob;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const listenersByFolder = new Map<string, Set<() => void>>();

function batchKey(id: number, offset: number): Uint8Array {
  const key = Buffer.allocUnsafe(10);
  key.writeUInt32BE(id, 0);
  key.writeUIntBE(offset, 4, 6);
  return key;
}

function idKey(id: number): Uint8Array {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(id, 0);
  return key;
}

const offsetOf = (key: Uint8Array): number => Buffer.from(key.buffer, key.byteOffset, key.length).readUIntBE(4, 6);

/** The embedded log's files: one LMDB folder; one entry per appended batch and partition. */
export class LmdbStorage implements LogStorage {
  readonly checkEveryMs = otherProcessesMs;
  readonly #folder: string;
  readonly #spareBytes: number;
  #root: RootDatabase | null = null;
  #topics!: Database<KnownTopic, string>;
  #bounds!: Bytes;
  #batches!: Bytes;
  #cells!: Database<string, string>;
  #listeners = new Set<() => void>();
  readonly #known = new Map<string, KnownTopic>();
  #pending: Pending[] = [];
  #flushing: Promise<void> | null = null;
  /** True while a snapshot is held. */
  #frozen = false;

  /** Nothing is written that would leave less than `spareBytes` of the disk free (see `assertRoom`). */
  constructor(folder: string, spareBytes: number = lmdbSpareBytes) {
    this.#folder = folder;
    this.#spareBytes = spareBytes;
  }

  async open(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    try {
      const root = open({ path: this.#folder, noSubdir: false, maxDbs: 8, maxReaders: 256 });
      this.#root = root;
      this.#topics = root.openDB<KnownTopic, string>({ name: 'topics', encoding: 'json' });
      this.#bounds = root.openDB<Uint8Array, Uint8Array>({ name: 'bounds', encoding: 'binary', keyEncoding: 'binary' });
      this.#batches = root.openDB<Uint8Array, Uint8Array>({ name: 'batches', encoding: 'binary', keyEncoding: 'binary' });
      this.#cells = root.openDB<string, string>({ name: 'cells', encoding: 'string' });
    } catch (error) {
      throw this.#failure(error);
    }
    const path = realpathSync(this.#folder);
    this.#listeners = listenersByFolder.get(path) ?? new Set();
    listenersByFolder.set(path, this.#listeners);
  }

  async close(): Promise<void> {
    await this.#flushing;
    const root = this.#root;
    if (root === null) return;
    this.#root = null;
    await nextTurn(); // lmdb-js hangs for ever when it is closed in the very turn of a synchronous transaction
    await root.close();
  }

  createTopics(topics: readonly TopicDefinition[]): void {
    if (topics.every(({ topic }) => this.topic(topic) !== null)) return;
    this.#transaction(() => {
      let nextId = 0;
      for (const { value } of this.#topics.getRange()) nextId = Math.max(nextId, value.firstId + value.partitions);
      for (const { topic, partitions, settings } of topics) {
        if (this.#topics.get(topic) !== undefined) continue;
        this.#topics.putSync(topic, { topic, partitions, settings: settings ?? {}, firstId: nextId });
        nextId += partitions;
      }
    });
  }

  topic(name: string): StoredTopic | null {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    this.#fresh();
    const stored = this.#topics.get(name);
    if (stored === undefined) return null;
    this.#known.set(name, stored);
    return stored;
  }

  snapshot<T>(work: () => T): T {
    this.#fresh();
    this.#frozen = true;
    try {
      return work();
    } finally {
      this.#frozen = false;
    }
  }

  bounds(partition: TopicPartition): StoredBounds {
    this.#fresh();
    return this.#boundsOf(this.#id(partition));
  }

  read(partition: TopicPartition, position: number, bytesMax: number): StoredRead {
    this.#fresh();
    const id = this.#id(partition);
    const { end } = this.#boundsOf(id);
    const records: LogRecord[] = [];
    let nextPosition = position;
    let bytes = 0;
    while (nextPosition < end && bytes < bytesMax) {
      const found = this.#batchAt(id, nextPosition);
      decodeBatch(found.batch, found.offset, nextPosition, records);
      nextPosition = found.offset + batchSummary(found.batch).count;
      bytes += found.batch.length;
    }
    return { records, nextPosition, endOffset: end };
  }

  append(job: AppendJob): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ job, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    for (const position of positions) {
      const id = this.#id(position);
      this.#transaction(() => {
        const { start, end } = this.#boundsOf(id);
        this.#putBounds(id, Math.max(start, Math.min(position.offset, end)), end);
      });
      await this.#deleteBatches(id, (_, last, start) => last < start);
    }
  }

  cell(key: string): string | null {
    this.#fresh();
    return this.#cells.get(key) ?? null;
  }

  writeCells(cells: readonly (readonly [key: string, value: string])[]): void {
    this.#transaction(() => {
      for (const [key, value] of cells) this.#cells.putSync(key, value);
    });
  }

  async applyRetention(nowMs: number): Promise<number> {
    let deleted = 0;
    this.#fresh();
    const topics = [...this.#topics.getRange()]; // read before the transactions below
    for (const { value: topic } of topics) {
      const keepMs = retentionMs(topic);
      if (keepMs < 0) continue;
      for (let partition = 0; partition < topic.partitions; partition++) {
        deleted += await this.#deleteBatches(topic.firstId + partition, (timestampMaxMs) => timestampMaxMs < nowMs - keepMs);
      }
    }
    return deleted;
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Appends that came together become one transaction; each turn of the loop carries out one. */
  async #flush(): Promise<void> {
    while (this.#pending.length > 0) {
      await nextTurn();
      const group: Pending[] = [];
      let bytes = 0;
      while (this.#pending.length > 0 && bytes < transactionBytesMax) {
        const pending = this.#pending.shift()!;
        group.push(pending);
        for (const { record } of pending.job.records) bytes += framedSizeMax(record);
      }
      const refused = new Map<Pending, unknown>();
      try {
        this.#transaction(() => this.#write(group, refused), bytes);
      } catch (error) {
        for (const pending of group) pending.reject(error);
        continue;
      }
      for (const pending of group) {
        if (refused.has(pending)) pending.reject(refused.get(pending));
        else pending.resolve();
      }
      for (const listener of this.#listeners) listener();
    }
    this.#flushing = null;
  }

  #write(group: readonly Pending[], refused: Map<Pending, unknown>): void {
    const byPartition = new Map<number, FramedRecord[]>();
    for (const pending of group) {
      const { job } = pending;
      try {
        job.check?.((key) => this.#cells.get(key) ?? null);
      } catch (error) {
        refused.set(pending, error);
        continue;
      }
      for (const { partition, record } of job.records) {
        const id = this.#id({ topic: record.topic, partition });
        const records = byPartition.get(id);
        if (records === undefined) byPartition.set(id, [record]);
        else records.push(record);
      }
      for (const [key, value] of job.cells) this.#cells.putSync(key, value);
    }
    for (const [id, records] of byPartition) this.#writeBatches(id, records);
  }

  #writeBatches(id: number, records: readonly FramedRecord[]): void {
    const { start, end } = this.#boundsOf(id);
    let from = 0;
    while (from < records.length) {
      let to = from;
      for (let bytes = 0; to < records.length; to++) {
        bytes += framedSizeMax(records[to]!);
        if (to > from && bytes > batchBytesMax) break;
      }
      this.#batches.putSync(batchKey(id, end + from), encodeBatch(records.slice(from, to)));
      from = to;
    }
    this.#putBounds(id, start, end + records.length);
  }

  /** Deletes leading batches while `old` says so, a few a transaction; gives the number of records. */
  async #deleteBatches(id: number, old: (timestampMaxMs: number, last: number, start: number) => boolean): Promise<number> {
    let deleted = 0;
    for (let more = true; more; await nextTurn()) {
      more = this.#transaction(() => {
        const { start, end } = this.#boundsOf(id);
        const keys = [...this.#batches.getKeys({ start: batchKey(id, 0), end: batchKey(id, end), limit: deleteBatchesMax })];
        let first = start;
        for (const key of keys) {
          const { count, timestampMaxMs } = batchSummary(this.#batches.getBinary(key)!);
          const next = offsetOf(key) + count;
          if (!old(timestampMaxMs, next - 1, start)) {
            this.#putBounds(id, first, end);
            return false;
          }
          this.#batches.removeSync(key);
          deleted += Math.max(0, next - first);
          first = Math.max(first, next);
        }
        this.#putBounds(id, first, end);
        return keys.length === deleteBatchesMax;
      });
    }
    return deleted;
  }

  #batchAt(id: number, position: number): { readonly offset: number; readonly batch: Uint8Array } {
    const exact = this.#batches.getBinary(batchKey(id, position));
    if (exact !== undefined) return { offset: position, batch: exact };
    for (const key of this.#batches.getKeys({ start: batchKey(id, position), end: batchKey(id, 0), reverse: true, inclusiveEnd: true, limit: 1 })) {
      return { offset: offsetOf(key), batch: this.#batches.getBinary(key)! };
    }
    throw new Error(`invariant violated: embedded log: no batch holds offset ${position} of partition id ${id}`);
  }

  #boundsOf(id: number): StoredBounds {
    const stored = this.#bounds.getBinary(idKey(id));
    return stored === undefined ? { start: 0, end: 0 } : { start: stored.readDoubleLE(0), end: stored.readDoubleLE(8) };
  }

  #putBounds(id: number, start: number, end: number): void {
    const bytes = Buffer.allocUnsafe(16);
    bytes.writeDoubleLE(start, 0);
    bytes.writeDoubleLE(end, 8);
    this.#bounds.putSync(idKey(id), bytes);
  }

  #id({ topic, partition }: TopicPartition): number {
    const known = this.#known.get(topic) ?? (this.topic(topic), this.#known.get(topic));
    if (known === undefined || partition < 0 || partition >= known.partitions) {
      throw new VoltstreamError('TOPIC_MISSING', `the embedded log has no partition ${partition} of topic ${topic}`, {
        where: this.#folder, ...(known === undefined ? {} : { got: `${known.partitions} partitions` }),
      });
    }
    return known.firstId + partition;
  }

  /** Sees what other processes and threads have committed; LMDB gives one snapshot a turn of the loop otherwise. */
  #fresh(): void {
    if (this.#root === null) throw new VoltstreamError('LOG_UNAVAILABLE', 'the embedded log is closed', { where: this.#folder });
    if (!this.#frozen) this.#root.resetReadTxn();
  }

  /** All or nothing of what `action` writes: about so many `bytes`. */
  #transaction<T>(action: () => T, bytes = 0): T {
    if (this.#root === null) throw new VoltstreamError('LOG_UNAVAILABLE', 'the embedded log is closed', { where: this.#folder });
    assertRoom(this.#folder, bytes, this.#spareBytes);
    try {
      return this.#root.transactionSync(action, commitFlags);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** LMDB reports a write that was cut short for want of room as EIO (5), else ENOSPC (28), EFBIG (27) or EDQUOT (122). */
  #failure(error: unknown): unknown {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (error instanceof VoltstreamError || typeof code !== 'number') return error;
    const full = [5, 27, 28, 122].includes(code);
    const what = full ? 'the embedded log has no room for this write (or the disk refuses it); nothing of it was stored' : 'the embedded log cannot be used';
    return new VoltstreamError(full ? 'DISK_FULL' : 'LOG_UNAVAILABLE', what, { where: this.#folder, cause: error });
  }
}
