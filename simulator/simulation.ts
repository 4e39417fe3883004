import { Worker } from 'node:worker_threads';
import type { DistrictSlice, GroupOptions, OutputForm } from './district-group.ts';
import { DistrictGroup, SLICE_MS } from './district-group.ts';
import type { DistrictFigures } from './network/district-run.ts';
import { districtCount } from './network/network.ts';
import type { Profile } from './profile.ts';

export interface SimulationOptions {
  readonly profile: Profile;
  readonly seed: string;
  /** Default: when the profile says. */
  readonly startMs?: number;
  /** Simulated time, in days; default: the profile's. */
  readonly days?: number;
  readonly form: OutputForm;
  readonly ledger: boolean;
  /** Threads beside this one; 0: in this one. The bytes are the same for any number. */
  readonly workers: number;
  /** Slices that a worker makes at a time, for a thread that has other work and looks here seldom. The bytes are the same. */
  readonly slicesAtOnce?: number;
  /** Is told while the network is built how many of its districts are; a large one takes some seconds. */
  readonly built?: (districts: number, of: number) => void;
}

/** A simulated minute, ready to be written: first the stations, then the events, district by district. */
export interface Slice {
  readonly number: number;
  /** The end of it. */
  readonly timeMs: number;
  readonly districts: readonly DistrictSlice[];
  /** Of all that has been simulated so far; workers may be somewhat ahead. */
  readonly figures: DistrictFigures;
}

/** What a worker says while it builds its part. */
export interface WorkerBuilt {
  readonly built: number;
}

export interface WorkerReply {
  readonly slices: readonly (readonly DistrictSlice[])[];
  readonly figures: DistrictFigures;
}

/** Slices that a worker makes at a time: enough that messages between threads cost nothing, few enough, of large networks, that memory stays small. */
const SLICES_AT_ONCE_MAX = 15;
const DISTRICT_SLICES_AT_ONCE = 1_000;

/** How many slices a simulation has. */
export function sliceCount({ profile, days }: Pick<SimulationOptions, 'profile' | 'days'>): number {
  return Math.max(1, Math.ceil(((days ?? profile.days) * 86_400_000) / SLICE_MS));
}

/** Simulates, slice by slice, as fast as they are taken. Ends when all slices are done, or when nobody asks any more. */
export async function* simulate(options: SimulationOptions): AsyncGenerator<Slice> {
  const { profile } = options;
  const startMs = options.startMs ?? Date.parse(profile.startsAt);
  const slices = sliceCount(options);
  const districts = districtCount(profile);
  const { slicesAtOnce = Math.max(1, Math.min(SLICES_AT_ONCE_MAX, Math.floor(DISTRICT_SLICES_AT_ONCE / districts))) } = options;
  const workers = Math.min(options.workers, districts);
  const group = (worker: number): GroupOptions => ({
    profile, seed: options.seed, startMs, slices, form: options.form, ledger: options.ledger, worker, workers: Math.max(1, workers),
  });
  const ready = Array.from({ length: Math.max(1, workers) }, () => 0);
  const built = (worker: number, count: number): void => {
    ready[worker] = count;
    options.built?.(ready.reduce((sum, one) => sum + one, 0), districts);
  };
  const makers: Maker[] = ready.map((_, worker) => (workers === 0 ? new LocalMaker(group(0), (count) => built(0, count)) : new ThreadMaker(group(worker), (count) => built(worker, count))));
  try {
    for (const maker of makers) maker.ask(slicesAtOnce);
    for (let from = 0; from < slices; from += slicesAtOnce) {
      const replies = await Promise.all(makers.map((maker) => maker.answer()));
      // While these are written, the next are made.
      if (from + slicesAtOnce < slices) for (const maker of makers) maker.ask(slicesAtOnce);
      const figures = replies.map((reply) => reply.figures).reduce(added);
      const count = replies[0]?.slices.length ?? 0;
      for (let at = 0; at < count; at += 1) {
        yield { number: from + at, timeMs: startMs + (from + at + 1) * SLICE_MS, districts: inOrder(replies, at), figures };
      }
    }
  } finally {
    await Promise.all(makers.map((maker) => maker.close()));
  }
}

/** District n is the n-th modulo the workers of its worker. */
function inOrder(replies: readonly WorkerReply[], slice: number): readonly DistrictSlice[] {
  const ordered: DistrictSlice[] = [];
  for (let at = 0; ; at += 1) {
    for (const reply of replies) {
      const one = reply.slices[slice]?.[at];
      if (one === undefined) return ordered;
      ordered.push(one);
    }
  }
}

function added(left: DistrictFigures, right: DistrictFigures): DistrictFigures {
  return {
    messages: left.messages + right.messages, sessions: left.sessions + right.sessions, arrivals: left.arrivals + right.arrivals,
    turnedAway: left.turnedAway + right.turnedAway,
  };
}

interface Maker {
  ask(slices: number): void;
  answer(): Promise<WorkerReply>;
  close(): Promise<void>;
}

class LocalMaker implements Maker {
  readonly #group: DistrictGroup;
  #asked = 0;

  constructor(options: GroupOptions, built: (count: number) => void) {
    this.#group = new DistrictGroup(options, built);
  }

  ask(slices: number): void {
    this.#asked = slices;
  }

  async answer(): Promise<WorkerReply> {
    const slices = this.#group.advance(this.#asked);
    return { slices, figures: this.#group.figures };
  }

  async close(): Promise<void> {
    this.#asked = 0;
  }
}

class ThreadMaker implements Maker {
  readonly #worker: Worker;
  #answer = Promise.withResolvers<WorkerReply>();
  #failure: unknown = null;

  constructor(options: GroupOptions, built: (count: number) => void) {
    this.#worker = new Worker(new URL('./simulation-worker.ts', import.meta.url), { workerData: options });
    this.#worker.on('message', (message: WorkerBuilt | WorkerReply) => {
      if ('built' in message) built(message.built);
      else this.#answer.resolve(message);
    });
    this.#worker.on('error', (error) => {
      this.#failure = error;
      this.#answer.reject(error);
    });
  }

  ask(slices: number): void {
    this.#answer = Promise.withResolvers();
    // Whoever awaits the answer hears of it.
    this.#answer.promise.catch(() => undefined);
    if (this.#failure !== null) this.#answer.reject(this.#failure);
    this.#worker.postMessage(slices);
  }

  async answer(): Promise<WorkerReply> {
    return this.#answer.promise;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
