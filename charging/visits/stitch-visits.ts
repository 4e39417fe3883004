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
  /** How long a visit is remembered behind its end, by the time of all stations of the site. Default 7 days. */
  readonly horizonMs?: number;
  /** A station so far behind the furthest one of its site is waited for no longer: it may be gone for good. Default 30 days, and no less than `horizonMs`. */
  readonly waitForMs?: number;
  /** A visit with so many attempts takes no more: a token that is always somewhere is no driver's. Default 100. */
  readonly attemptsMax?: number;
}

function storesOf(name: string) {
  return {
    /** By site and token, then by start. */
    visits: timeKeyStore({ name, key: utf8, value: visitsCodec }),
    /** Attempts by site and station, and by end: the first ones are due to be forgotten. */
    ends: timeKeyStore({ name: `${name}.ends`, key: utf8, value: endedCodec }),
    /** How far each station of a site has come, and how far each site: `stationsOf` and `sites` name the groups. */
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
 * forgotten `horizonMs` after its end, when all stations of the site have come so far: a station that is seldom used tells of its last attempt weeks later, and in
 * a backfill one partition may be months of events behind another; their attempts still find their visits. Stations that have told nothing yet, or are
 * `waitForMs` behind the furthest one, are not waited for. A visit's row stays as it is.
 */
export function stitchVisits(name: string, options: StitchVisitsOptions = {}): Operator<string, AttemptChange, string, Visit> {
  const { retryWithinMs = 600_000, horizonMs = 7 * 86_400_000, waitForMs = 30 * 86_400_000, attemptsMax = 100 } = options;
  const limits = { retryWithinMs, horizonMs, waitForMs: Math.max(horizonMs, waitForMs), attemptsMax };
  return statefulStep({
    kind: 'stitchVisits',
    name,
    stores: storesOf(name),
    ports: ['late'],
    detail: `retry within ${limits.retryWithinMs} ms, visits kept ${limits.horizonMs} ms, at most ${limits.attemptsMax} attempts, time by station, of a site the least`,
    start: (context, emit: Emit<StreamRecord<string, Visit>>) => {
      const stitcher = new VisitStitcher(context, limits, emit);
      return (record: StreamRecord<string, AttemptChange>) => stitcher.process(record);
    },
  });
}

/** Group of how far sites have come. */
const sites = 'sites';

/** Group of how far a site's stations have come. */
function stationsOf(siteId: string): string {
  return `stations of ${siteId}`;
}

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
    const { key: siteId, value: { idToken, sessionId, attempt } } = record;
    // Whether it is known says nothing: how long it is depends on how far other stations are.
    if (attempt !== null && endOf(attempt) <= this.#timeOf(siteId, attempt.stationId) - this.#limits.horizonMs) {
      this.#context.dropped('late');
      this.#context.output('late', record);
      return;
    }
    const group = groupOf(siteId, idToken);
    const known = this.#remembered(siteId, group);
    const holder = known.find((attempts) => attempts.some((each) => each.sessionId === sessionId));
    if (attempt === null && holder === undefined) return;
    if (attempt !== null && holder?.some((each) => isSameAttempt(each, attempt)) === true) return;
    const before = known.filter((attempts) => attempts === holder || (attempt !== null && this.#takes(attempts, attempt)));
    const all = before.flat().filter((each) => each.sessionId !== sessionId);
    if (attempt !== null) all.push(attempt);
    const after = groupAttempts(all, this.#limits.retryWithinMs, this.#limits.attemptsMax);
    this.#replace(record, group, before, after);
    if (attempt === null) return;
    this.#remember(siteId, group, attempt);
    this.#movedOn(siteId, attempt.stationId, endOf(attempt));
    this.#forgetAt(siteId, attempt.stationId);
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
      if (endOf(last) > this.#dueMs(key, last.stationId)) this.#keep(group, attempts);
      this.#emit({ key, value: visitOf(key, idToken, attempts), timestampMs });
    }
    for (const attempts of gone) {
      const named = firstOf(attempts);
      const heir = after.find((each) => each.some(({ sessionId }) => sessionId === named.sessionId));
      this.#emit({ key, value: noVisit(key, idToken, named, heir === undefined ? null : firstOf(heir).sessionId), timestampMs });
    }
  }

  /** Without those that are over meanwhile and whose station has not told anything since. */
  #remembered(siteId: string, group: string): readonly VisitAttempts[] {
    const visits = this.#visitsOf(group);
    const over = visits.filter((attempts) => endOf(lastOf(attempts)) <= this.#dueMs(siteId, lastOf(attempts).stationId));
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

  #timeOf(siteId: string, stationId: string): number {
    return this.#progress.get(stationsOf(siteId), stationId) ?? Number.NEGATIVE_INFINITY;
  }

  /** What ended by then at the station is forgotten. Never falls; a station that is heard of first is on its own until it has come as far as the others. */
  #dueMs(siteId: string, stationId: string): number {
    return Math.min(this.#timeOf(siteId, stationId), this.#progress.get(sites, siteId) ?? Number.NEGATIVE_INFINITY) - this.#limits.horizonMs;
  }

  /** The station has told of so late an end. */
  #movedOn(siteId: string, stationId: string, endMs: number): void {
    if (endMs <= this.#timeOf(siteId, stationId)) return;
    this.#progress.put(stationsOf(siteId), stationId, endMs);
    let furthestMs = endMs;
    for (const [, timeMs] of this.#progress.members(stationsOf(siteId))) furthestMs = Math.max(furthestMs, timeMs);
    let reachedMs = furthestMs;
    for (const [, timeMs] of this.#progress.members(stationsOf(siteId))) {
      if (timeMs > furthestMs - this.#limits.waitForMs) reachedMs = Math.min(reachedMs, timeMs);
    }
    if (reachedMs > (this.#progress.get(sites, siteId) ?? Number.NEGATIVE_INFINITY)) this.#progress.put(sites, siteId, reachedMs);
  }

  #remember(siteId: string, group: string, attempt: VisitAttempt): void {
    const station = groupOf(siteId, attempt.stationId);
    const ended = this.#ends.get(station, endOf(attempt)) ?? [];
    if (ended.some(([itsGroup, sessionId]) => sessionId === attempt.sessionId && itsGroup === group)) return;
    this.#ends.put(station, endOf(attempt), [...ended, [group, attempt.sessionId]]);
  }

  /** Forgets visits that ended at a station so long ago: each is due with its last attempt. */
  #forgetAt(siteId: string, stationId: string): void {
    const station = groupOf(siteId, stationId);
    const dueMs = this.#dueMs(siteId, stationId);
    if ((this.#ends.earliestOf(station) ?? Number.POSITIVE_INFINITY) > dueMs) return;
    for (const { timeMs, value } of this.#ends.drainKey(station, dueMs)) {
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

/** One text of a site and a token, or of a site and a station. */
function groupOf(siteId: string, other: string): string {
  return `${siteId.length}:${siteId}/${other}`;
}
