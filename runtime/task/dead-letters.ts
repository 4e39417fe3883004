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

  of({ stage, step, error, origin: { topic, partition, offset } }: RecordFailure, raw: LogRecord): DeadLetter {
    const sameRecord = topic === this.#lastTopic && offset === this.#lastOffset;
    this.#index = sameRecord ? this.#index + 1 : 0;
    this.#lastTopic = topic;
    this.#lastOffset = offset;
    this.#counts.set(`${stage}\n${step}`, this.countOf(stage, step) + 1);
    return {
      stage,
      step,
      reason: failureCode({ stage, error }),
      exception: error instanceof Error ? error.name : typeof error,
      message: messageOf(error),
      stacktrace: stacktraceOf(error),
      topic,
      partition,
      offset,
      index: this.#index,
      timestampMs: raw.timestampMs,
      key: raw.key,
      value: raw.value,
      headers: raw.headers ?? [],
    };
  }
}

/** A letter under the position of its record: what a sink keys it by. */
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
