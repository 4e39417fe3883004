/** Results of a long measurement, kept in a file as they are made: it can be ended at any moment and gone on with later. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

interface Kept<S, R> {
  readonly settings: S;
  readonly results: readonly R[];
}

export class KeptResults<S, R> {
  readonly file: string;
  readonly settings: S;
  readonly #results: R[];

  /** Begins anew; what the file held before is kept beside it as `.previous`. */
  static begin<S, R>(file: string, settings: S): KeptResults<S, R> {
    mkdirSync(dirname(file), { recursive: true });
    if (existsSync(file)) renameSync(file, `${file}.previous`);
    return new KeptResults<S, R>(file, settings, []);
  }

  /** Goes on with what the file holds. `settingsOf` gives the settings to go on with, or refuses where the results would not belong together. */
  static resume<S, R>(file: string, settingsOf: (kept: S) => S, refuse: (why: string) => never): KeptResults<S, R> {
    if (!existsSync(file)) refuse(`error: there is nothing to go on with: no file ${file}`);
    const { settings, results } = keptIn<S, R>(file, refuse);
    return new KeptResults<S, R>(file, settingsOf(settings), [...results]);
  }

  private constructor(file: string, settings: S, results: R[]) {
    this.file = file;
    this.settings = settings;
    this.#results = results;
    this.#write();
  }

  get results(): readonly R[] {
    return this.#results;
  }

  add(result: R): void {
    this.#results.push(result);
    this.#write();
  }

  /** In one step: a kill leaves the file as it was before, or as it is now. */
  #write(): void {
    writeFileSync(`${this.file}.new`, `${JSON.stringify({ settings: this.settings, results: this.#results } satisfies Kept<S, R>, null, 1)}\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}

function keptIn<S, R>(file: string, refuse: (why: string) => never): Kept<S, R> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Kept<S, R>;
  } catch (error) {
    return refuse(`error: ${file} does not hold what was measured before: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Tells when a measurement has to stop, and how much is left; a run is as long as the same one was before, else as all were. */
export class Budget {
  readonly #endMs: number;
  readonly #now: () => number;

  constructor(minutes: number | null, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#endMs = minutes === null ? Number.POSITIVE_INFINITY : now() + minutes * 60_000;
  }

  allows(seconds: number): boolean {
    return this.#now() + seconds * 1_000 <= this.#endMs;
  }
}

export interface Timed {
  readonly seconds: number;
}

/** How long a run will take, s: the mean of those alike, else of all; 0 when nothing is known. */
export function expectedSeconds<R extends Timed>(results: readonly R[], isAlike: (result: R) => boolean): number {
  const alike = results.filter(isAlike);
  const known = alike.length > 0 ? alike : results;
  return known.length === 0 ? 0 : known.reduce((sum, { seconds }) => sum + seconds, 0) / known.length;
}

export function minutesText(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}
