import type { LedgerSegment } from './ledger/ledger-encoder.ts';
import { LedgerEncoder, noLedger } from './ledger/ledger-encoder.ts';
import { JsonLinesEncoder } from './messages/json-lines-encoder.ts';
import type { SchemaIds } from './messages/record-encoder.ts';
import { RecordEncoder } from './messages/record-encoder.ts';
import type { Segment, SegmentEncoder } from './messages/segment.ts';
import type { DistrictFigures } from './network/district-run.ts';
import { DistrictRun } from './network/district-run.ts';
import { districtCount } from './network/network.ts';
import type { Profile } from './profile.ts';

/** Simulated time that is written as one: what this disorders lies within it, and between stations. */
export const SLICE_MS = 60_000;

export type OutputForm = { readonly kind: 'json-lines' } | { readonly kind: 'records'; readonly ids: SchemaIds };

export interface GroupOptions {
  readonly profile: Profile;
  readonly seed: string;
  readonly startMs: number;
  /** After this many slices all sessions end. */
  readonly slices: number;
  readonly form: OutputForm;
  readonly ledger: boolean;
  /** This worker's place among all: it has every n-th district. */
  readonly worker: number;
  readonly workers: number;
}

/** What one district did in one slice. */
export interface DistrictSlice {
  readonly segment: Segment;
  readonly ledger: LedgerSegment | null;
}

interface Member {
  readonly run: DistrictRun;
  readonly encoder: SegmentEncoder;
  readonly ledger: LedgerEncoder | null;
}

/** The districts of one worker, side by side through time. */
export class DistrictGroup {
  readonly #options: GroupOptions;
  readonly #members: readonly Member[];
  #slice = 0;

  constructor(options: GroupOptions) {
    this.#options = options;
    const { profile, seed, startMs, form, worker, workers } = options;
    const members: Member[] = [];
    for (let number = worker; number < districtCount(profile); number += workers) {
      const encoder = form.kind === 'json-lines' ? new JsonLinesEncoder() : new RecordEncoder(form.ids);
      const ledger = options.ledger ? new LedgerEncoder() : null;
      members.push({ run: new DistrictRun(profile, seed, number, startMs, encoder, ledger ?? noLedger), encoder, ledger });
    }
    this.#members = members;
  }

  /** The next slices: for each the districts of this group, in order. With the last one everything ends. */
  advance(count: number): readonly (readonly DistrictSlice[])[] {
    const { startMs, slices } = this.#options;
    const done: (readonly DistrictSlice[])[] = [];
    for (let at = 0; at < count && this.#slice < slices; at += 1) {
      this.#slice += 1;
      const untilMs = startMs + this.#slice * SLICE_MS;
      done.push(this.#members.map(({ run, encoder, ledger }) => {
        run.run(untilMs);
        if (this.#slice === slices) run.finish(untilMs);
        return { segment: encoder.take(), ledger: ledger?.take() ?? null };
      }));
    }
    return done;
  }

  get figures(): DistrictFigures {
    const total = { messages: 0, sessions: 0, arrivals: 0, turnedAway: 0 };
    for (const { run } of this.#members) {
      const { messages, sessions, arrivals, turnedAway } = run.figures;
      total.messages += messages;
      total.sessions += sessions;
      total.arrivals += arrivals;
      total.turnedAway += turnedAway;
    }
    return total;
  }
}
