import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { VoltstreamError } from '../../errors.ts';
import type { Log, LogProducer } from '../engine.ts';
import type { SchemaRegistry } from '../../schemas/codec.ts';
import { expandSessionLog } from '../session-log/expand.ts';
import type { QuarantinedRow, SessionLogMapping, SessionLogRow } from '../session-log/mapping.ts';
import { readSessionLogs } from '../session-log/read-session-log.ts';
import { stationsOf } from '../session-log/stations.ts';
import { batchRefused, findingsAbove, findingsOf } from './data-quality.ts';
import type { QualityFinding } from './data-quality.ts';
import { EventAppender } from './event-appender.ts';
import { quarantined } from './quarantine.ts';
import { countRows } from './row-counts.ts';
import type { RowCounts } from './row-counts.ts';
import { limitsFrom } from '../stitching/stitch-stores.ts';
import { planOf } from './session-log-plan.ts';
import type { CorrectionLimits, LateRows, SessionLogPlan } from './session-log-plan.ts';
import { endOf, Taken } from './taken-rows.ts';
import type { TakenRows } from './taken-rows.ts';

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
  /** Where it is looked up which rows were taken before. Without it only whole files are remembered. */
  readonly log?: Pick<Log, 'bounds' | 'read' | 'partitionCount'>;
  /** How long sessions take corrections where they will be processed; the defaults when left out. Only for what is said of late rows. */
  readonly limits?: CorrectionLimits;
  /** A batch is refused when a greater share of its rows fails any one check, unless the check names its own; 0 to 1. Left out: none is. */
  readonly failAbove?: number | undefined;
  /** Only says what would be taken, and how good it is: nothing is appended, no batch refused. */
  readonly checkOnly?: boolean;
  /** Records of one append, about; 5,000 when left out. */
  readonly appendRecordsMax?: number;
  readonly nowMs: () => number;
  readonly signal?: AbortSignal;
  /** The log cannot take anything at the moment (a full disk, say); it is tried again. */
  readonly retrying?: (error: VoltstreamError) => void;
  readonly onProgress?: (progress: IngestProgress) => void;
}

export interface SessionLogOutcome extends RowCounts {
  /** Rows that were read and not quarantined. */
  readonly rows: number;
  readonly quarantined: number;
  /** Rows that were not known before, rows that said something else before, and rows that are as they were. */
  readonly added: number;
  readonly corrected: number;
  readonly unchanged: number;
  /** Of those that are new or corrected. */
  readonly late: LateRows;
  /** How the new and corrected rows did in each check. */
  readonly findings: readonly QualityFinding[];
  /** Events that these rows became, those of an interrupted run included. */
  readonly events: number;
  /** Records that an earlier, interrupted run had appended already. */
  readonly skipped: number;
}

/**
 * Expands the new and the corrected rows of a session log and appends their events. Rows are known by identity and content, not by
 * file: the same file again adds nothing, under another name neither; of a grown file (at its end or at its beginning) the new
 * rows are taken; a row that says something else than before is sent again as its next revision. Rows that are gone are not undone.
 *
 * What is appended is a fixed sequence (what is taken, stations, quarantined rows, events by time, that it is done), and the mark is a number
 * of records of it, so that a killed run goes on where it was. When the files have changed meanwhile, the interrupted sequence is given up:
 * a row of which something was sent, and that says something else now, is a corrected one; what comes twice is dropped by its event ids.
 *
 * Throws BATCH_REFUSED before anything is appended when more of the new and corrected rows fail a check than may.
 */
export async function ingestSessionLog(options: SessionLogIngest): Promise<SessionLogOutcome> {
  const { mapping, log } = options;
  const appender = await EventAppender.open(options.producer, options.registry, `session-log.${mapping.name}`, options.appendRecordsMax);
  const mark = markOf(await appender.mark());
  const files = await Promise.all(options.files.map(digestOf));
  if (mark.done && files.every((file) => mark.files.includes(file)) && mark.call === callOf(files)) {
    const { rows, quarantined: aside } = mark.outcome;
    return { ...mark.outcome, added: 0, corrected: 0, unchanged: rows + aside, late: nothing.late, events: 0, skipped: mark.position };
  }
  const { rows, refused } = await readRows(options);
  const past = log === undefined ? new Taken() : await Taken.read(log, mapping.name);
  const { plan, givenUp } = planFrom(rows, refused, past, mark, options);
  const { added, corrected, unchanged, late } = plan;
  const findings = findingsOf(plan.rows, plan.refused, mapping, plan.digest, options.nowMs());
  const counted = { ...countRows(rows), rows: rows.length, quarantined: refused.length, added, corrected, unchanged, late, findings };
  if (options.checkOnly === true) return { ...counted, events: 0, skipped: 0 };
  const above = findingsAbove(findings, mapping, options.failAbove ?? null);
  if (above.length > 0) throw batchRefused(above, mapping.name);
  const skipped = !mark.done && mark.plan === plan.digest ? mark.position : 0;
  const markAt: MarkAt = (position, done, events, untilMs) => {
    const known = done ? [...new Set([...mark.files, ...files])].slice(-filesRemembered) : mark.files;
    const outcome = { ...counted, findings: [], events, skipped };
    return JSON.stringify({ plan: plan.digest, position, done, untilMs, files: known, call: callOf(files), outcome } satisfies Mark);
  };
  // Nothing to say: the mark stays, too (Kafka takes none without a record).
  if (plan.rows.length === 0 && plan.refused.length === 0 && mark.done) return { ...counted, events: 0, skipped: 0 };
  if (givenUp !== null) appender.addTaken(givenUp, options.nowMs());
  const events = await append(options, appender, plan, past, findings, skipped, markAt);
  return { ...counted, events, skipped };
}

/** What is to be done, and what is to be said of an interrupted ingestion that nobody can finish: its files are others by now. */
function planFrom(
  rows: readonly SessionLogRow[], refused: readonly QuarantinedRow[], past: Taken, mark: Mark, { mapping, limits = limitsFrom({}) }: SessionLogIngest,
): { readonly plan: SessionLogPlan; readonly givenUp: TakenRows | null } {
  const plan = planOf(rows, refused, past, mapping, limits);
  const givenUp = mark.done || mark.plan === plan.digest ? null : past.giveUp(mapping.name, mark.plan, mark.untilMs);
  return { plan: givenUp === null ? plan : planOf(rows, refused, past, mapping, limits), givenUp };
}

type MarkAt = (position: number, done: boolean, events: number, untilMs: number | null) => string;

async function append(
  options: SessionLogIngest, appender: EventAppender, plan: SessionLogPlan, past: Taken, findings: readonly QualityFinding[], skipped: number,
  markAt: MarkAt,
): Promise<number> {
  const left = new SessionsLeft(plan.rows);
  let position = 0;
  let events = 0;
  /** `untilMs`: events before this time are sent, those from it on are not; null: none is. */
  const flush = async (done: boolean, untilMs: number | null): Promise<void> => {
    options.signal?.throwIfAborted();
    await appender.flush(markAt(position, done, events, untilMs), options);
    options.onProgress?.({ appended: appender.appended, skipped, toCome: done ? 0 : left.eventsAfter(untilMs ?? 0, events), done });
    // A whole turn of the event loop, so that whoever shares it with us gets a share.
    await new Promise((resolve) => setImmediate(resolve));
  };
  /** Whether the next record of the sequence is new: not taken by an earlier run. */
  const isNew = (): boolean => ++position > skipped;
  const remembers = options.log !== undefined;
  for (const part of remembers ? plan.taken : []) {
    if (isNew()) appender.addTaken(part, options.nowMs());
    if (appender.full) await flush(false, null);
  }
  for (const place of stationsOf(plan.rows, options.mapping, past.stations)) if (isNew()) appender.addStation(place);
  for (const row of plan.refused) {
    if (isNew()) appender.addQuarantined(quarantined(row.file, row.line, row.column, row.reason, Buffer.from(row.raw)), options.nowMs());
    if (appender.full) await flush(false, null);
  }
  for (const finding of findings) if (isNew()) appender.addFinding(finding);
  let lastMs = -Infinity;
  for (const event of expandSessionLog(plan.rows, options.mapping, plan.editionOf, plan.heardOf)) {
    // Between two times, so that the mark can tell by a row's first time whether it was begun.
    if (appender.full && (event.timestampMs > lastMs || appender.overfull)) await flush(false, Math.max(event.timestampMs, lastMs + 1));
    lastMs = event.timestampMs;
    events++;
    if (isNew()) appender.addEvent(event);
  }
  if (remembers && isNew()) appender.addTaken(endOf(options.mapping.name, plan.digest, null), options.nowMs());
  await flush(true, null);
  return events;
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

/** Contents of files that are known without being read again; what is older is found row by row. A mark must stay small. */
const filesRemembered = 40;

interface Mark {
  readonly plan: string;
  readonly position: number;
  readonly done: boolean;
  /** Before this time events were sent, from it on none; null: none was. */
  readonly untilMs: number | null;
  /** Digests of files that were taken whole. */
  readonly files: readonly string[];
  /** The files of the last call. */
  readonly call: string;
  readonly outcome: SessionLogOutcome;
}

const nothing: SessionLogOutcome = {
  rows: 0, quarantined: 0, added: 0, corrected: 0, unchanged: 0, late: { corrected: 0, added: 0, examples: [] }, findings: [], events: 0, skipped: 0, flagged: 0,
  concerns: {}, ambiguous: 0, skippedTimes: 0,
};

function markOf(text: string | null): Mark {
  const none: Mark = { plan: '', position: 0, done: true, untilMs: null, files: [], call: '', outcome: nothing };
  return text === null ? none : { ...none, ...JSON.parse(text) as Partial<Mark> };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('base64').slice(0, 20);
}

function callOf(files: readonly string[]): string {
  return createHash('sha256').update(files.join('\n')).digest('base64').slice(0, 20);
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
