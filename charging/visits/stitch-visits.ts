import { int64, utf8 } from '../../schemas/builtin-codecs.ts';
import { groupedStore, statefulStep, timeKeyStore } from '../engine.ts';
import type { Emit, GroupedStore, Operator, StatefulContext, StreamRecord, TimeKeyStore } from '../engine.ts';
import { firstOf, groupAttempts, lastOf, noVisit, visitOf } from './group-attempts.ts';
import type { VisitAttempts } from './group-attempts.ts';
import type { Visit } from './visit.ts';
import { endOf, isSameAttempt } from './visit-attempt.ts';
import type { AttemptChange, VisitAttempt } from './visit-attempt.ts';
import { endedCodec, visitsCodec } from './visit-codecs.ts';
import type { EndedAttempt } from './visit-codecs.ts';

export interface StitchVisitsOptions {
  /** From the end of all before to the start of the next attempt of the same visit. Default 10 minutes. */
  readonly retryWithinMs?: number;
  /** How long a visit is remembered behind its end, by the time of the station where it ended and of all partitions. Default 7 days. */
  readonly horizonMs?: number;
  /** A partition so far behind the furthest one is waited for no longer: all its stations may be gone for good. Default 400 days. */
  readonly silentMs?: number;
  /** A visit with so many attempts takes no more: a token that is always somewhere is no driver's. Default 100. */
  readonly attemptsMax?: number;
}

function storesOf(name: string) {
  return {
    /** By site and token, then by start. */
    visits: timeKeyStore({ name, key: utf8, value: visitsCodec }),
    /** Attempts by station and end: the last one is how far the station has come, the first ones are due to be forgotten. */
    ends: timeKeyStore({ name: `${name}.ends`, key: utf8, value: endedCodec }),
    /** How far each partition of stations has come, and, under `reached`, all of them. One group. */
    progress: groupedStore({ name: `${name}.progress`, value: int64 }),
  };
}

/**
 * Attempts to charge, keyed by site, as visits: those by one id token at one site, each of which starts at most `retryWithinMs` after
 * the end of all before it. Each change gives the rows of the visits that it changes, and with `attempts` 0 those of visits that are no more.
 *
 * A visit is named by its first attempt, and is what its attempts make it, in whatever order they come: one between two visits merges them,
 * and one that is moved or taken back may split a visit in two. A change that says nothing new gives nothing.
 *
 * Time is each station's own: the highest end of an attempt there. An attempt that is `horizonMs` behind its station goes to the output `late`. A visit is
 * forgotten `horizonMs` after its end, by its station and by the slowest partition of stations (as Flink's watermarks behind a shuffle; not by those that
 * have told nothing yet): in a backfill one partition may be months of events behind another, and its attempts still find their visits. Its row stays as it is.
 */
export function stitchVisits(name: string, options: StitchVisitsOptions = {}): Operator<string, AttemptChange, string, Visit> {
  const limits = { retryWithinMs: options.retryWithinMs ?? 600_000, horizonMs: options.horizonMs ?? 7 * 86_400_000, silentMs: options.silentMs ?? 400 * 86_400_000, attemptsMax: options.attemptsMax ?? 100 };
  return statefulStep({
    kind: 'stitchVisits',
    name,
    stores: storesOf(name),
    ports: ['late'],
    detail: `retry within ${limits.retryWithinMs} ms, visits kept ${limits.horizonMs} ms, at most ${limits.attemptsMax} attempts, time by station and partition`,
    start: (context, emit: Emit<StreamRecord<string, Visit>>) => {
      const stitcher = new VisitStitcher(context, limits, emit);
      return (record: StreamRecord<string, AttemptChange>) => stitcher.process(record);
    },
  });
}

const partitionsGroup = 'partitions';
const reachedMember = 'reached';

/** A record's way through the state; it remembers nothing itself. */
class VisitStitcher {
  readonly #context: StatefulContext<ReturnType<typeof storesOf>>;
  readonly #limits: Required<StitchVisitsOptions>;
  readonly #visits: TimeKeyStore<string, readonly VisitAttempts[]>;
  readonly #ends: TimeKeyStore<string, readonly EndedAttempt[]>;
  readonly #progress: GroupedStore<number>;
  readonly #emit: Emit<StreamRecord<string, Visit>>;

  constructor(context: StatefulContext<ReturnType<typeof storesOf>>, limits: Required<StitchVisitsOptions>, emit: Emit<StreamRecord<string, Visit>>) {
    this.#context = context;
    this.#limits = limits;
    this.#visits = context.stores.visits;
    this.#ends = context.stores.ends;
    this.#progress = context.stores.progress;
    this.#emit = emit;
  }

  process(record: StreamRecord<string, AttemptChange>): void {
    const { key: siteId, value: { idToken, sessionId, partition, attempt } } = record;
    // Whether it is known says nothing: how long it is depends on how far other partitions are.
    if (attempt !== null && endOf(attempt) <= this.#timeOf(attempt.stationId) - this.#limits.horizonMs) {
      this.#context.dropped('late');
      this.#context.output('late', record);
      return;
    }
    const group = groupOf(siteId, idToken);
    const known = this.#remembered(group);
    const holder = known.find((attempts) => attempts.some((each) => each.sessionId === sessionId));
    if (attempt === null && holder === undefined) return;
    if (attempt !== null && holder?.some((each) => isSameAttempt(each, attempt)) === true) return;
    const before = known.filter((attempts) => attempts === holder || (attempt !== null && this.#takes(attempts, attempt)));
    const all = before.flat().filter((each) => each.sessionId !== sessionId);
    if (attempt !== null) all.push(attempt);
    const after = groupAttempts(all, this.#limits.retryWithinMs, this.#limits.attemptsMax);
    this.#replace(record, group, before, after);
    if (attempt === null) return;
    this.#remember(group, attempt);
    this.#movedOn(partition, endOf(attempt));
    this.#forgetAt(attempt.stationId);
  }

  /** Whether an attempt makes one visit with those of another. */
  #takes(attempts: VisitAttempts, attempt: VisitAttempt): boolean {
    const { retryWithinMs, attemptsMax } = this.#limits;
    return attempts.length < attemptsMax && attempt.startMs <= endOf(lastOf(attempts)) + retryWithinMs &&
      firstOf(attempts).startMs <= endOf(attempt) + retryWithinMs;
  }

  #replace(record: StreamRecord<string, AttemptChange>, group: string, before: readonly VisitAttempts[], after: readonly VisitAttempts[]): void {
    const { key, value: { idToken }, timestampMs } = record;
    const gone = before.filter((old) => !after.some((each) => firstOf(each).sessionId === firstOf(old).sessionId));
    for (const attempts of gone) this.#drop(group, attempts);
    for (const attempts of after) {
      if (before.some((old) => isSameVisit(old, attempts))) continue;
      const [old, last] = [before.find((each) => firstOf(each).sessionId === firstOf(attempts).sessionId), lastOf(attempts)];
      if (old !== undefined) this.#drop(group, old);
      if (endOf(last) > this.#dueMs(last.stationId)) this.#keep(group, attempts);
      this.#emit({ key, value: visitOf(key, idToken, attempts), timestampMs });
    }
    for (const attempts of gone) {
      const named = firstOf(attempts);
      const heir = after.find((each) => each.some(({ sessionId }) => sessionId === named.sessionId));
      this.#emit({ key, value: noVisit(key, idToken, named, heir === undefined ? null : firstOf(heir).sessionId), timestampMs });
    }
  }

  /** Without those that are over meanwhile and whose station has not told anything since. */
  #remembered(group: string): readonly VisitAttempts[] {
    const visits = this.#visitsOf(group);
    const over = visits.filter((attempts) => endOf(lastOf(attempts)) <= this.#dueMs(lastOf(attempts).stationId));
    if (over.length === 0) return visits;
    for (const attempts of over) this.#drop(group, attempts);
    return visits.filter((attempts) => !over.includes(attempts));
  }

  #visitsOf(group: string): readonly VisitAttempts[] {
    const found = this.#visits.fetch(group, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    return found.length === 1 && found[0] !== undefined ? found[0].value : found.flatMap(({ value }) => value);
  }

  #keep(group: string, attempts: VisitAttempts): void {
    const { startMs } = firstOf(attempts);
    this.#visits.put(group, startMs, [...this.#visits.get(group, startMs) ?? [], attempts]);
  }

  #drop(group: string, attempts: VisitAttempts): void {
    const { sessionId, startMs } = firstOf(attempts);
    const rest = (this.#visits.get(group, startMs) ?? []).filter((each) => firstOf(each).sessionId !== sessionId);
    if (rest.length === 0) this.#visits.delete(group, startMs);
    else this.#visits.put(group, startMs, rest);
  }

  #timeOf(stationId: string): number {
    return this.#ends.lastOf(stationId, Number.MAX_SAFE_INTEGER - 1)?.timeMs ?? Number.NEGATIVE_INFINITY;
  }

  /** What ended by then at the station is forgotten. Never falls. */
  #dueMs(stationId: string): number {
    return Math.min(this.#timeOf(stationId), this.#progress.get(partitionsGroup, reachedMember) ?? Number.NEGATIVE_INFINITY) - this.#limits.horizonMs;
  }

  /** The partition has told of so late an end. */
  #movedOn(partition: number, endMs: number): void {
    const member = String(partition);
    if (endMs <= (this.#progress.get(partitionsGroup, member) ?? Number.NEGATIVE_INFINITY)) return;
    this.#progress.put(partitionsGroup, member, endMs);
    const times: number[] = [];
    for (const [each, timeMs] of this.#progress.members(partitionsGroup)) if (each !== reachedMember) times.push(timeMs);
    const furthestMs = Math.max(...times);
    const reachedMs = Math.min(...times.filter((timeMs) => timeMs >= furthestMs - this.#limits.silentMs));
    if (reachedMs > (this.#progress.get(partitionsGroup, reachedMember) ?? Number.NEGATIVE_INFINITY)) this.#progress.put(partitionsGroup, reachedMember, reachedMs);
  }

  #remember(group: string, attempt: VisitAttempt): void {
    const ended = this.#ends.get(attempt.stationId, endOf(attempt)) ?? [];
    if (ended.some(([itsGroup, sessionId]) => sessionId === attempt.sessionId && itsGroup === group)) return;
    this.#ends.put(attempt.stationId, endOf(attempt), [...ended, [group, attempt.sessionId]]);
  }

  /** Forgets visits that ended at a station so long ago: each is due with its last attempt. */
  #forgetAt(stationId: string): void {
    const dueMs = this.#dueMs(stationId);
    if ((this.#ends.earliestOf(stationId) ?? Number.POSITIVE_INFINITY) > dueMs) return;
    for (const { timeMs, value } of this.#ends.drainKey(stationId, dueMs)) {
      for (const [group, sessionId] of value) {
        const due = this.#visitsOf(group).find((attempts) => {
          const last = lastOf(attempts);
          return last.sessionId === sessionId && endOf(last) === timeMs && last.stationId === stationId;
        });
        if (due !== undefined) this.#drop(group, due);
      }
    }
  }
}

function isSameVisit(one: VisitAttempts, other: VisitAttempts): boolean {
  return one.length === other.length && one.every((attempt, index) => attempt === other[index]);
}

function groupOf(siteId: string, idToken: string): string {
  return `${siteId.length}:${siteId}/${idToken}`;
}
