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

/**
 * The districts of one worker, side by side through time. They take turns with one encoder, as in each slice one comes after the other: a thousand
 * districts need no thousand buffers.
 */
export class DistrictGroup {
  readonly #options: GroupOptions;
  readonly #runs: readonly DistrictRun[];
  readonly #encoder: SegmentEncoder;
  readonly #ledger: LedgerEncoder | null;
  #slice = 0;

  /** `built` is told how many districts there are already, one by one. */
  constructor(options: GroupOptions, built: (districts: number) => void = () => undefined) {
    this.#options = options;
    const { profile, seed, startMs, slices, form, worker, workers } = options;
    this.#encoder = form.kind === 'json-lines' ? new JsonLinesEncoder() : new RecordEncoder(form.ids);
    this.#ledger = options.ledger ? new LedgerEncoder() : null;
    const runs: DistrictRun[] = [];
    for (let number = worker; number < districtCount(profile); number += workers) {
      runs.push(new DistrictRun(profile, seed, number, startMs, this.#encoder, this.#ledger ?? noLedger, startMs + slices * SLICE_MS));
      built(runs.length);
    }
    this.#runs = runs;
  }

  /** The next slices: for each the districts of this group, in order. With the last one everything ends. */
  advance(count: number): readonly (readonly DistrictSlice[])[] {
    const { startMs, slices } = this.#options;
    const done: (readonly DistrictSlice[])[] = [];
    for (let at = 0; at < count && this.#slice < slices; at += 1) {
      this.#slice += 1;
      const untilMs = startMs + this.#slice * SLICE_MS;
      done.push(this.#runs.map((run) => {
        run.run(untilMs);
        if (this.#slice === slices) run.finish(untilMs);
        return { segment: this.#encoder.take(), ledger: this.#ledger?.take() ?? null };
      }));
    }
    return done;
  }

  get figures(): DistrictFigures {
    const total = { messages: 0, sessions: 0, arrivals: 0, turnedAway: 0 };
    for (const run of this.#runs) {
      const { messages, sessions, arrivals, turnedAway } = run.figures;
      total.messages += messages;
      total.sessions += sessions;
      total.arrivals += arrivals;
      total.turnedAway += turnedAway;
    }
    return total;
  }
}
