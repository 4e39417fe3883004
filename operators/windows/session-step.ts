import type { KeyValueStore, TimeKeyEntry, TimeKeyStore } from '../../state/local-store.ts';
import type { StepContext, StreamRecord, StreamTime, Windowed } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import type { SessionAggregateOptions } from '../session-aggregate.ts';
import { advanceProgress } from './progress.ts';
import type { HeldSession, SessionStores } from './session-store.ts';
import type { SessionWindows } from './session-windows.ts';

type FoundSession<A> = { readonly timeMs: number; readonly value: HeldSession<A> };

/**
 * What a session aggregate does with each record (KStreamSessionWindowAggregate). A session is looked for while stream time
 * before the record has not reached its end plus gap plus grace; then it has closed, and leaves the store. A new one is late when
 * it would end before stream time less gap and grace: one that ends just then is taken, and closes at once.
 */
export class SessionStep<K, V, A> {
  readonly #context: StepContext;
  readonly #gapMs: number;
  /** From a session's end to its close. */
  readonly #openMs: number;
  readonly #options: SessionAggregateOptions<K, V, A>;
  readonly #emit: Emit<StreamRecord<Windowed<K>, A | null>>;
  readonly #late: Emit<StreamRecord<K | null, V>>;
  readonly #emitsUpdates: boolean;
  readonly #streamTime: StreamTime;
  readonly #store: TimeKeyStore<K, HeldSession<A>>;
  readonly #progress: KeyValueStore<K, number> | null;

  constructor(
    context: StepContext, windows: SessionWindows, options: SessionAggregateOptions<K, V, A>, stores: SessionStores<K, A>,
    emit: Emit<StreamRecord<Windowed<K>, A | null>>, late: Emit<StreamRecord<K | null, V>>,
  ) {
    this.#context = context;
    this.#gapMs = windows.gapMs;
    this.#openMs = windows.gapMs + windows.graceMs;
    this.#options = options;
    this.#emit = emit;
    this.#late = late;
    this.#emitsUpdates = options.emit !== 'final';
    this.#streamTime = context.streamTime;
    this.#store = context.store(stores.sessions);
    this.#progress = stores.progress === null ? null : context.store(stores.progress);
  }

  process(record: StreamRecord<K | null, V>): void {
    const { key, value, timestampMs } = record;
    if (key === null || key === undefined) {
      this.#context.dropped('null-key');
      return;
    }
    this.#streamTime.advance(timestampMs);
    const nowMs = this.#progress === null ? this.#streamTime.ms : advanceProgress(this.#progress, key, timestampMs);
    const found = this.#find(key, timestampMs);
    const last = found[found.length - 1];
    const endMs = last === undefined || last.timeMs < timestampMs ? timestampMs : last.timeMs;
    if (endMs < nowMs - this.#openMs) {
      this.#context.dropped('late');
      this.#late(record);
      return;
    }
    this.#take(key, value, timestampMs, endMs, found);
    this.#close(key, nowMs - this.#openMs);
  }

  /** What a record of this time would close, without one: by key, of every key. */
  idle(timeMs: number): void {
    this.#streamTime.advance(timeMs);
    if (this.#progress !== null) this.#closeSilentKeys(this.#progress, timeMs - this.#openMs);
    else this.#closeAll(this.#streamTime.ms - this.#openMs);
  }

  /** The key's open sessions that the time belongs to or joins, ends ascending. */
  #find(key: K, timestampMs: number): readonly FoundSession<A>[] {
    const found = this.#store.fetch(key, timestampMs - this.#gapMs, Number.MAX_SAFE_INTEGER);
    let count = found.length;
    while (count > 0 && (found[count - 1] as FoundSession<A>).value.startMs > timestampMs + this.#gapMs) count -= 1;
    return count === found.length ? found : found.slice(0, count);
  }

  #take(key: K, value: V, timestampMs: number, endMs: number, found: readonly FoundSession<A>[]): void {
    const { initial, merge, fold } = this.#options;
    const first = found[0];
    const startMs = first === undefined || first.value.startMs > timestampMs ? timestampMs : first.value.startMs;
    let aggregate = initial();
    for (const session of found) aggregate = merge(aggregate, session.value.value, key);
    aggregate = fold(aggregate, value, key);
    // A session of this very moment alone is continued, not absorbed.
    const absorbs = startMs !== endMs;
    for (const session of found) {
      if (session.timeMs !== endMs) this.#store.delete(key, session.timeMs);
      if (absorbs && this.#emitsUpdates) this.#send(key, session.value.startMs, session.timeMs, null);
    }
    this.#store.put(key, endMs, { startMs, value: aggregate });
    if (this.#emitsUpdates) this.#send(key, startMs, endMs, aggregate);
  }

  #close(key: K, untilMs: number): void {
    if (this.#progress === null) {
      this.#closeAll(untilMs);
      return;
    }
    if ((this.#store.earliestOf(key) ?? Number.POSITIVE_INFINITY) <= untilMs) this.#sendFinal(this.#store.drainKey(key, untilMs));
    const { silentKeyMs } = this.#options;
    if (silentKeyMs !== undefined) this.#closeSilentKeys(this.#progress, this.#streamTime.ms - silentKeyMs - this.#openMs);
  }

  #closeAll(untilMs: number): void {
    if ((this.#store.earliestMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.#sendFinal(this.#store.drain(untilMs));
  }

  #closeSilentKeys(progress: KeyValueStore<K, number>, untilMs: number): void {
    if ((this.#store.earliestMs ?? Number.POSITIVE_INFINITY) > untilMs) return;
    const closed = this.#store.drain(untilMs);
    // What has been closed must not open again: it is as if the key had come this far by itself.
    for (const { key, timeMs } of closed) {
      const closedAtMs = timeMs + this.#openMs;
      if ((progress.get(key) ?? -1) < closedAtMs) progress.put(key, closedAtMs);
    }
    this.#sendFinal(closed);
  }

  #sendFinal(closed: readonly TimeKeyEntry<K, HeldSession<A>>[]): void {
    if (this.#emitsUpdates) return;
    for (const { key, timeMs, value } of closed) this.#send(key, value.startMs, timeMs, value.value);
  }

  #send(key: K, startMs: number, endMs: number, value: A | null): void {
    this.#emit({ key: { key, startMs, endMs }, value, timestampMs: endMs });
  }
}
