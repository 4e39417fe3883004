import { createHash } from 'node:crypto';
import { json } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { Log } from '../engine.ts';
import type { RowEdition } from '../session-log/expand.ts';
import type { SessionLogRow } from '../session-log/mapping.ts';
import { contentOf } from '../session-log/read-session-log.ts';
import type { KnownStation } from '../session-log/stations.ts';

/** What was taken from session logs, row by row: written before and behind the rows' events, read by the next ingestion of the same source. */
export const takenTopic = 'charging.taken';

/** Rows of one record: its size stays far below what a log takes. */
export const takenRowsMax = 5_000;

/**
 * A part of what one ingestion takes. Parts come before the events, so that it is known of an interrupted ingestion what it may
 * have sent; a last one (`ends`) says that it is over.
 */
export interface TakenRows {
  /** Name of the mapping. */
  readonly source: string;
  readonly plan: string;
  readonly rows: readonly TakenRowTuple[];
  /** Hashes of rows that were quarantined. */
  readonly refused: readonly string[];
  readonly stations: readonly (readonly [stationId: string, known: KnownStation])[];
  /** Null: the ingestion is under way. Else up to which event time (not included) it was sent; null there: all of it. */
  readonly ends: { readonly untilMs: number | null } | null;
}

type TakenRowTuple = readonly [
  identity: string, content: string, revision: number, edition: number, firstMs: number, lastMs: number, stopped: 0 | 1,
];

export const takenRows: Codec<TakenRows> = json<TakenRows>('taken-rows.v2');

/** The latest edition of a row. */
export interface TakenRow extends RowEdition {
  readonly content: string;
  /** First and last time that the row names. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** It names a stop. */
  readonly stopped: boolean;
  /** It was sent by an ingestion that was given up: some of its events may be missing. */
  readonly partly: boolean;
}

/** All that was taken of a source so far. Rows are known by hashes of 72 bits: a million rows meet by chance once in 10 billion. */
export class Taken {
  readonly rows = new Map<string, TakenRow>();
  readonly refused = new Set<string>();
  readonly stations = new Map<string, KnownStation>();
  readonly #underWay = new Map<string, TakenRows[]>();

  /** Reads what ended ingestions have left; of one that has not ended nothing counts until it is given up. */
  static async read(log: Pick<Log, 'bounds' | 'read' | 'partitionCount'>, source: string): Promise<Taken> {
    const taken = new Taken();
    if (await log.partitionCount(takenTopic) === null) return taken;
    const place = { topic: takenTopic, partition: 0 };
    const { start, end } = await log.bounds(place);
    if (start === end) return taken;
    for await (const batch of log.read(place, start, end)) {
      for (const { value } of batch.records) {
        if (value === null) continue;
        const part = takenRows.decode(value);
        if (part.source === source) taken.#read(part);
      }
    }
    return taken;
  }

  /**
   * Takes an ingestion that was interrupted, and that nobody will finish, for over: of rows that begin before `untilMs` something was sent.
   * Gives what the log is to be told of it; null when nothing is known of it.
   */
  giveUp(source: string, plan: string, untilMs: number | null): TakenRows | null {
    if (!this.#underWay.has(plan)) return null;
    const end = endOf(source, plan, untilMs ?? 0);
    this.#read(end);
    return end;
  }

  #read(part: TakenRows): void {
    if (part.ends === null) {
      const parts = this.#underWay.get(part.plan);
      if (parts === undefined) this.#underWay.set(part.plan, [part]);
      else parts.push(part);
      return;
    }
    const { untilMs } = part.ends;
    for (const own of this.#underWay.get(part.plan) ?? []) this.#add(own, untilMs);
    this.#underWay.delete(part.plan);
  }

  #add(part: TakenRows, untilMs: number | null): void {
    if (untilMs === 0) return;
    for (const [identity, content, revision, edition, firstMs, lastMs, stopped] of part.rows) {
      if (untilMs !== null && firstMs >= untilMs) continue;
      this.rows.set(identity, { content, revision, edition, firstMs, lastMs, stopped: stopped === 1, partly: untilMs !== null });
    }
    for (const hash of part.refused) this.refused.add(hash);
    for (const [stationId, known] of part.stations) this.stations.set(stationId, known);
  }
}

export function tupleOf(identity: string, row: Omit<TakenRow, 'partly'>): TakenRowTuple {
  return [identity, row.content, row.revision, row.edition, row.firstMs, row.lastMs, row.stopped ? 1 : 0];
}

export function endOf(source: string, plan: string, untilMs: number | null): TakenRows {
  return { source, plan, rows: [], refused: [], stations: [], ends: { untilMs } };
}

/** A row of another station is another one, whatever its id: sessions belong to their stations. */
export function identityOf(row: SessionLogRow): string {
  return hashOf(`${row.stationId}\0${row.rowId}`);
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 12);
}

export function contentHash(row: SessionLogRow): string {
  return hashOf(contentOf(row));
}
