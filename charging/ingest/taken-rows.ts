import { createHash } from 'node:crypto';
import { json } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { Log } from '../engine.ts';
import type { RowEdition } from '../session-log/expand.ts';
import type { SessionLogRow } from '../session-log/mapping.ts';
import { contentOf } from '../session-log/read-session-log.ts';
import type { KnownStation } from '../session-log/stations.ts';

/** What was taken from session logs, row by row: written behind the rows' events, read by the next ingestion of the same source. */
export const takenTopic = 'charging.taken';

/** Rows of one record: its size stays far below what a log takes. */
export const takenRowsMax = 5_000;

/** A part of what one ingestion has taken. */
export interface TakenRows {
  /** Name of the mapping. */
  readonly source: string;
  /** Which ingestion wrote it: what an unfinished one has written does not count yet. */
  readonly plan: string;
  /** Hash of the row's identity, hash of its content, revision, number of the next transaction event. */
  readonly rows: readonly (readonly [identity: string, content: string, revision: number, nextSeqNo: number])[];
  /** Hashes of rows that were quarantined. */
  readonly refused: readonly string[];
  readonly stations: readonly (readonly [stationId: string, known: KnownStation])[];
}

export const takenRows: Codec<TakenRows> = json<TakenRows>('taken-rows.v1');

export interface TakenRow extends RowEdition {
  readonly content: string;
}

/** All that was taken of a source so far. Rows are known by hashes of 72 bits: a million rows meet by chance once in 10 billion. */
export class Taken {
  /** Edition and content of the latest edition; `firstSeqNo` is where the next one goes on. */
  readonly rows = new Map<string, TakenRow>();
  readonly refused = new Set<string>();
  readonly stations = new Map<string, KnownStation>();

  /** Reads what finished ingestions have left; `unfinished` names the plan of one that was interrupted. */
  static async read(log: Pick<Log, 'bounds' | 'read' | 'partitionCount'>, source: string, unfinished: string | null): Promise<Taken> {
    const taken = new Taken();
    if (await log.partitionCount(takenTopic) === null) return taken;
    const place = { topic: takenTopic, partition: 0 };
    const { start, end } = await log.bounds(place);
    if (start === end) return taken;
    for await (const batch of log.read(place, start, end)) {
      for (const { value } of batch.records) {
        if (value === null) continue;
        const part = takenRows.decode(value);
        if (part.source === source && part.plan !== unfinished) taken.add(part);
      }
    }
    return taken;
  }

  add(part: TakenRows): void {
    for (const [identity, content, revision, nextSeqNo] of part.rows) this.rows.set(identity, { content, revision, firstSeqNo: nextSeqNo });
    for (const hash of part.refused) this.refused.add(hash);
    for (const [stationId, known] of part.stations) this.stations.set(stationId, known);
  }
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 12);
}

export function contentHash(row: SessionLogRow): string {
  return hashOf(contentOf(row));
}
