// Made from avro/dead-letter.v1.avsc by `npm run types`. Change that file, not this one.

import type { RegisteredForm } from '../codec.ts';

export const deadLetterStageSymbols = ['deserialise', 'process', 'deliver'] as const;
export type DeadLetterStage = (typeof deadLetterStageSymbols)[number];

/** A record that could not be processed, with its bytes and the reason. Identity: topic, partition, offset and index. */
export interface DeadLetter {
  /** Where the record was read. */
  readonly topic: string;
  /** Where the record was read. */
  readonly partition: number;
  /** Where the record was read. */
  readonly offset: number;
  /** Counts several dead letters of one record, from 0. */
  readonly index: number;
  /** Timestamp of the record in the log. */
  readonly timestampMs: number;
  /** The record's key as it came. */
  readonly key: Buffer | null;
  /** The record's value as it came, cut at a named limit. */
  readonly value: Buffer | null;
  /** Length of the whole value. */
  readonly valueBytes: number;
  /** Where it failed. */
  readonly stage: DeadLetterStage;
  /** Name of the step, source or sink. */
  readonly step: string;
  /** Error code of the catalogue, e.g. DESERIALISATION_FAILED. */
  readonly code: string;
  /** What was wrong: field, wanted, got. */
  readonly reason: string;
}

/** Form of `voltstream.DeadLetter`, version 1. */
export const deadLetter: RegisteredForm<DeadLetter> = {
  kind: 'registered',
  name: 'voltstream.DeadLetter',
  schema: {
    type: 'record',
    name: 'DeadLetter',
    namespace: 'voltstream',
    fields: [
      { name: 'topic', type: 'string' },
      { name: 'partition', type: 'int' },
      { name: 'offset', type: 'long' },
      { name: 'index', type: 'int', default: 0 },
      { name: 'timestampMs', type: 'long' },
      { name: 'key', type: ['null', 'bytes'], default: null },
      { name: 'value', type: ['null', 'bytes'], default: null },
      { name: 'valueBytes', type: 'long', default: 0 },
      { name: 'stage', type: { type: 'enum', name: 'DeadLetterStage', symbols: ['deserialise', 'process', 'deliver'] } },
      { name: 'step', type: 'string', default: '' },
      { name: 'code', type: 'string' },
      { name: 'reason', type: 'string' },
    ],
  },
};
