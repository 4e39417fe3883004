import { assertInvariant } from '../../errors.ts';
import type { LogHeader, LogRecord } from '../log/log.ts';
import { bytesText, textBytes } from './cell-bytes.ts';

/** Header of a repartition record: who wrote it, in which run, as which of its outputs. */
const HEADER = 'voltstream.writer';

export interface WriterMark {
  readonly run: number;
  readonly task: string;
  readonly ordinal: number;
}

export function writerHeader(mark: WriterMark): LogHeader {
  return { key: HEADER, value: textBytes(`${mark.run}/${mark.ordinal}/${mark.task}`) };
}

/** The mark of a record, or null when it has none (a record that somebody else put into the topic). */
export function writerMarkOf(record: LogRecord): WriterMark | null {
  const header = record.headers?.find((candidate) => candidate.key === HEADER);
  if (header === undefined) return null;
  const text = bytesText(header.value);
  const first = text.indexOf('/');
  const second = text.indexOf('/', first + 1);
  assertInvariant(first > 0 && second > first, `a writer header has the form run/ordinal/task, not ${text}`);
  return { run: Number(text.slice(0, first)), ordinal: Number(text.slice(first + 1, second)), task: text.slice(second + 1) };
}
