import { Observable, Subscriber, type Observer, type OperatorFunction } from 'rxjs';
import type { StepContext, StreamRecord } from './operator.ts';

/**
 * How steps become RxJS operators without its usual cost: one Subscriber class for all steps, so that the calls from step to
 * step stay monomorphic, and no SafeSubscriber between them. Nothing catches around `down.next`: what fails further down is
 * handled further down, and what the task throws in `context.failed` reaches the task.
 */
class StepSubscriber<I> extends Subscriber<I> {
  readonly #process: (record: I) => void;

  constructor(down: Subscriber<never> | Observer<unknown> | undefined, process: (record: I) => void) {
    super(down);
    this.#process = process;
  }

  override next(record: I): void {
    if (!this.closed) this.#process(record);
  }
}

/**
 * The end of a pipeline that calls `process` for each record and lets its errors through to whoever pushed the record; a plain
 * function given to `subscribe` would have them reported on a later tick instead. `failed` is told when the observable itself
 * ends with an error, which no step of ours does; left out, that error is thrown.
 */
export function recordSubscriber<I>(process: (record: I) => void, failed?: (error: unknown) => void): Subscriber<I> {
  return new StepSubscriber(failed === undefined ? undefined : { next() {}, error: failed, complete() {} }, process);
}

/** An OperatorFunction from a function that is called once per subscription and gives what to do with each record. */
export function recordStep<I, O>(start: (down: Subscriber<O>) => (record: I) => void): OperatorFunction<I, O> {
  return (source) => new Observable<O>((down) => source.subscribe(new StepSubscriber<I>(down as Subscriber<never>, start(down))));
}

export type Emit<R> = (record: R) => void;

/**
 * Turns `(record, emit) => void` into an OperatorFunction. An error of the handler goes to `context.failed` with the record, be
 * it a user function's, a store's or a broken invariant (which the runtime answers by stopping the task); what was emitted and
 * put before it stays. An error that comes back through `emit` or a guarded output belongs to a step further down and is
 * thrown on as it is, even when the handler swallows it.
 */
export function handlerStep<I extends StreamRecord<unknown, unknown>, O>(
  context: StepContext,
  start: (emit: Emit<O>, guard: <R>(output: Emit<R>) => Emit<R>) => (record: I) => void,
): OperatorFunction<I, O> {
  return recordStep<I, O>((down) => {
    let failedDownstream = false;
    let downstreamError: unknown;
    const guard = <R>(output: Emit<R>): Emit<R> => (record) => {
      try {
        output(record);
      } catch (error) {
        if (!failedDownstream) downstreamError = error;
        failedDownstream = true;
        throw error;
      }
    };
    const handle = start(guard((record: O) => down.next(record)), guard);
    return (record) => {
      failedDownstream = false;
      try {
        handle(record);
      } catch (error) {
        if (!failedDownstream) {
          context.failed(error, record);
          return;
        }
      }
      if (failedDownstream) throw downstreamError;
    };
  });
}

/** What a step without name, state or outputs of its own has in common with all such steps. */
export const stateless = { name: null, stores: [], reads: [], ports: [], changesKey: false, detail: '' } as const;
