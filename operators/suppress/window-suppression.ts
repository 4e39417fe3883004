import type { Codec } from '../../schemas/codec.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import type { StoreDefinition, TimeKeyStore } from '../../state/local-store.ts';
import type { Operator, StepContext, StreamRecord, StreamTime, Windowed } from '../operator.ts';
import { handlerStep, type Emit } from '../record-step.ts';
import type { UntilWindowCloses } from '../suppress.ts';
import { BufferLevel, type Writable } from './buffer-level.ts';
import { bufferedWindow, type BufferedWindow } from './buffered.ts';

export interface WindowSuppressionOptions<K, A> {
  readonly key: Codec<K>;
  readonly aggregate: Codec<A>;
  /** From a window's end to its close: the grace, for sessions with the gap. */
  readonly closesAfterMs: number;
}

/** Results that wait, by their window's end. */
type WindowBuffer<K, A> = StoreDefinition<TimeKeyStore<K, BufferedWindow<A>>>;

/** Holds the results of windows back until these close (KTableSuppressProcessor); what is taken back (null) is forgotten at once. */
export function suppressWindows<K, A>(
  name: string, until: UntilWindowCloses, options: WindowSuppressionOptions<K, A>,
): Operator<Windowed<K>, A | null, Windowed<K>, A> {
  const buffer: WindowBuffer<K, A> = timeKeyStore({ name, key: options.key, value: bufferedWindow(options.aggregate) });
  return {
    kind: 'suppress',
    name,
    stores: [buffer],
    reads: [],
    ports: [],
    changesKey: false,
    detail: `until the window closes, ${options.closesAfterMs} ms after its end`,
    build: (context) =>
      handlerStep<StreamRecord<Windowed<K>, A | null>, StreamRecord<Windowed<K>, A>>(context, (emit) => {
        const suppression = new WindowSuppression(context, until, options, buffer, emit);
        context.onIdle((timeMs) => suppression.idle(timeMs));
        return (record) => suppression.process(record);
      }),
  };
}

class WindowSuppression<K, A> {
  readonly #closesAfterMs: number;
  readonly #streamTime: StreamTime;
  readonly #store: TimeKeyStore<K, BufferedWindow<A>>;
  readonly #level: BufferLevel<K, BufferedWindow<A>>;
  readonly #emit: Emit<StreamRecord<Windowed<K>, A>>;

  constructor(
    context: StepContext, until: UntilWindowCloses, options: WindowSuppressionOptions<K, A>, buffer: WindowBuffer<K, A>,
    emit: Emit<StreamRecord<Windowed<K>, A>>,
  ) {
    this.#closesAfterMs = options.closesAfterMs;
    this.#streamTime = context.streamTime;
    this.#store = context.store(buffer);
    this.#level = new BufferLevel(context.step, until.buffer, this.#store, options.key, bufferedWindow(options.aggregate));
    this.#emit = emit;
  }

  process({ key: { key, startMs, endMs }, value, timestampMs }: StreamRecord<Windowed<K>, A | null>): void {
    this.#streamTime.advance(timestampMs);
    const before: Writable<BufferedWindow<A>> | undefined = this.#store.get(key, endMs);
    if (value !== null && before?.startMs === startMs && !this.#level.countsBytes) {
      // Nobody else has it: written into, it is one object less for each change.
      before.timestampMs = timestampMs;
      before.value = value;
      this.#store.put(key, endMs, before);
    } else if (value !== null) this.#level.put(key, endMs, { startMs, timestampMs, value }, before);
    else if (before?.startMs === startMs) this.#level.delete(key, endMs, before);
    this.#emitClosed();
    this.#level.check();
  }

  idle(timeMs: number): void {
    this.#streamTime.advance(timeMs);
    this.#emitClosed();
  }

  #emitClosed(): void {
    for (const { key, timeMs, value } of this.#level.drain(this.#streamTime.ms - this.#closesAfterMs)) {
      this.#emit({ key: { key, startMs: value.startMs, endMs: timeMs }, value: value.value, timestampMs: value.timestampMs });
    }
  }
}
