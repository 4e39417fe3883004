import type { Codec } from '../../schemas/codec.ts';
import type { Timestamped } from '../../state/local/timestamped.ts';
import type { KeyValueStore, TimeKeyStore } from '../../state/local-store.ts';
import type { StepContext, StreamRecord, StreamTime, Windowed } from '../operator.ts';
import type { Emit } from '../record-step.ts';
import type { SessionAggregateOptions } from '../session-aggregate.ts';
import { putIn, type HeldAggregate } from './held-aggregate.ts';
import { advanceProgress } from './progress.ts';
import { SessionEnds, type ClosedSession, type SessionStores } from './session-store.ts';
import type { SessionWindows } from './session-windows.ts';

interface FoundSession<A> {
  readonly startMs: number;
  /** As the store has it: its timestamp is the session's end. */
  readonly held: HeldAggregate<A>;
}

const noSessions: readonly never[] = [];

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
  readonly #store: TimeKeyStore<K, Timestamped<A>>;
  readonly #progress: KeyValueStore<K, number> | null;
  readonly #key: Codec<K>;
  /** Made when ends over all keys are asked for the first time: a step that goes by each key's own time may never do. */
  #ends: SessionEnds<K, A> | null = null;
  /** All sessions that ended by then have been closed; only where all keys have one time. */
  #closedUntilMs = Number.NaN;

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
    this.#key = options.key;
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
    const endMs = last === undefined || last.held.timestampMs < timestampMs ? timestampMs : last.held.timestampMs;
    if (endMs < nowMs - this.#openMs) {
      this.#context.dropped('late');
      this.#late(record);
      return;
    }
    this.#take(key, value, timestampMs, endMs, found);
    this.#close(key, nowMs - this.#openMs, endMs);
  }

  /** What a record of this time would close, without one: by key, of every key. */
  idle(timeMs: number): void {
    this.#streamTime.advance(timeMs);
    if (this.#progress !== null) this.#closeSilentKeys(this.#progress, timeMs - this.#openMs);
    else this.#closeAll(this.#streamTime.ms - this.#openMs);
  }

  /** The key's open sessions that the time belongs to or joins, in their order. */
  #find(key: K, timestampMs: number): readonly FoundSession<A>[] {
    const gapMs = this.#gapMs;
    let session = this.#store.lastOf(key, timestampMs + gapMs);
    if (session === undefined || session.value.timestampMs < timestampMs - gapMs) return noSessions;
    const found: FoundSession<A>[] = [];
    while (session !== undefined && session.value.timestampMs >= timestampMs - gapMs) {
      found.push({ startMs: session.timeMs, held: session.value });
      session = this.#store.lastOf(key, session.timeMs - 1);
    }
    return found.length < 2 ? found : found.reverse();
  }

  #take(key: K, value: V, timestampMs: number, endMs: number, found: readonly FoundSession<A>[]): void {
    const { initial, merge, fold } = this.#options;
    const first = found[0];
    const startMs = first === undefined || first.startMs > timestampMs ? timestampMs : first.startMs;
    let aggregate = initial();
    for (let at = 0; at < found.length; at += 1) aggregate = merge(aggregate, (found[at] as FoundSession<A>).held.value, key);
    aggregate = fold(aggregate, value, key);
    // What is held of the first one is written into below: its end as it was is told to those who heard of it.
    const firstEndMs = first?.held.timestampMs ?? 0;
    putIn(this.#store, key, startMs, first?.startMs === startMs ? first.held : undefined, aggregate, endMs);
    if (first?.startMs !== startMs) this.#ends?.add(key, startMs, endMs);
    // A session of this very moment alone is continued, not absorbed.
    const absorbs = startMs !== endMs && this.#emitsUpdates;
    for (let at = 0; at < found.length; at += 1) {
      const session = found[at] as FoundSession<A>;
      if (session.startMs !== startMs) this.#store.delete(key, session.startMs);
      if (absorbs) this.#send(key, session.startMs, at === 0 ? firstEndMs : session.held.timestampMs, null);
    }
    if (this.#emitsUpdates) this.#send(key, startMs, endMs, aggregate);
  }

  /** Behind a record of a key, whose session now ends at `endMs`. */
  #close(key: K, untilMs: number, endMs: number): void {
    if (this.#progress === null) {
      // Time has not gone on: nothing but this session can have come due.
      if (untilMs !== this.#closedUntilMs || endMs <= untilMs) this.#closeAll(untilMs);
      return;
    }
    this.#closeKey(key, untilMs);
    const { silentKeyMs } = this.#options;
    if (silentKeyMs !== undefined) this.#closeSilentKeys(this.#progress, this.#streamTime.ms - silentKeyMs - this.#openMs);
  }

  #closeAll(untilMs: number): void {
    this.#closedUntilMs = untilMs;
    const ends = this.#allEnds();
    if (!ends.mayHaveEnded(untilMs)) return;
    if (this.#emitsUpdates) ends.forget(untilMs);
    else this.#sendFinal(ends.drain(untilMs));
  }

  #closeKey(key: K, untilMs: number): void {
    for (let startMs = this.#store.earliestOf(key); startMs !== undefined && startMs <= untilMs; startMs = this.#store.earliestOf(key)) {
      const session = this.#store.get(key, startMs);
      if (session === undefined || session.timestampMs > untilMs) return;
      this.#store.delete(key, startMs);
      if (!this.#emitsUpdates) this.#send(key, startMs, session.timestampMs, session.value);
    }
  }

  #closeSilentKeys(progress: KeyValueStore<K, number>, untilMs: number): void {
    const ends = this.#allEnds();
    if (!ends.mayHaveEnded(untilMs)) return;
    const closed = ends.drain(untilMs);
    // What has been closed must not open again: it is as if the key had come this far by itself.
    for (const { key, endMs } of closed) {
      const closedAtMs = endMs + this.#openMs;
      if ((progress.get(key) ?? -1) < closedAtMs) progress.put(key, closedAtMs);
    }
    this.#sendFinal(closed);
  }

  #allEnds(): SessionEnds<K, A> {
    return (this.#ends ??= new SessionEnds(this.#store, this.#key));
  }

  #sendFinal(closed: readonly ClosedSession<K, A>[]): void {
    if (this.#emitsUpdates) return;
    for (const { key, startMs, endMs, value } of closed) this.#send(key, startMs, endMs, value);
  }

  #send(key: K, startMs: number, endMs: number, value: A | null): void {
    this.#emit({ key: { key, startMs, endMs }, value, timestampMs: endMs });
  }
}
