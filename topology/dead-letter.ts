import { bytes } from '../schemas/builtin-codecs.ts';
import type { Form } from '../schemas/codec.ts';
import type { ErrorStage } from './error-policy.ts';
import type { LogSink, RecordHeader } from './sink.ts';

/**
 * A record that could not be decoded, processed or delivered, with the reason and its bytes as they came.
 *
 * What fails between two records (a punctuator, a tick of idle sources, a step behind one of them), or is a record that a step had
 * kept and let go later, has no bytes: `form` is then `json`, `topic` is empty, `offset` -1, and `partition` the task's.
 */
export interface DeadLetter {
  readonly stage: ErrorStage;
  /** Source, step, sink or archive that refused it. */
  readonly step: string;
  /** Code of the error catalogue. */
  readonly reason: string;
  /** Class of the error, as its name says: `TypeError`, `VoltstreamError`. */
  readonly exception: string;
  readonly message: string;
  /** Where it was thrown, as far as the engine, then the same of its causes; at most 8,000 characters. */
  readonly stacktrace: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /**
   * Counts the dead letters of one input record, from 0: a record that became several may fail several times. Where `form` is `json`,
   * a number that no other letter of the task has.
   */
  readonly index: number;
  /** Time of the record, or of the tick. */
  readonly timestampMs: number;
  /**
   * `bytes`: key and value as they came. `json`: the key and value that the step was given as JSON text, with 64-bit integers as
   * text, bytes in base64, maps and sets as lists; null where there was none, or no record at all.
   */
  readonly form: 'bytes' | 'json';
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** Kafka Streams' names (KIP-1034), in its order. Values are text in UTF-8, numbers too. */
const streamsHeaders = {
  '__streams.errors.exception': (letter) => letter.exception,
  '__streams.errors.message': (letter) => letter.message,
  '__streams.errors.stacktrace': (letter) => letter.stacktrace,
  '__streams.errors.topic': (letter) => letter.topic,
  '__streams.errors.partition': (letter) => String(letter.partition),
  '__streams.errors.offset': (letter) => String(letter.offset),
} as const satisfies Record<string, (letter: DeadLetter) => string>;

const ownHeaders = {
  '__voltstream.errors.stage': (letter) => letter.stage,
  '__voltstream.errors.step': (letter) => letter.step,
  '__voltstream.errors.code': (letter) => letter.reason,
  '__voltstream.errors.index': (letter) => String(letter.index),
} as const satisfies Record<string, (letter: DeadLetter) => string>;

/** Only where key and value are not what came. */
const formHeader = '__voltstream.errors.form';

const encoder = new TextEncoder();

/** The record's own headers, then Kafka Streams' `__streams.errors.*`, then what only voltstream knows. */
export function deadLetterHeaders(letter: DeadLetter): readonly RecordHeader[] {
  const told = Object.entries({ ...streamsHeaders, ...ownHeaders }).map(([key, textOf]) => ({ key, value: encoder.encode(textOf(letter)) }));
  if (letter.form === 'json') told.push({ key: formHeader, value: encoder.encode(letter.form) });
  return [...letter.headers, ...told];
}

/**
 * A topic of dead letters as Kafka Streams writes them (KIP-1034): key, value and time of the record as they came, its own headers, and
 * `__streams.errors.exception`, `.message`, `.stacktrace`, `.topic`, `.partition` and `.offset` as text; then
 * `__voltstream.errors.stage`, `.step`, `.code` and `.index`, and `.form` where key and value are JSON text (`DeadLetter.form`). A record that has been a dead letter before has them twice: the
 * last ones count. Exactly once, as every topic sink. The sink's name is the topic's, unless another is given.
 *
 * @example
 * topology.deadLetters(deadLetterTopic('orders.dead-letters'));
 */
export function deadLetterTopic(topic: string, name: string = topic): LogSink<string, DeadLetter> {
  return {
    kind: 'log', name, topic,
    // Only for whoever reads the topic: what is written are the bytes as they came.
    key: bytes as unknown as Form<string>, value: bytes as unknown as Form<DeadLetter>,
    headers: deadLetterHeaders,
    bytesOf: ({ key, value }) => ({ key, value }),
  };
}
