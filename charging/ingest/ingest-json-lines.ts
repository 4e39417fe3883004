import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { VoltstreamError } from '../../errors.ts';
import type { LogProducer } from '../engine.ts';
import { parseChargingEvent } from '../../schemas/charging-event-json.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';
import { EventAppender } from './event-appender.ts';
import { quarantined } from './quarantine.ts';
import type { RawLine } from './raw-lines.ts';
import { rawLines } from './raw-lines.ts';

export interface JsonLinesIngest {
  /** A path, or `-` for standard input. */
  readonly file: string;
  readonly input?: AsyncIterable<Uint8Array>;
  readonly producer: LogProducer;
  readonly registry: SchemaRegistry;
  readonly nowMs: () => number;
  readonly signal?: AbortSignal;
  /** The log cannot take anything at the moment (a full disk, say); it is tried again. */
  readonly retrying?: (error: VoltstreamError) => void;
  readonly onProgress?: (progress: { readonly lines: number; readonly bytes: number; readonly bytesTotal: number | null }) => void;
}

export interface JsonLinesOutcome {
  readonly lines: number;
  readonly events: number;
  readonly quarantined: number;
  /** Bytes that an earlier run had taken; a file that has not changed is skipped whole. */
  readonly skippedBytes: number;
}

interface Mark {
  readonly bytes: number;
  readonly lines: number;
  /** SHA-256 of the bytes that were taken: a file that begins otherwise is another file. */
  readonly prefix: string;
  /** Size of the file at that time: while it is the same there is nothing new. */
  readonly size: number;
}

/**
 * Takes events as JSON lines. Lines that are no events are quarantined with file, line, reason and bytes; the rest goes on. A
 * file is remembered by path and by the content of what was taken: the same file again adds nothing, a grown file adds what is
 * new, another content under the same name is read from its beginning.
 */
export async function ingestJsonLines(options: JsonLinesIngest): Promise<JsonLinesOutcome> {
  const fromStandardInput = options.file === '-';
  const name = fromStandardInput ? 'standard-input' : basename(options.file);
  const writer = fromStandardInput ? `json-lines.${process.pid}.${options.nowMs()}` : `json-lines.${resolve(options.file)}`;
  const appender = await EventAppender.open(options.producer, options.registry, writer);
  const bytesTotal = fromStandardInput ? null : (await stat(options.file)).size;
  const mark = fromStandardInput ? null : await usableMark(options.file, await appender.mark(), bytesTotal ?? 0);
  const hash = createHash('sha256');
  if (mark !== null) await hashPrefix(options.file, mark.bytes, (chunk) => hash.update(chunk));
  let { bytes, lines } = mark ?? { bytes: 0, lines: 0 };
  let events = 0;
  let refused = 0;
  const position = (size: number): string => JSON.stringify({ bytes, lines, prefix: hash.copy().digest('hex'), size } satisfies Mark);
  if (mark !== null && mark.size === bytesTotal) return { lines: 0, events: 0, quarantined: 0, skippedBytes: mark.size };
  const input = options.input ?? createReadStream(options.file, { start: bytes });
  for await (const line of rawLines(input)) {
    const problem = take(line, appender);
    // The end of a file that is still being written: set aside now, and read again as a whole when the file has grown.
    const unfinished = !line.ended && problem !== 'event';
    lines++;
    if (!unfinished) {
      bytes += line.consumed.length;
      hash.update(line.consumed);
    }
    if (problem === 'event') events++;
    if (problem !== 'event' && problem !== 'empty') {
      refused++;
      appender.addQuarantined(quarantined(name, lines, problem.field, problem.reason, line.content), options.nowMs());
    }
    if (unfinished) lines--;
    if (!appender.full) continue;
    options.signal?.throwIfAborted();
    await appender.flush(position(-1), options);
    options.onProgress?.({ lines, bytes, bytesTotal });
  }
  await appender.flush(position(bytesTotal ?? -1), options);
  options.onProgress?.({ lines, bytes, bytesTotal });
  return { lines: events + refused, events, quarantined: refused, skippedBytes: mark?.bytes ?? 0 };
}

function take(line: RawLine, appender: EventAppender): 'event' | 'empty' | { readonly field: string; readonly reason: string } {
  if (line.tooLong) return { field: '', reason: `a line is at most ${line.bytesMax} bytes, this one has more` };
  const text = line.text;
  if (text === null) return { field: '', reason: 'the line is not UTF-8' };
  if (text.trim() === '') return 'empty';
  const parsed = parseChargingEvent(text);
  if (parsed.kind === 'malformed') {
    const { field, wanted, got } = parsed.problem;
    return { field: field === '(line)' ? '' : field, reason: `wanted ${wanted}, got ${got}` };
  }
  appender.addEvent(parsed.event);
  return 'event';
}

async function usableMark(file: string, text: string | null, size: number): Promise<Mark | null> {
  if (text === null) return null;
  const mark = JSON.parse(text) as Mark;
  if (mark.bytes > size) return null;
  const hash = createHash('sha256');
  await hashPrefix(file, mark.bytes, (chunk) => hash.update(chunk));
  return hash.digest('hex') === mark.prefix ? mark : null;
}

async function hashPrefix(file: string, bytes: number, take: (chunk: Buffer) => void): Promise<void> {
  if (bytes === 0) return;
  for await (const chunk of createReadStream(file, { end: bytes - 1 })) take(chunk as Buffer);
}
