import { comparePoints, endedKind, samePlace, saysTheSame, startedKind, updatedKind } from './connector-point.ts';
import type { ConnectorPoint } from './connector-point.ts';
import { isUsable } from './connector-interval.ts';
import { ConnectorReading } from './connector-reading.ts';
import type { StatusSpan } from './connector-reading.ts';

const none: readonly StatusSpan[] = [];
/** So many points are worth a count of those of each transaction. */
const countedFrom = 8;

export interface TimelineLimits {
  /** How far behind a connector's newest point others may still come. */
  readonly rememberMs: number;
  /** The same as a number of points. */
  readonly pointsMax: number;
}

/**
 * What was told of one connector lately, in order, on top of what is believed of the time before. What is told out of order is put in its
 * place, and everything after it is read anew: the spans are a function of the set of points, whatever order they came in.
 *
 * A transaction's points have rules of their own: those of a lower edition go; a start or update behind its end says nothing; an update
 * says something only where no start or earlier update does. Changed in place, by the step that owns it only.
 */
export class ConnectorTimeline {
  /** After the points up to `baseMs`, which are forgotten. */
  readonly base: ConnectorReading;
  /** Nothing at or before this time is taken any more; -1 before anything was forgotten. */
  baseMs: number;
  readonly points: ConnectorPoint[];
  /** After all points. */
  #tip: ConnectorReading;
  /** After all points but those of the last moment; null: to be read. */
  #before: ConnectorReading | null = null;
  /** How many of the points are of each transaction; null: not counted. Nearly all starts are of one that has none. */
  #ofTransaction: Map<string, number> | null = null;

  constructor(base: ConnectorReading = new ConnectorReading(), baseMs = -1, points: readonly ConnectorPoint[] = []) {
    this.base = base;
    this.baseMs = baseMs;
    this.points = [...points];
    this.#tip = points.length === 0 ? base.copy() : readAll(base, this.points, null);
  }

  get tip(): Readonly<ConnectorReading> {
    return this.#tip;
  }

  /** One like it, to which nothing is too old: for a connector that is heard of for the first time. */
  seed(): ConnectorTimeline {
    return new ConnectorTimeline(this.base.copy(), -1, this.points);
  }

  /** Whether an update of a transaction can say nothing: its transaction is under way, and was before. Costs next to nothing. */
  isUnderWay(transactionId: string, timeMs: number, edition: number): boolean {
    const tip = this.#tip;
    return tip.open === transactionId && timeMs > tip.openedMs && edition <= tip.openEdition;
  }

  /**
   * Takes a point in, and gives the spans with an end that are other than before, those that no longer hold with `toMs` = `fromMs`. `known`:
   * it says nothing new, and nothing was changed; `late`: it is older than what is remembered.
   */
  take(point: ConnectorPoint, limits: TimelineLimits): readonly StatusSpan[] | 'known' | 'late' {
    if (point.timeMs <= this.baseMs) return 'late';
    const { points } = this;
    const worth = point.transactionId === null ? 'plain' : this.#worthOf(point);
    if (worth === 'void') return 'known';
    const last = points.at(-1);
    if (worth === 'plain' && (last === undefined || last.timeMs < point.timeMs)) return this.#append(point, limits);
    const same = this.#indexOfSame(point);
    if (same >= 0 && (points[same] as ConnectorPoint).receivedMs <= point.receivedMs) return 'known';
    if (worth === 'plain' && same < 0 && last?.timeMs === point.timeMs) return this.#joinLast(point, limits);
    const before: StatusSpan[] = [];
    readAll(this.base, points, before);
    if (same >= 0) this.#removeAt(same);
    if (worth === 'replaces') this.#removeVoided(point);
    this.#insert(point);
    const after: StatusSpan[] = [];
    this.#tip = readAll(this.base, points, after);
    this.#before = null;
    this.#forget(limits);
    return differences(before, after);
  }

  /** The usual case: behind all others. */
  #append(point: ConnectorPoint, limits: TimelineLimits): readonly StatusSpan[] {
    const tip = this.#tip;
    const before = (this.#before ??= new ConnectorReading()).become(tip);
    this.points.push(point);
    this.#count(point, 1);
    tip.apply(point);
    const outcome = tip.settle(point);
    this.#forget(limits);
    return outcome === 'begun' && before.status !== null ? [before.span(point.timeMs)] : none;
  }

  /** One more point of the last moment, such as a transaction's start beside its status: all of that moment are read anew. */
  #joinLast(point: ConnectorPoint, limits: TimelineLimits): readonly StatusSpan[] {
    const { points } = this;
    const { timeMs } = point;
    let first = points.length;
    while (points[first - 1]?.timeMs === timeMs) first--;
    const before = (this.#before ??= readAll(this.base, points.slice(0, first), null));
    const tip = this.#tip;
    const hadBegun = tip.status !== null && tip.fromMs === timeMs;
    this.#insert(point);
    tip.become(before);
    for (let index = first; index < points.length; index++) tip.apply(points[index] as ConnectorPoint);
    const begins = tip.settle(points.at(-1) as ConnectorPoint) === 'begun';
    this.#forget(limits);
    if (before.status === null || begins === hadBegun) return none;
    const closed = before.span(timeMs);
    return [begins ? closed : gone(closed)];
  }

  /** Puts a point in its place. */
  #insert(point: ConnectorPoint): void {
    const { points } = this;
    let at = points.length;
    while (at > 0 && comparePoints(points[at - 1] as ConnectorPoint, point) > 0) at--;
    points.splice(at, 0, point);
    this.#count(point, 1);
  }

  #indexOfSame(point: ConnectorPoint): number {
    const { points } = this;
    for (let index = points.length - 1; index >= 0; index--) {
      const other = points[index] as ConnectorPoint;
      if (other.timeMs < point.timeMs) break;
      if (saysTheSame(other, point)) return index;
    }
    return -1;
  }

  /** What a transaction's point is worth beside the others: nothing, something, or something that makes others void. */
  #worthOf(point: ConnectorPoint): 'void' | 'plain' | 'replaces' {
    const { base } = this;
    if (point.kind === updatedKind && base.open === point.transactionId && point.edition <= base.openEdition) return 'void';
    const { points } = this;
    let left = this.#countOf(point.transactionId ?? '');
    let worth: 'plain' | 'replaces' = 'plain';
    for (let index = points.length - 1; index >= 0 && left > 0; index--) {
      const other = points[index] as ConnectorPoint;
      if (other.transactionId !== point.transactionId) continue;
      left--;
      if (other.edition > point.edition || (other.edition === point.edition && isVoidedBy(point, other))) return 'void';
      if (other.edition < point.edition || isVoidedBy(other, point)) worth = 'replaces';
    }
    return worth;
  }

  /** How many of the points are of a transaction, at most: few points are looked at as quickly as they are counted. */
  #countOf(transactionId: string): number {
    if (this.points.length < countedFrom) {
      this.#ofTransaction = null;
      return this.points.length;
    }
    if (this.#ofTransaction === null) {
      this.#ofTransaction = new Map();
      for (const point of this.points) this.#count(point, 1);
    }
    return this.#ofTransaction.get(transactionId) ?? 0;
  }

  /** A point has come, or gone. */
  #count({ transactionId }: ConnectorPoint, by: 1 | -1): void {
    const counts = this.#ofTransaction;
    if (transactionId === null || counts === null) return;
    const count = (counts.get(transactionId) ?? 0) + by;
    if (count === 0) counts.delete(transactionId);
    else counts.set(transactionId, count);
  }

  #removeAt(index: number): void {
    this.#count(this.points[index] as ConnectorPoint, -1);
    this.points.splice(index, 1);
  }

  #removeVoided(point: ConnectorPoint): void {
    const { points } = this;
    for (let index = points.length - 1; index >= 0; index--) {
      const other = points[index] as ConnectorPoint;
      if (other.transactionId !== point.transactionId) continue;
      if (other.edition < point.edition || isVoidedBy(other, point)) this.#removeAt(index);
    }
  }

  /** Takes points that are too old, or too many, into the base: all of one moment together. */
  #forget({ rememberMs, pointsMax }: TimelineLimits): void {
    const { points, base } = this;
    const newest = points.at(-1);
    if (newest === undefined) return;
    const beforeMs = newest.timeMs - rememberMs;
    for (let point = points[0]; point !== undefined && (point.timeMs < beforeMs || points.length > pointsMax); point = points[0]) {
      const { timeMs } = point;
      let last = point;
      for (; point !== undefined && point.timeMs === timeMs; point = points[0]) {
        base.apply(point);
        this.#count(point, -1);
        points.shift();
        last = point;
      }
      base.settle(last);
      this.baseMs = timeMs;
    }
  }
}

/** Whether a start or update says nothing beside another point of its transaction and edition. Without an id, starts are all their own. */
function isVoidedBy(point: ConnectorPoint, other: ConnectorPoint): boolean {
  if (point.kind === startedKind) return other.kind === endedKind && point.transactionId !== '' && comparePoints(other, point) <= 0;
  return point.kind === updatedKind && point !== other && !saysTheSame(point, other) && comparePoints(other, point) <= 0;
}

/** Reads points on top of a base, which stays as it is; adds the spans with an end from the base's on to `spans`, and gives what is believed in the end. */
function readAll(base: ConnectorReading, points: readonly ConnectorPoint[], spans: StatusSpan[] | null): ConnectorReading {
  const reading = base.copy();
  for (let first = 0; first < points.length;) {
    let last = points[first] as ConnectorPoint;
    const { timeMs } = last;
    const closed = spans === null || reading.status === null ? null : reading.span(timeMs);
    for (let point: ConnectorPoint | undefined = last; point !== undefined && point.timeMs === timeMs; point = points[++first]) {
      reading.apply(point);
      last = point;
    }
    if (reading.settle(last) === 'begun' && closed !== null) spans?.push(closed);
  }
  return reading;
}

/**
 * Spans of `after` that are not so in `before`, and those of `before` whose start is gone, without length; by their start. An outage that is
 * none any more is taken back before its row is replaced, for those who look at outages only.
 */
function differences(before: readonly StatusSpan[], after: readonly StatusSpan[]): readonly StatusSpan[] {
  const found: StatusSpan[] = [];
  let index = 0;
  for (const span of after) {
    for (; (before[index]?.fromMs ?? Infinity) < span.fromMs; index++) found.push(gone(before[index] as StatusSpan));
    const old = before[index]?.fromMs === span.fromMs ? before[index++] : undefined;
    if (old !== undefined && sameSpan(old, span)) continue;
    if (old !== undefined && !isUsable(old) && isUsable(span)) found.push(gone(old));
    found.push(span);
  }
  for (; index < before.length; index++) found.push(gone(before[index] as StatusSpan));
  return found;
}

function gone(span: StatusSpan): StatusSpan {
  return { ...span, toMs: span.fromMs };
}

function sameSpan(a: StatusSpan, b: StatusSpan): boolean {
  return a.toMs === b.toMs && a.status === b.status && a.online === b.online && a.errorCode === b.errorCode && a.source === b.source
    && a.transactionId === b.transactionId && samePlace(a.place, b.place);
}
