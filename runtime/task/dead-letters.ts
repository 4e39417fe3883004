import { InvariantViolation, VoltstreamError } from '../../errors.ts';
import type { RecordOrigin, StreamRecord } from '../../operators/operator.ts';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import type { LogRecord } from '../log/log.ts';

/**
 * Turns what cannot be decoded, processed or delivered into a record of the dead letter sink, with its bytes as they came.
 * An assertion of our own is never made a dead letter: it stops the task before it commits.
 */
export class DeadLetters {
  readonly #sink: string | null;
  readonly #encode: (sink: string, record: StreamRecord<string, DeadLetter>) => void;
  #lastTopic = '';
  #lastOffset = -1;
  #index = 0;
  count = 0;

  constructor(sink: string | null, encode: (sink: string, record: StreamRecord<string, DeadLetter>) => void) {
    this.#sink = sink;
    this.#encode = encode;
  }

  /** False when the error must stop the task instead. */
  take(stage: DeadLetter['stage'], step: string, error: unknown, origin: RecordOrigin, raw: LogRecord): boolean {
    if (this.#sink === null || error instanceof InvariantViolation) return false;
    const sameRecord = origin.topic === this.#lastTopic && origin.offset === this.#lastOffset;
    this.#index = sameRecord ? this.#index + 1 : 0;
    this.#lastTopic = origin.topic;
    this.#lastOffset = origin.offset;
    const letter: DeadLetter = {
      stage,
      step,
      reason: error instanceof VoltstreamError ? error.code : stage === 'deserialise' ? 'DESERIALISATION_FAILED' : 'PROCESSING_FAILED',
      message: error instanceof Error ? error.message : String(error),
      topic: origin.topic,
      partition: origin.partition,
      offset: origin.offset,
      index: this.#index,
      timestampMs: raw.timestampMs,
      key: raw.key,
      value: raw.value,
      headers: raw.headers ?? [],
    };
    this.#encode(this.#sink, { key: `${letter.topic}-${letter.partition}-${letter.offset}`, value: letter, timestampMs: raw.timestampMs });
    this.count++;
    return true;
  }
}
