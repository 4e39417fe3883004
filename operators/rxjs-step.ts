import { Observable, Subscriber, type OperatorFunction } from 'rxjs';
import { VoltstreamError } from '../errors.ts';
import type { Operator, StreamRecord } from './operator.ts';
import { recordStep, stateless } from './record-step.ts';

/**
 * A raw RxJS operator as a step. It must be synchronous and stateless: what it remembers is not part of the task's state and
 * would be gone after a restart, and what it gives later than the record that caused it would miss that record's commit.
 *
 * When it errors, the error goes to the step's error policy with the record under way, and the operator is subscribed to anew.
 * A record given later than its cause, or an operator that has completed (`take`), is an error for the records that follow. The
 * key must stay the same: `map` and `selectKey` change keys in a way that the topology sees.
 *
 * In a pipe an RxJS operator may also stand as it is. Types are inferred up to it, and from it to another one; but a step of
 * ours behind it infers nothing: TypeScript types a generic call that gives a function (each RxJS operator) only after all
 * other arguments, so that the step behind it comes first and its functions' parameters are `unknown` for good. No type of
 * `pipe` can change that. `rxjsStep` gives no function, so within it all is inferred in order.
 *
 * @example
 * readings.pipe(
 *   filter((reading) => reading.wh > 0),
 *   rxjsStep(rxjsMap((record) => ({ ...record, value: record.value.wh * 2 }))),
 *   mapValues((doubled) => doubled.toFixed(1)),
 * )
 */
export function rxjsStep<K, V, K2, V2>(
  operatorFunction: OperatorFunction<StreamRecord<K, V>, StreamRecord<K2, V2>>,
): Operator<K, V, K2, V2> {
  return {
    ...stateless,
    kind: 'rxjs',
    build: (context) =>
      recordStep((down) => {
        let source = new Inlet<StreamRecord<K, V>>();
        let outcome = new Outcome<StreamRecord<K2, V2>>();
        const connect = (): void => {
          source = new Inlet();
          outcome = new Outcome();
          source.observable.pipe(operatorFunction).subscribe(outcome);
        };
        connect();
        const emit = (output: StreamRecord<K2, V2>, key: unknown, record: StreamRecord<K, V>): void => {
          if (output.key === key) down.next(output);
          else context.failed(misuse(context.step, 'a raw RxJS operator has changed the key', 'map or selectKey'), record);
        };
        return (record) => {
          outcome.under = true;
          source.next(record);
          outcome.under = false;
          const { given, first, more, failure } = outcome;
          if (given > 0) outcome.clear();
          if (failure !== null) {
            connect();
            context.failed(failure.error, record);
          } else if (outcome.completed) {
            context.failed(misuse(context.step, 'a raw RxJS operator has completed', 'one that goes on for ever'), record);
          }
          // Outside of the operator's own calls: it would take an error of a step further down for its own.
          if (given > 0) emit(first as StreamRecord<K2, V2>, record.key, record);
          for (let at = 0; at < more.length; at += 1) emit(more[at] as StreamRecord<K2, V2>, record.key, record);
        };
      }),
  };
}

/** Hands each record to whoever is subscribed, as a Subject does, without what that allocates for each of them. */
class Inlet<R> {
  #subscribers: readonly Subscriber<R>[] = [];
  readonly observable = new Observable<R>((subscriber) => {
    this.#subscribers = [...this.#subscribers, subscriber];
    return () => {
      this.#subscribers = this.#subscribers.filter((other) => other !== subscriber);
    };
  });

  next(record: R): void {
    const subscribers = this.#subscribers;
    for (let at = 0; at < subscribers.length; at += 1) (subscribers[at] as Subscriber<R>).next(record);
  }
}

const none: readonly never[] = [];

/** Collects what the operator does while a record is under way: mostly it gives one record, or none. */
class Outcome<R> extends Subscriber<R> {
  given = 0;
  first: R | undefined = undefined;
  more: readonly R[] = none;
  failure: { readonly error: unknown } | null = null;
  completed = false;
  under = false;

  override next(record: R): void {
    if (this.under) {
      this.given += 1;
      if (this.given === 1) this.first = record;
      else if (this.given === 2) this.more = [record];
      else (this.more as R[]).push(record);
    } else this.failure ??= { error: misuse('rxjs', 'a raw RxJS operator gave a record later than its cause', 'a synchronous operator') };
  }

  clear(): void {
    this.given = 0;
    this.first = undefined;
    this.more = none;
  }

  override error(error: unknown): void {
    this.failure ??= { error };
  }

  override complete(): void {
    this.completed = true;
  }
}

function misuse(where: string, what: string, wanted: string): VoltstreamError {
  return new VoltstreamError('PROCESSING_FAILED', what, { where, wanted });
}
