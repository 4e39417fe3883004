import { json } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { RecordOrigin } from '../engine.ts';
import type { DeadLetterTableRow } from '../tables.ts';
import { deadLetterBytesMax } from '../tables.ts';

/** Where input goes that never became an event: one record a line, read by the topology into the dead letter table. */
export const quarantineTopic = 'charging.quarantine';

/** A line of a file that is not an event. The raw text is kept as base64 of its bytes: it may be no text at all. */
export interface QuarantinedLine {
  readonly file: string;
  readonly line: number;
  /** Column or field; empty when the line as a whole cannot be read. */
  readonly field: string;
  readonly reason: string;
  readonly rawBase64: string;
  readonly rawBytes: number;
}

export const quarantinedLine: Codec<QuarantinedLine> = json<QuarantinedLine>();

export function quarantined(file: string, line: number, field: string, reason: string, raw: Uint8Array): QuarantinedLine {
  const kept = raw.subarray(0, deadLetterBytesMax);
  return { file, line, field, reason, rawBase64: Buffer.from(kept).toString('base64'), rawBytes: raw.length };
}

/**
 * The line in the dead letter table, under its position in the quarantine topic: file names and line numbers come again (standard
 * input, a file of the same name elsewhere), and a row would then replace another one. `key` and `error` say file and line.
 */
export function quarantineRow(line: QuarantinedLine, key: string, timestampMs: number, origin: RecordOrigin): DeadLetterTableRow {
  return {
    topic: origin.topic, partition: origin.partition, offset: origin.offset, step: 'ingest', number: 0, stage: 'deserialise', reason: 'LINE_UNREADABLE',
    error: `${line.file}:${line.line}: ${line.field === '' ? '' : `${line.field}: `}${line.reason}`, record_time: timestampMs, key,
    value: Buffer.from(line.rawBase64, 'base64'), value_bytes: line.rawBytes, header_keys: [], header_values: [],
  };
}
