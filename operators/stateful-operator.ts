import { assertInvariant } from '../errors.ts';
import type { LocalStore, StoreDefinition } from '../state/local-store.ts';
import type { Operator, RecordOrigin, Schedule, StepContext, StreamRecord, StreamReference, StreamTime } from './operator.ts';
import { handlerStep, type Emit } from './record-step.ts';

/** Stores of a step by the names that its code gives them. */
export type StoreDefinitions = { readonly [name: string]: StoreDefinition };

export type OpenedStores<S extends StoreDefinitions> = {
  readonly [Name in keyof S]: S[Name] extends StoreDefinition<infer Store extends LocalStore> ? Store : never;
};

/** What a stateful operator's code sees while it processes a record. */
export interface StatefulContext<S extends StoreDefinitions> {
  readonly stores: OpenedStores<S>;
  /** The step's own stream time, already raised by the record under way. */
  readonly streamTime: StreamTime;
  /** Where the input record under way came from; changed in place. */
  readonly origin: RecordOrigin;
  /** Which of its inputs the record under way came by: 0, or the place of one in `others` plus 1. */
  readonly input: number;
  /** Sends a record to a side output of the step. */
  output(port: string, record: StreamRecord<unknown, unknown>): void;
  dropped(reason: Parameters<StepContext['dropped']>[0]): void;
}

/** What the code of a `statefulStep` sees while it is set up. */
export interface StatefulStart<S extends StoreDefinitions> extends StatefulContext<S> {
  /**
   * Calls `run` between two records; only while the step is set up. See `Schedule` for when, and for what `timeMs` is. The step's
   * own stream time stays as it is, until `run` raises it.
   */
  schedule(schedule: Schedule, run: (timeMs: number) => void): void;
  /** Calls `run` when the sources in front have been idle (`idleAfterMs`), after the step's stream time was raised to `timeMs`. */
  onIdle(run: (timeMs: number) => void): void;
  /** Calls `run` at the end of what each commit holds: gives what was held back in memory since the last one. See `StepContext.onCommit`. */
  onCommit(run: () => void): void;
}

/** Something that a step does by time, between two records. An error that it throws stops the task: there is no record to set aside. */
export interface Punctuator<K2, V2, S extends StoreDefinitions> extends Schedule {
  readonly run: (timeMs: number, context: StatefulContext<S>, emit: Emit<StreamRecord<K2, V2>>) => void;
}

interface StatefulFacts<S extends StoreDefinitions> {
  readonly name: string;
  /** Names of the definitions begin with the step's name. */
  readonly stores: S;
  readonly kind?: string;
  readonly ports?: readonly string[];
  /** Streams that it takes records from beside the one that is piped into it; `input` tells which. Their records come as those of the first. */
  readonly others?: readonly StreamReference<unknown, unknown>[];
  /** Names of tables that the step reads; their stores stand in `stores`, too. */
  readonly reads?: readonly string[];
  /** True when records leave with another key than they came with. */
  readonly changesKey?: boolean;
  /** One line for `describe()`. */
  readonly detail?: string;
  /** False keeps the step's stream time where it is until `process` raises it itself. */
  readonly advancesTime?: boolean;
}

export interface StatefulOptions<K, V, K2, V2, S extends StoreDefinitions> extends StatefulFacts<S> {
  readonly process: (record: StreamRecord<K, V>, context: StatefulContext<S>, emit: Emit<StreamRecord<K2, V2>>) => void;
  /** What the step does by time. The n-th of its type goes on after a restart where the n-th stood, so add new ones at the end. */
  readonly punctuate?: readonly Punctuator<K2, V2, S>[];
  /**
   * Called when the sources in front have been idle for longer than their `idleAfterMs`: does what a record of that time would
   * have brought about, without one. The step's stream time was raised to `timeMs` before; each call has a higher one.
   */
  readonly onIdle?: (timeMs: number, context: StatefulContext<S>, emit: Emit<StreamRecord<K2, V2>>) => void;
}

export interface StatefulStepOptions<K, V, K2, V2, S extends StoreDefinitions> extends StatefulFacts<S> {
  /** Called once per task, and again after a restart; gives what to do with each record. */
  readonly start: (context: StatefulStart<S>, emit: Emit<StreamRecord<K2, V2>>) => (record: StreamRecord<K, V>) => void;
}

/**
 * A stateful operator from a function. The function is synchronous and reads no clock, no randomness and no variable that it
 * changes itself: everything it remembers is in its stores, where it is committed and comes back after a restart.
 *
 * When it throws, the record goes to the step's error policy; what it had put and emitted before stays. So decide first, then put.
 *
 * @example Numbers the records of each key
 * statefulOperator({
 *   name: 'numbered',
 *   stores: { counts: keyValueStore({ name: 'numbered', key: utf8, value: int64 }) },
 *   process(record: StreamRecord<string, string>, { stores }, emit: Emit<StreamRecord<string, number>>) {
 *     const count = (stores.counts.get(record.key) ?? 0) + 1;
 *     stores.counts.put(record.key, count);
 *     emit({ ...record, value: count });
 *   },
 * })
 *
 * @example Gives what was counted once a minute of stream time, and forgets it
 * statefulOperator({
 *   name: 'per-minute',
 *   stores: { counts: keyValueStore({ name: 'per-minute', key: utf8, value: int64 }) },
 *   process({ key }: StreamRecord<string, string>, { stores }) {
 *     stores.counts.put(key, (stores.counts.get(key) ?? 0) + 1);
 *   },
 *   punctuate: [{ type: 'stream-time', intervalMs: 60_000, run(timestampMs, { stores }, emit: Emit<StreamRecord<string, number>>) {
 *     for (const [key, value] of [...stores.counts.range()]) {
 *       emit({ key, value, timestampMs });
 *       stores.counts.delete(key);
 *     }
 *   } }],
 * })
 */
export function statefulOperator<K, V, K2, V2, S extends StoreDefinitions>(
  options: StatefulOptions<K, V, K2, V2, S>,
): Operator<K, V, K2, V2> {
  const { process, punctuate = [], onIdle, ...facts } = options;
  return statefulStep({
    ...facts,
    start: (context, emit) => {
      for (const { type, intervalMs, run } of punctuate) context.schedule({ type, intervalMs }, (timeMs) => run(timeMs, context, emit));
      if (onIdle !== undefined) context.onIdle((timeMs) => onIdle(timeMs, context, emit));
      return (record: StreamRecord<K, V>) => process(record, context, emit);
    },
  });
}

/**
 * A stateful operator like `statefulOperator`, whose code is set up once per task: for steps that are objects of their own, or
 * that want nothing allocated for each record. What is set up remembers nothing itself, either.
 */
export function statefulStep<K, V, K2, V2, S extends StoreDefinitions>(
  options: StatefulStepOptions<K, V, K2, V2, S>,
): Operator<K, V, K2, V2> {
  const advancesTime = options.advancesTime ?? true;
  return {
    kind: options.kind ?? 'stateful',
    name: options.name,
    ...(options.others === undefined ? {} : { others: options.others }),
    stores: Object.values(options.stores),
    reads: options.reads ?? [],
    ports: options.ports ?? [],
    changesKey: options.changesKey ?? false,
    detail: options.detail ?? '',
    build: (context) =>
      handlerStep(context, (emit, guard) => {
        const process = options.start(openContext(context, options, guard), emit);
        const { streamTime } = context;
        return (record) => {
          if (advancesTime) streamTime.advance(record.timestampMs);
          process(record);
        };
      }),
  };
}

function openContext<S extends StoreDefinitions>(
  context: StepContext,
  options: { readonly stores: S; readonly ports?: readonly string[]; readonly advancesTime?: boolean },
  guard: <R>(output: Emit<R>) => Emit<R>,
): StatefulStart<S> {
  const stores = Object.fromEntries(Object.entries(options.stores).map(([name, definition]) => [name, context.store(definition)]));
  const outputs = new Map((options.ports ?? []).map((port) => [port, guard(context.output(port))]));
  return {
    stores: stores as OpenedStores<S>,
    streamTime: context.streamTime,
    origin: context.origin,
    get input() {
      return context.input;
    },
    output: (port, record) => {
      const output = outputs.get(port);
      assertInvariant(output !== undefined, `step ${context.step} has declared its output ${port}`);
      output(record);
    },
    dropped: (reason) => context.dropped(reason),
    schedule: (schedule, run) => context.schedule(schedule, run),
    onIdle: (run) => context.onIdle((timeMs) => {
      if (options.advancesTime ?? true) context.streamTime.advance(timeMs);
      run(timeMs);
    }),
    onCommit: (run) => context.onCommit(run),
  };
}
