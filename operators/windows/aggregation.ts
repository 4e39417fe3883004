import { VoltstreamError } from '../../errors.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { StepContext, StreamRecord, StreamReference } from '../operator.ts';
import { wantMilliseconds } from './window-span.ts';

/** Makes a new aggregate of an old one and a record; must not change the old one. */
export type Fold<K, V, A> = (aggregate: A, value: V, key: K) => A;

/** What aggregates over windows of any kind are told. */
export interface WindowedOptions<K, V, A> {
  readonly key: Codec<K>;
  readonly aggregate: Codec<A>;
  readonly initial: () => A;
  /** Gives a new aggregate; must not change the old one. */
  readonly fold: Fold<K, V, A>;
  /**
   * `update` (default): each change of a window at once. `final`: each window once, when it closes, in the order of
   * (end, key bytes): Kafka Streams' `suppress(untilWindowCloses)`.
   */
  readonly emit?: 'update' | 'final';
  /**
   * What closes a window: `task` (default), the highest timestamp that the step has seen, as in Kafka Streams; or `key`, the
   * highest that it has seen of the window's own key, so that no key is late because others went on.
   */
  readonly timeScope?: 'task' | 'key';
  /**
   * Only with `timeScope: 'key'`: closes a silent key's windows, too, when the step's own time is this far behind their end
   * plus grace. Left out, they wait for the key.
   */
  readonly silentKeyMs?: number;
}

/** What only the topology's own methods ask of such an aggregate. */
export interface WindowedInputs<K, A> {
  readonly others?: readonly FurtherInput<K, A>[];
  /** True drops records without a value and counts them (`null-value`); else they are folded like any other. */
  readonly dropsNullValues?: boolean;
}

/** Another stream that goes into the same windows, with a fold of its own: one of a cogroup's. */
export interface FurtherInput<K, A> {
  readonly stream: StreamReference<unknown, unknown>;
  readonly fold: Fold<K, never, A>;
}

/** The fold of whatever input the record under way came by. */
export function foldByInput<K, V, A>(context: StepContext, first: Fold<K, V, A>, others: readonly FurtherInput<K, A>[]): Fold<K, V, A> {
  if (others.length === 0) return first;
  const folds = [first, ...others.map((other) => other.fold as Fold<K, V, A>)];
  return (aggregate, value, key) => (folds[context.input] as Fold<K, V, A>)(aggregate, value, key);
}

/** `process`, behind a check for values where there must be one. */
export function checkingValues<K, V>(
  context: StepContext, dropsNullValues: boolean, process: (record: StreamRecord<K | null, V>) => void,
): (record: StreamRecord<K | null, V>) => void {
  if (!dropsNullValues) return process;
  return (record) => {
    if (record.value === null || record.value === undefined) context.dropped(record.key === null || record.key === undefined ? 'null-key' : 'null-value');
    else process(record);
  };
}

export function checkSilentKeys(name: string, options: Pick<WindowedOptions<never, never, never>, 'silentKeyMs' | 'timeScope'>): void {
  const { silentKeyMs, timeScope = 'task' } = options;
  if (silentKeyMs === undefined) return;
  wantMilliseconds(name, 'silentKeyMs', silentKeyMs);
  if (timeScope !== 'key') {
    throw new VoltstreamError('TOPOLOGY_INVALID', 'silentKeyMs has no meaning here', { where: name, wanted: "timeScope 'key'", got: timeScope });
  }
}
