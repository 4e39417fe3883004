import type { VoltstreamError } from '../../errors.ts';
import type { LogProducer } from '../engine.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';
import { expandSessionLog } from '../session-log/expand.ts';
import type { QuarantinedRow, SessionLogMapping, SessionLogRow } from '../session-log/mapping.ts';
import { readSessionLogs } from '../session-log/read-session-log.ts';
import { stationsOf } from '../session-log/stations.ts';
import { EventAppender } from './event-appender.ts';
import { quarantined } from './quarantine.ts';

export interface IngestProgress {
  readonly appended: number;
  readonly skipped: number;
  /** Records that are still to be appended, by the sessions' starts that are left; exact at the end. */
  readonly toCome: number;
  readonly done: boolean;
}

export interface SessionLogIngest {
  readonly files: readonly string[];
  readonly mapping: SessionLogMapping;
  readonly producer: LogProducer;
  readonly registry: SchemaRegistry;
  readonly nowMs: () => number;
  readonly signal?: AbortSignal;
  /** The log cannot take anything at the moment (a full disk, say); it is tried again. */
  readonly retrying?: (error: VoltstreamError) => void;
  readonly onProgress?: (progress: IngestProgress) => void;
}

export interface SessionLogOutcome {
  readonly rows: number;
  readonly quarantined: number;
  readonly events: number;
  /** Records that an earlier, interrupted run had appended already. */
  readonly skipped: number;
}

/**
 * Expands a session log and appends its events. What is appended is a fixed sequence (stations, quarantined rows, events by
 * time), and the mark is a number of records of it, so that a killed run goes on where it was and a finished one adds nothing.
 */
export async function ingestSessionLog(options: SessionLogIngest): Promise<SessionLogOutcome> {
  const appender = await EventAppender.open(options.producer, options.registry, `session-log.${options.mapping.name}`);
  const taken = markOf(await appender.mark());
  if (taken.done) return { rows: taken.rows, quarantined: taken.quarantined, events: 0, skipped: taken.position };
  const { rows, refused } = await readRows(options);
  const left = new SessionsLeft(rows);
  let position = 0;
  let events = 0;
  const flush = async (done: boolean, timestampMs: number): Promise<void> => {
    options.signal?.throwIfAborted();
    await appender.flush(JSON.stringify({ position, done, rows: rows.length, quarantined: refused.length } satisfies Mark), options);
    options.onProgress?.({ appended: appender.appended, skipped: taken.position, toCome: done ? 0 : left.eventsAfter(timestampMs, events), done });
    // A whole turn of the event loop, so that whoever shares it with us gets a share.
    await new Promise((resolve) => setImmediate(resolve));
  };
  /** Whether the next record of the sequence is new: not taken by an earlier run. */
  const isNew = (): boolean => ++position > taken.position;
  for (const place of stationsOf(rows, options.mapping)) if (isNew()) appender.addStation(place);
  for (const row of refused) {
    if (isNew()) appender.addQuarantined(quarantined(row.file, row.line, row.column, row.reason, Buffer.from(row.raw)), options.nowMs());
  }
  for (const event of expandSessionLog(rows, options.mapping)) {
    events++;
    if (!isNew()) continue;
    appender.addEvent(event);
    if (appender.full) await flush(false, event.timestampMs);
  }
  await flush(true, Number.POSITIVE_INFINITY);
  return { rows: rows.length, quarantined: refused.length, events, skipped: taken.position };
}

/** Guesses what is still to come from the sessions that have not begun yet: exact numbers would cost a second expansion. */
class SessionsLeft {
  readonly #starts: readonly number[];
  #begun = 0;

  constructor(rows: readonly SessionLogRow[]) {
    this.#starts = rows.map((row) => row.startMs ?? 0).sort((a, b) => a - b);
  }

  eventsAfter(timestampMs: number, events: number): number {
    while (this.#begun < this.#starts.length && (this.#starts[this.#begun] as number) <= timestampMs) this.#begun++;
    return Math.round((this.#starts.length - this.#begun) * events / Math.max(1, this.#begun));
  }
}

interface Mark {
  readonly position: number;
  readonly done: boolean;
  readonly rows: number;
  readonly quarantined: number;
}

function markOf(text: string | null): Mark {
  return text === null ? { position: 0, done: false, rows: 0, quarantined: 0 } : JSON.parse(text) as Mark;
}

async function readRows(options: SessionLogIngest): Promise<{ readonly rows: readonly SessionLogRow[]; readonly refused: readonly QuarantinedRow[] }> {
  const rows: SessionLogRow[] = [];
  const refused: QuarantinedRow[] = [];
  for await (const row of readSessionLogs(options.files, options.mapping)) {
    if (row.kind === 'row') rows.push(row);
    else refused.push(row);
    if ((rows.length & 0x3ff) === 0) options.signal?.throwIfAborted();
  }
  return { rows, refused };
}
