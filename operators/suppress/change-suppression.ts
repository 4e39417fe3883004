import type { Codec } from '../../schemas/codec.ts';
import { timeKeyStore } from '../../state/local/time-key-store.ts';
import type { StoreDefinition, TimeKeyStore } from '../../state/local-store.ts';
import type { Operator, StepContext, StreamRecord, StreamTime, TableLookup } from '../operator.ts';
import { handlerStep, type Emit } from '../record-step.ts';
import type { UntilTimeLimit } from '../suppress.ts';
import type { Change } from '../table-source.ts';
import { BufferLevel, type Writable } from './buffer-level.ts';
import { bufferedChange, type BufferedChange } from './buffered.ts';
import { EvictionOrder } from './eviction-order.ts';

/** Changes that wait, by the time of their key's first one. */
export type ChangeBuffer<K, V> = StoreDefinition<TimeKeyStore<K, BufferedChange<V>>>;

export interface ChangeCodecs<K, V> {
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}

export function changeBuffer<K, V>(name: string, { key, value }: ChangeCodecs<K, V>): ChangeBuffer<K, V> {
  return timeKeyStore({ name, key, value: bufferedChange(value) });
}

/**
 * Holds a table's changes back for a time (KTableSuppressProcessor over InMemoryTimeOrderedKeyValueChangeBuffer). The old value of
 * what is sent is the last one sent before, so that whoever adds and subtracts stays right.
 */
export function suppressChanges<K, V>(
  name: string, until: UntilTimeLimit, codecs: ChangeCodecs<K, V>, buffer: ChangeBuffer<K, V> = changeBuffer(name, codecs),
): Operator<K, Change<V>, K, Change<V>> {
  return {
    kind: 'suppress',
    name,
    stores: [buffer],
    reads: [],
    ports: [],
    changesKey: false,
    detail: `until a time limit of ${until.limitMs} ms`,
    build: (context) =>
      handlerStep<StreamRecord<K, Change<V>>, StreamRecord<K, Change<V>>>(context, (emit) => {
        const suppression = new ChangeSuppression(context, until, codecs, buffer, emit);
        context.onIdle((timeMs) => suppression.idle(timeMs));
        return (record) => suppression.process(record);
      }),
  };
}

/** A suppressed table's values: what its followers were told last, as far as that is known, without its timestamp (-1). */
export function suppressedLookup<K, V>(
  context: Pick<StepContext, 'store'>, definition: ChangeBuffer<K, V>, table: TableLookup<K, V>,
): TableLookup<K, V> {
  const buffer = context.store(definition);
  const lookUp = (key: K): ReturnType<TableLookup<K, V>['get']> => {
    const heldMs = buffer.earliestOf(key);
    if (heldMs === undefined) return table.get(key);
    const told = buffer.get(key, heldMs)?.toldValue ?? null;
    return told === null ? undefined : { value: told, timestampMs: -1 };
  };
  return { get: lookUp, getAsOf: lookUp };
}

class ChangeSuppression<K, V> {
  readonly #limitMs: number;
  readonly #streamTime: StreamTime;
  readonly #store: TimeKeyStore<K, BufferedChange<V>>;
  readonly #level: BufferLevel<K, BufferedChange<V>>;
  readonly #emit: Emit<StreamRecord<K, Change<V>>>;
  readonly #key: Codec<K>;
  readonly #emitsEarly: boolean;
  /** Made when an entry has to leave early for the first time; until then, what is due leaves by its time alone. */
  #order: EvictionOrder<K> | null = null;

  constructor(
    context: StepContext, until: UntilTimeLimit, { key, value }: ChangeCodecs<K, V>, buffer: ChangeBuffer<K, V>,
    emit: Emit<StreamRecord<K, Change<V>>>,
  ) {
    const { maxRecords, maxBytes, whenFull = 'emit-early' } = until.buffer;
    this.#limitMs = until.limitMs;
    this.#streamTime = context.streamTime;
    this.#store = context.store(buffer);
    this.#level = new BufferLevel(context.step, until.buffer, this.#store, key, bufferedChange(value));
    this.#emit = emit;
    this.#key = key;
    this.#emitsEarly = whenFull === 'emit-early' && (maxRecords !== undefined || maxBytes !== undefined);
  }

  process({ key, value, timestampMs }: StreamRecord<K, Change<V>>): void {
    const { newValue, oldValue } = value;
    this.#streamTime.advance(timestampMs);
    const heldMs = this.#store.earliestOf(key);
    if (heldMs === undefined) {
      this.#level.put(key, timestampMs, { toldValue: oldValue, newValue, timestampMs }, undefined);
      this.#order?.add(key, timestampMs);
    } else {
      const before: Writable<BufferedChange<V>> | undefined = this.#store.get(key, heldMs);
      if (before === undefined || this.#level.countsBytes) this.#level.put(key, heldMs, { toldValue: before?.toldValue ?? null, newValue, timestampMs }, before);
      else {
        // Nobody else has it: written into, it is one object less for each change.
        before.newValue = newValue;
        before.timestampMs = timestampMs;
        this.#store.put(key, heldMs, before);
      }
    }
    this.#emitDue();
    if (this.#emitsEarly) while (this.#level.isOver) this.#evictFirst(this.#evictionOrder());
    else this.#level.check();
  }

  idle(timeMs: number): void {
    this.#streamTime.advance(timeMs);
    this.#emitDue();
  }

  #emitDue(): void {
    const untilMs = this.#streamTime.ms - this.#limitMs;
    const order = this.#order;
    if (order === null) {
      for (const { key, value } of this.#level.drain(untilMs)) this.#send(key, value);
      return;
    }
    while ((order.first?.timeMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.#evictFirst(order);
  }

  #evictFirst(order: EvictionOrder<K>): void {
    const { first } = order;
    if (first === undefined) return;
    const { key, timeMs } = first;
    const entry = this.#store.get(key, timeMs) as BufferedChange<V>;
    order.removeFirst();
    this.#level.delete(key, timeMs, entry);
    this.#send(key, entry);
  }

  #evictionOrder(): EvictionOrder<K> {
    if (this.#order !== null) return this.#order;
    const order = new EvictionOrder(this.#key);
    for (const { key, timeMs } of this.#store.all()) order.add(key, timeMs);
    return (this.#order = order);
  }

  #send(key: K, { toldValue, newValue, timestampMs }: BufferedChange<V>): void {
    this.#emit({ key, value: { newValue, oldValue: toldValue, isLatest: true }, timestampMs });
  }
}
