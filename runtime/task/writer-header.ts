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

/** Where the highest ordinal of a writer is kept. */
export function writerFact(topic: string, mark: WriterMark): string {
  return `writer/${topic}/${mark.task}`;
}

/** A writer's highest ordinal that was taken, as a fact of the task that took it. */
export function takenMark({ run, ordinal }: WriterMark): string {
  return `${run}:${ordinal}`;
}

/** True when the mark is at or below the one that was taken. */
export function isTaken(taken: string | undefined, mark: WriterMark): boolean {
  if (taken === undefined) return false;
  const cut = taken.indexOf(':');
  const run = Number(taken.slice(0, cut));
  return mark.run < run || (mark.run === run && mark.ordinal <= Number(taken.slice(cut + 1)));
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
