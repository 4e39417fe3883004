import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { Channel, TracingChannel } from 'node:diagnostics_channel';
import type { DeadLetter } from '../topology/dead-letter.ts';

/** A task was claimed and its state loaded. */
export interface TaskClaimed {
  readonly application: string;
  readonly task: string;
  /** Time for the claim and the loading. */
  readonly restoreMs: number;
}

/** A task has left this process: it stopped, was assigned elsewhere, or the process ends. */
export interface TaskDropped {
  readonly application: string;
  readonly task: string;
  /** A code of the error catalogue, `retry`, `failed`, `assigned elsewhere` or `stopped`. */
  readonly reason: string;
}

/** A task has stopped by itself. */
export interface TaskStopped {
  readonly application: string;
  readonly task: string;
  readonly error: unknown;
}

/** One turn of a task: records of one or more fetched batches, decoded and processed. */
export interface BatchProcessed {
  readonly application: string;
  readonly task: string;
  readonly records: number;
  readonly durationMs: number;
}

/** One atomic commit of a task, with all its tries. */
export interface CommitTrace {
  readonly application: string;
  readonly task: string;
  /** Changed cells that it carries. */
  readonly cells: number;
  /** Set when it failed. */
  readonly error?: unknown;
}

/** One sealed batch on its way into a sink, with all its tries. */
export interface DeliveryTrace {
  readonly application: string;
  readonly task: string;
  readonly sink: string;
  readonly rows: number;
  /** Set when it failed. */
  readonly error?: unknown;
}

/** A record was set aside. It is made again, and told again, when its task is dropped before the commit. */
export interface DeadLetterTold {
  readonly application: string;
  readonly task: string;
  readonly letter: DeadLetter;
}

/** Something failed and will be tried again. */
export interface RetryTold {
  readonly application: string;
  /** One of a few fixed words: `commit`, `claim`, `record`, `deliver to topic`... */
  readonly operation: string;
  readonly error: unknown;
}

/** A named channel of `node:diagnostics_channel` whose messages have a type. */
export class TraceChannel<Message extends object> {
  readonly #channel: Channel;

  constructor(name: string) {
    this.#channel = channel(name);
  }

  get name(): string {
    return String(this.#channel.name);
  }

  /** Makes and tells a message when somebody listens. What a listener throws is an uncaught exception of the process, never an error here. */
  publish(message: () => Message): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(message());
  }

  /** Listens until the function given back is called. Listeners are called at once and synchronously: be quick. */
  subscribe(listener: (message: Message) => void): () => void {
    const heard = (message: unknown): void => listener(message as Message);
    this.#channel.subscribe(heard);
    return () => {
      this.#channel.unsubscribe(heard);
    };
  }
}

/**
 * Everything that the engine tells of its work while it happens, for tracing and for watching: per batch, commit, delivery and failure,
 * never per record. `commit` and `delivery` are tracing channels, with start, end and error of each, so that a subscriber can
 * build spans and bind a context; the others tell of something that has just happened. Nothing is made while nobody listens.
 *
 * Names and messages are part of the public interface; `node:diagnostics_channel` can be used with the names, too.
 */
export const tracing = {
  /** `voltstream:task.claimed` */
  taskClaimed: new TraceChannel<TaskClaimed>('voltstream:task.claimed'),
  /** `voltstream:task.dropped` */
  taskDropped: new TraceChannel<TaskDropped>('voltstream:task.dropped'),
  /** `voltstream:task.stopped` */
  taskStopped: new TraceChannel<TaskStopped>('voltstream:task.stopped'),
  /** `voltstream:batch.processed` */
  batchProcessed: new TraceChannel<BatchProcessed>('voltstream:batch.processed'),
  /** `tracing:voltstream:commit:start`, `:asyncEnd`, `:error` */
  commit: tracingChannel<CommitTrace>('voltstream:commit'),
  /** `tracing:voltstream:delivery:start`, `:asyncEnd`, `:error` */
  delivery: tracingChannel<DeliveryTrace>('voltstream:delivery'),
  /** `voltstream:dead-letter` */
  deadLetter: new TraceChannel<DeadLetterTold>('voltstream:dead-letter'),
  /** `voltstream:retry` */
  retry: new TraceChannel<RetryTold>('voltstream:retry'),
} as const;

/** Runs `work` under a tracing channel; for nothing when nobody listens. */
export function traced<Context extends object>(
  on: TracingChannel<Context>, context: () => Context, work: () => Promise<void>,
): Promise<void> {
  return on.hasSubscribers ? on.tracePromise(work, context()) : work();
}
