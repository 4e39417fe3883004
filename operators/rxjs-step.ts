import { Subject, Subscriber, type OperatorFunction } from 'rxjs';
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
        let source = new Subject<StreamRecord<K, V>>();
        let outcome = new Outcome<StreamRecord<K2, V2>>();
        const connect = (): void => {
          source = new Subject();
          outcome = new Outcome();
          source.pipe(operatorFunction).subscribe(outcome);
        };
        connect();
        return (record) => {
          outcome.under = true;
          source.next(record);
          outcome.under = false;
          const { records, failure } = outcome;
          outcome.records = [];
          if (failure !== null) {
            connect();
            context.failed(failure.error, record);
          } else if (outcome.completed) {
            context.failed(misuse(context.step, 'a raw RxJS operator has completed', 'one that goes on for ever'), record);
          }
          // Outside of the operator's own calls: it would take an error of a step further down for its own.
          for (const output of records) {
            if (output.key as unknown === record.key) down.next(output);
            else context.failed(misuse(context.step, 'a raw RxJS operator has changed the key', 'map or selectKey'), record);
          }
        };
      }),
  };
}

/** Collects what the operator does while a record is under way. */
class Outcome<R> extends Subscriber<R> {
  records: R[] = [];
  failure: { readonly error: unknown } | null = null;
  completed = false;
  under = false;

  override next(record: R): void {
    if (this.under) this.records.push(record);
    else this.failure ??= { error: misuse('rxjs', 'a raw RxJS operator gave a record later than its cause', 'a synchronous operator') };
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
