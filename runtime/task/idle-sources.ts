import type { SourceNode, SubTopology } from '../../topology/graph.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { TaskFacts } from './task-facts.ts';
import type { Run, Runner, Tick } from './task-timers.ts';

/** Without an answer of the log for so long, the time since the last one says nothing about the source. */
const unansweredMs = 2_000;

interface WatchedSource {
  readonly source: SourceNode;
  readonly queue: PartitionQueue;
  readonly idleAfterMs: number;
  /** How far its time stays behind: what a repartition's writers still have to send needs time to arrive. */
  readonly behindMs: number;
  /** Highest event time of its records; -1 before the first. */
  highestMs: number;
  /** From where its time goes on while it is idle: `highestMs`, or after a restart the time at which it stood. */
  baseMs: number;
  /** Wall-clock time since when nothing has come. */
  sinceMs: number;
  position: number;
  /** Its time while it is idle, null while it is not. */
  timeMs: number | null;
}

interface Listener extends Tick {
  readonly sources: readonly WatchedSource[];
  toldMs: number;
}

/**
 * Which sources of a task are idle, and which steps have to know.
 *
 * A source with `idleAfterMs` is idle when the log answers, its end is reached, and nothing has come for so long. Its time then
 * is its highest event time plus the wall-clock time since its last record; behind a repartition less `idleAfterMs`, which is
 * left to what is on its way. The steps behind it are told, in topological order, when all streams in front of them are idle:
 * the lowest of their times, those without any record left out. A stream without `idleAfterMs` may always bring a record, and
 * holds the steps behind it back; tables do not count. While the log does not answer, and while the task does not run, time
 * stands still. A source that is idle moves nothing but the time of steps: that alone is no reason to commit.
 */
export class IdleSources {
  readonly #part: SubTopology;
  readonly #listeners: Listener[] = [];
  #watched: readonly (WatchedSource | null)[] = [];
  #started = false;
  #answeredMs = 0;
  #unanswered = false;
  /** False when there is nothing to watch, so that records cost nothing. */
  active = false;
  readonly #waiting: { readonly step: string; readonly run: Run }[] = [];

  constructor(part: SubTopology) {
    this.#part = part;
  }

  listen(step: string, run: Run): void {
    this.#waiting.push({ step, run });
  }

  /** Called once all steps are built; `queues` are those of the part's sources, in their order. */
  watch(queues: readonly PartitionQueue[]): void {
    const { sources } = this.#part;
    const watched = sources.map((source, index) => watchedSource(source, queues[index] as PartitionQueue));
    for (const { step, run } of this.#waiting) {
      const names = streamsInFrontOf(this.#part, step);
      const inFront = sources.flatMap((source, index) => (names.has(source.name) ? [watched[index] ?? null] : []));
      const all = inFront.filter((one) => one !== null);
      if (all.length > 0 && all.length === inFront.length) this.#listeners.push({ name: `idle/${step}`, step, run, sources: all, toldMs: -1 });
    }
    this.#watched = watched;
    this.active = this.#listeners.length > 0;
  }

  /** A record of the source at `index` has been processed. */
  processed(index: number, timestampMs: number): void {
    const source = this.#watched[index];
    if (source !== null && source !== undefined && timestampMs > source.highestMs) source.highestMs = timestampMs;
  }

  restore(facts: TaskFacts): void {
    for (const source of this.#watched) {
      if (source === null) continue;
      source.highestMs = facts.getNumber(`source-time/${source.source.topic}`) ?? -1;
      source.baseMs = Math.max(source.highestMs, facts.getNumber(`idle-time/${source.source.topic}`) ?? -1);
    }
  }

  record(facts: TaskFacts): void {
    if (!this.active) return;
    for (const source of this.#watched) {
      if (source === null || source.highestMs < 0) continue;
      facts.set(`source-time/${source.source.topic}`, String(source.highestMs));
      facts.set(`idle-time/${source.source.topic}`, String(source.timeMs ?? source.baseMs));
    }
  }

  tick(nowMs: number, polled: boolean, runner: Runner): void {
    if (!this.active) return;
    this.#start(nowMs);
    for (const source of this.#watched) if (source !== null) look(source, nowMs);
    if (!polled) {
      this.#unanswered ||= nowMs - this.#answeredMs > unansweredMs;
      return;
    }
    if (this.#unanswered) this.#leaveOut(nowMs - this.#answeredMs);
    this.#unanswered = false;
    this.#answeredMs = nowMs;
    for (const source of this.#watched) if (source !== null) source.timeMs = idleTime(source, nowMs);
    for (const listener of this.#listeners) {
      const timeMs = lowestTime(listener.sources);
      if (timeMs <= listener.toldMs) continue;
      listener.toldMs = timeMs;
      if (!runner(listener, timeMs)) return;
    }
  }

  /** Time counts from the first tick of a claim on: nobody knows what the source did before. */
  #start(nowMs: number): void {
    if (this.#started) return;
    this.#started = true;
    this.#answeredMs = nowMs;
    for (const source of this.#watched) {
      if (source === null) continue;
      source.sinceMs = nowMs;
      source.position = source.queue.position;
      // Records of this very turn are newer than what the state says.
      if (source.highestMs > source.baseMs) source.baseMs = source.highestMs;
    }
  }

  #leaveOut(unheardMs: number): void {
    for (const source of this.#watched) if (source !== null) source.sinceMs += unheardMs;
  }
}

function watchedSource(source: SourceNode, queue: PartitionQueue): WatchedSource | null {
  const { idleAfterMs, role } = source;
  if (idleAfterMs === undefined || role === 'table') return null;
  const behindMs = role === 'repartition' ? idleAfterMs : 0;
  return { source, queue, idleAfterMs, behindMs, highestMs: -1, baseMs: -1, sinceMs: 0, position: -1, timeMs: null };
}

/** Sees whether something came since the last look, or is still to be processed. */
function look(source: WatchedSource, nowMs: number): void {
  const { queue } = source;
  if (queue.position === source.position && queue.atEnd) return;
  source.position = queue.position;
  source.sinceMs = nowMs;
  source.baseMs = source.highestMs;
  source.timeMs = null;
}

function idleTime(source: WatchedSource, nowMs: number): number | null {
  const elapsedMs = nowMs - source.sinceMs;
  if (elapsedMs < source.idleAfterMs || !source.queue.atEnd) return null;
  return source.baseMs < 0 ? -1 : source.baseMs + elapsedMs - source.behindMs;
}

/** -1 while one of the sources is not idle, or when none of them has a time. */
function lowestTime(sources: readonly WatchedSource[]): number {
  let lowestMs = -1;
  for (const { timeMs } of sources) {
    if (timeMs === null) return -1;
    if (timeMs >= 0 && (lowestMs < 0 || timeMs < lowestMs)) lowestMs = timeMs;
  }
  return lowestMs;
}

/** Streams and repartitions from which records can reach a step. */
function streamsInFrontOf(part: SubTopology, step: string): ReadonlySet<string> {
  const reached = new Set([step]);
  // Sets give what is added while they are iterated, too.
  for (const name of reached) for (const edge of part.edges) if (edge.to === name) reached.add(edge.from);
  return new Set(part.sources.filter((source) => source.role !== 'table' && reached.has(source.name)).map((source) => source.name));
}
