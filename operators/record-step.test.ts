import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { assertInvariant, InvariantViolation } from '../errors.ts';
import type { Operator, StreamRecord } from './operator.ts';
import { handlerStep, recordStep, recordSubscriber, stateless } from './record-step.ts';
import { OperatorHarness } from './testing/harness.ts';

type R = StreamRecord<string, number>;
const at = (value: number): R => ({ key: 'a', value, timestampMs: 0 });

function handler(handle: (record: R, emit: (record: R) => void) => void): Operator<string, number, string, number> {
  return { ...stateless, kind: 'test', build: (context) => handlerStep(context, (emit) => (record: R) => handle(record, emit)) };
}

describe('a step from a handler', () => {
  it('hands an error of the handler to the policy, and keeps what was emitted before', () => {
    const error = new Error('no');
    const running = new OperatorHarness(handler((record, emit) => {
      emit(record);
      throw error;
    }));
    running.push(at(1));
    expect(running.take()).toEqual([at(1)]);
    expect(running.failures).toEqual([{ error, record: at(1) }]);
  });

  it('hands a broken invariant over as it is', () => {
    const running = new OperatorHarness(handler(() => assertInvariant(false, 'sums add up')));
    running.push(at(1));
    expect(running.failures[0]?.error).toBeInstanceOf(InvariantViolation);
  });

  it('lets an error from further down through to whoever pushed, even when the handler swallows it', () => {
    const error = new Error('task stops');
    const running = new OperatorHarness(handler((record, emit) => {
      try {
        emit(record);
      } catch {
        emit(at(2));
      }
    }), undefined, () => { throw error; });
    expect(() => running.push(at(1))).toThrow(error);
    expect(running.failures).toEqual([]);
    expect(() => running.push(at(1))).toThrow(error);
  });
});

describe('a pipeline of steps', () => {
  it('lets errors at its end through to whoever pushed, at once', () => {
    const source = new Subject<R>();
    source.pipe(recordStep<R, R>((down) => (record) => down.next(record))).subscribe(recordSubscriber(() => { throw new Error('full'); }));
    expect(() => source.next(at(1))).toThrow('full');
    expect(() => source.next(at(1))).toThrow('full');
  });

  it('tells its end of an observable that fails, or throws where nobody is told', () => {
    const failures: unknown[] = [];
    const source = new Subject<R>();
    source.subscribe(recordSubscriber(() => {}, (error) => failures.push(error)));
    source.error('broken');
    expect(failures).toEqual(['broken']);
    const untold = new Subject<R>();
    untold.subscribe(recordSubscriber(() => {}));
    expect(() => untold.error(new Error('broken'))).toThrow('broken');
  });

  it('ends when it is unsubscribed', () => {
    const source = new Subject<R>();
    const taken: R[] = [];
    const subscription = source.pipe(recordStep<R, R>((down) => (record) => down.next(record))).subscribe(recordSubscriber((record: R) => void taken.push(record)));
    source.next(at(1));
    subscription.unsubscribe();
    source.next(at(2));
    expect(taken).toEqual([at(1)]);
    expect(source.observed).toBe(false);
  });
});
