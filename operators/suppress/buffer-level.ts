import { VoltstreamError } from '../../errors.ts';
import type { Codec } from '../../schemas/codec.ts';
import { timeBytes } from '../../state/local/time-bytes.ts';
import type { TimeKeyEntry, TimeKeyStore } from '../../state/local-store.ts';
import type { BufferLimits } from '../suppress.ts';

export type Writable<T> = { -readonly [P in keyof T]: T[P] };

/** How full a buffer is. Bytes are counted only where they are limited: each entry is encoded for it as it comes and goes. */
export class BufferLevel<K, B> {
  readonly #step: string;
  readonly #limits: BufferLimits;
  readonly #store: TimeKeyStore<K, B>;
  readonly #key: Codec<K>;
  readonly #value: Codec<B>;
  readonly #countsBytes: boolean;
  /** Counted from the store when asked for the first time. */
  #bytes: number | null = null;

  constructor(step: string, limits: BufferLimits, store: TimeKeyStore<K, B>, key: Codec<K>, value: Codec<B>) {
    this.#step = step;
    this.#limits = limits;
    this.#store = store;
    this.#key = key;
    this.#value = value;
    this.#countsBytes = limits.maxBytes !== undefined;
  }

  /** Then an entry that is held must not be written into: its size would be lost. */
  get countsBytes(): boolean {
    return this.#countsBytes;
  }

  /** Puts an entry in place of `before`. */
  put(key: K, timeMs: number, entry: B, before: B | undefined): void {
    if (this.#countsBytes) this.#count(this.#sizeOf(key, entry) - (before === undefined ? 0 : this.#sizeOf(key, before)));
    this.#store.put(key, timeMs, entry);
  }

  delete(key: K, timeMs: number, entry: B): void {
    if (this.#countsBytes) this.#count(-this.#sizeOf(key, entry));
    this.#store.delete(key, timeMs);
  }

  drain(untilMs: number): readonly TimeKeyEntry<K, B>[] {
    if ((this.#store.earliestMs ?? Number.POSITIVE_INFINITY) > untilMs) return [];
    if (this.#countsBytes) this.#count(0);
    const drained = this.#store.drain(untilMs);
    if (this.#countsBytes) for (const { key, value } of drained) this.#count(-this.#sizeOf(key, value));
    return drained;
  }

  get isOver(): boolean {
    const { maxRecords, maxBytes } = this.#limits;
    return (maxRecords !== undefined && this.#store.entries > maxRecords) || (maxBytes !== undefined && this.#count(0) > maxBytes);
  }

  /** Throws BUFFER_FULL when the buffer holds more than it may. */
  check(): void {
    if (!this.isOver) return;
    const { maxRecords, maxBytes } = this.#limits;
    const wanted = [maxRecords === undefined ? [] : [`${maxRecords} records`], maxBytes === undefined ? [] : [`${maxBytes} bytes`]].flat();
    const got = [`${this.#store.entries} records`, ...(maxBytes === undefined ? [] : [`${this.#count(0)} bytes`])];
    throw new VoltstreamError('BUFFER_FULL', 'a suppression holds back more than it may', {
      where: `step "${this.#step}"`, wanted: `at most ${wanted.join(' and ')}`, got: got.join(' and '),
    });
  }

  #count(change: number): number {
    this.#bytes ??= this.#bytesInStore();
    this.#bytes += change;
    return this.#bytes;
  }

  #bytesInStore(): number {
    let bytes = 0;
    for (const { key, value } of this.#store.all()) bytes += this.#sizeOf(key, value);
    return bytes;
  }

  #sizeOf(key: K, entry: B): number {
    return timeBytes + this.#key.encode(key).length + this.#value.encode(entry).length;
  }
}
