import { inspect } from 'node:util';
import type { StreamRecord } from '../../operators/operator.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import type { ErrorStage } from '../../topology/error-policy.ts';
import type { LogRecord } from '../log/log.ts';
import type { RecordFailure } from './error-policy.ts';
import { failureCode, messageOf } from './error-policy.ts';

const STACKTRACE_LENGTH_MAX = 8_000;
const CAUSES_MAX = 5;

/** Turns records that failed into dead letters, with their bytes as they came. One for each task: it numbers the letters of a record. */
export class DeadLetters {
  #lastTopic = '';
  #lastOffset = -1;
  #index = 0;
  readonly #counts = new Map<string, number>();

  /** All letters since the task was made. */
  get count(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Letters of a stage at a source, step or sink since the task was made. */
  countOf(stage: ErrorStage, step: string): number {
    return this.#counts.get(`${stage}\n${step}`) ?? 0;
  }

  of(failure: RecordFailure, raw: LogRecord): DeadLetter {
    const { topic, partition, offset } = failure.origin;
    const sameRecord = topic === this.#lastTopic && offset === this.#lastOffset;
    this.#index = sameRecord ? this.#index + 1 : 0;
    this.#lastTopic = topic;
    this.#lastOffset = offset;
    const { timestampMs, key, value } = raw;
    return { ...this.#told(failure), topic, partition, offset, index: this.#index, timestampMs, form: 'bytes', key, value, headers: raw.headers ?? [] };
  }

  /**
   * A letter without bytes: of a record that lay in a step, or came out of one between two input records, or of no record when the
   * step's function itself has failed. `number` is one that no other letter of the task has.
   */
  ofStep(failure: RecordFailure, partition: number, number: number, record: StreamRecord<unknown, unknown> | null): DeadLetter {
    const timestampMs = record === null ? failure.origin.timestampMs : record.timestampMs;
    const key = record === null ? null : jsonBytes(record.key);
    const value = record === null ? null : jsonBytes(record.value);
    return { ...this.#told(failure), topic: '', partition, offset: -1, index: number, timestampMs, form: 'json', key, value, headers: [] };
  }

  #told({ stage, step, error }: RecordFailure): Pick<DeadLetter, 'stage' | 'step' | 'reason' | 'exception' | 'message' | 'stacktrace'> {
    this.#counts.set(`${stage}\n${step}`, this.countOf(stage, step) + 1);
    return {
      stage,
      step,
      reason: failureCode({ stage, error }),
      exception: error instanceof Error ? error.name : typeof error,
      message: messageOf(error),
      stacktrace: stacktraceOf(error),
    };
  }
}

/** JSON text of any value; what JSON cannot say (a circle) as it is shown in Node. */
function jsonBytes(value: unknown): Uint8Array | null {
  if (value === null || value === undefined) return null;
  let text: string | undefined;
  try {
    text = JSON.stringify(value, tellable);
  } catch (refusal) {
    text = `${inspect(value)} (${messageOf(refusal)})`;
  }
  return Buffer.from(text ?? inspect(value));
}

function tellable(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  // Before its toJSON: a Buffer's is a list of numbers.
  const own = this[name];
  if (own instanceof Uint8Array) return Buffer.from(own.buffer, own.byteOffset, own.byteLength).toString('base64');
  if (typeof value === 'bigint') return String(value);
  return value instanceof Map || value instanceof Set ? [...value] : value;
}

/** A letter under the position of its record, or of its tick: what a sink keys it by. */
export function letterRecord(letter: DeadLetter): { readonly key: string; readonly value: DeadLetter; readonly timestampMs: number } {
  return { key: `${letter.topic}-${letter.partition}-${letter.offset}`, value: letter, timestampMs: letter.timestampMs };
}

/** Frames of the engine, from here on outwards: they tell nothing, and differ with the way in which a record came to be processed. */
const engineFrame = /^\s+at .*[/\\]runtime[/\\](?:task[/\\](?:task-core|pipeline)|archive[/\\]archive-task)\.[jt]s:/;

function stacktraceOf(error: unknown): string {
  const parts: string[] = [];
  for (let one = error; one !== undefined && one !== null && parts.length < CAUSES_MAX; one = one instanceof Error ? one.cause : undefined) {
    const lines = (one instanceof Error ? one.stack ?? String(one) : String(one)).split('\n');
    const end = lines.findIndex((line) => engineFrame.test(line));
    parts.push(lines.slice(0, end < 0 ? undefined : end).join('\n'));
  }
  return parts.join('\nCaused by: ').slice(0, STACKTRACE_LENGTH_MAX);
}
