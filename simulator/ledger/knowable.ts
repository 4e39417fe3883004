import type { FaultKind } from '../profile.ts';
import type { BookSession, LedgerBook } from './ledger-book.ts';

/**
 * What a fault leaves knowable of a session, from what arrives of it: the one table of it. What no fault has touched must be exact.
 *
 * - `start`: `first`: when the first message was that arrives; `received`: when the back end got it.
 * - `stop`: `status`: when the connector became available, if that arrives, else between the last message and the next start; `received` as above.
 * - `energy`: `told`: what the registers say that arrive, last minus first; `notMore`: no more than was drawn, or unknown.
 * - `course`: when within the session it was drawn: `vague`: not known; `around`: known but for the time from the reading before to the one behind.
 * - `flags`: at least one of these must be there. `may`: these may be there, too.
 */
export interface KnowableRule {
  /** Only where it has touched the first message, the last, or one between; left out: any. */
  readonly where?: 'first' | 'last' | 'between';
  readonly start?: 'first' | 'received';
  readonly stop?: 'status' | 'received';
  readonly energy?: 'told' | 'notMore';
  readonly course?: 'vague' | 'around';
  readonly flags?: readonly string[];
  readonly may?: readonly string[];
}

const clock: readonly KnowableRule[] = [
  { course: 'around', flags: ['clock-replaced'], may: ['overlap', 'out-of-order', 'zero-length', 'stop-before-start'] },
  { where: 'first', start: 'received' },
  { where: 'last', stop: 'received' },
];
const registers: readonly string[] = [
  'register-reset', 'register-rolled-over', 'register-outlier', 'register-mixed', 'partial-energy', 'negative-energy', 'implausible-energy', 'missing-energy', 'register-frozen',
];

export const knowableRules: Readonly<Record<FaultKind, readonly KnowableRule[]>> = {
  'failed-start': [],
  'lost-start': [{ start: 'first', energy: 'told', flags: ['missing-start'], may: ['partial-energy', 'missing-energy', 'zero-length'] }],
  'lost-stop': [{ stop: 'status', energy: 'told', flags: ['missing-stop'], may: ['partial-energy', 'missing-energy', 'zero-length'] }],
  'lost-sample': [{ energy: 'told', flags: [], may: ['sequence-gap'] }],
  'lost-status': [],
  duplicate: [],
  'resent-number': [{ may: ['duplicate', 'out-of-order'] }],
  'out-of-order': [{ may: ['out-of-order'] }],
  'offline-replay': [{ may: ['out-of-order'] }],
  'clock-1970': clock,
  'clock-ahead': clock,
  'meter-reset': [{ energy: 'notMore', course: 'vague', flags: registers, may: registers }],
  'meter-roll-over': [{ energy: 'told', flags: ['register-rolled-over'], may: ['register-rolled-over'] }],
  'meter-missing': [{ energy: 'told' }],
  'connector-fault': [],
  'power-outage': [],
  malformed: [],
  'unknown-station': [],
  'late-station': [],
  'changed-station': [],
};

/** What a register says that it has begun again from its end. */
const rolledOver = 'register-rolled-over';
/** More than any connector gives, in W; and what clocks may be off. */
const powerMaxW = 1_000_000;
const clockMs = 120_000;

/**
 * Energy as it may be told of a session with such flags. A register that was reset a little below a number at which registers end cannot be told from one that has
 * rolled over: where it is flagged so, what it had left to its end may be counted, as far as a connector can give that between two readings.
 */
export function energyAs(book: LedgerBook, session: BookSession, { energy, read }: Knowable, flags: readonly string[]): Known {
  const resetAt = session.touched.find(([, kind]) => kind === 'meter-reset')?.[0];
  if (resetAt === undefined || energy.isNull || !flags.includes(rolledOver)) return energy;
  const before = read.findLast((at) => at < resetAt);
  const after = read.find((at) => at >= resetAt);
  if (before === undefined || after === undefined) return energy;
  return { ...energy, to: energy.to + (powerMaxW * (book.timeMs(session, after) - book.timeMs(session, before) + clockMs)) / 3_600_000 };
}

/** Reception is at most this long behind: of the longest delays one in millions. */
export const receptionMs = 300_000;

/** A number that is known as far as this. Null: it may be unknown. */
export interface Known {
  readonly from: number;
  readonly to: number;
  readonly orNull: boolean;
  /** Nothing else will do than null. */
  readonly isNull: boolean;
}

/** What must be in the tables of a session. */
export interface Knowable {
  readonly start: Known;
  readonly stop: Known;
  /** In Wh. */
  readonly energy: Known;
  /** The course of its energy is what the readings say that arrive, but for these times. */
  readonly isCourseKnown: boolean;
  readonly vague: readonly (readonly [fromMs: number, toMs: number])[];
  /** Of each of these at least one must be among its flags. */
  readonly flags: readonly (readonly string[])[];
  /** All that may be among its flags. */
  readonly may: ReadonlySet<string>;
  readonly eventCount: number;
  readonly sequenceGaps: number;
  /** Its stop arrives. */
  readonly isStopTold: boolean;
  /** It may have no row: nothing of it arrives, or nothing ends it. */
  readonly mayBeAbsent: boolean;
  /** Places of its readings that arrive, and which of them have a register. */
  readonly arriving: readonly number[];
  readonly read: readonly number[];
}

export interface Neighbours {
  /** When the next session began on the connector. */
  readonly nextStartMs: number | null;
  /** What is false in one beside it may make them overlap. */
  readonly isBesideDoubtful: boolean;
  /** The stop of the one before does not arrive. */
  readonly isBeforeUnended: boolean;
}

const lost: ReadonlySet<FaultKind> = new Set(['lost-start', 'lost-stop', 'lost-sample', 'lost-status']);

/** Looks up what is knowable of a session. */
export function knowableOf(book: LedgerBook, session: BookSession, beside: Neighbours): Knowable {
  const last = session.readingCount - 1;
  const gone = new Set(session.touched.filter(([, kind]) => lost.has(kind)).map(([at]) => at));
  const silent = new Set(session.touched.filter(([, kind]) => kind === 'meter-missing').map(([at]) => at));
  const arriving = Array.from({ length: session.readingCount }, (_, at) => at).filter((at) => !gone.has(at));
  const read = arriving.filter((at) => !silent.has(at));
  const rules = session.touched.filter(([at, kind]) => isSeen(at, kind, read))
    .flatMap(([at, kind]) => knowableRules[kind].filter(({ where }) => where === undefined || where === (at === 0 ? 'first' : at === last ? 'last' : 'between')));
  const flags = rules.flatMap(({ flags: one }) => (one === undefined || one.length === 0 ? [] : [one]));
  const may = new Set([...flags.flat(), ...rules.flatMap(({ may: one }) => one ?? [])]);
  const firstMs = arriving.length === 0 ? session.startMs : book.timeMs(session, arriving[0] as number);
  const lastMs = arriving.length === 0 ? session.stopMs : book.timeMs(session, arriving.at(-1) as number);
  const says = <Name extends 'start' | 'stop' | 'energy'>(name: Name, what: KnowableRule[Name]): boolean => rules.some((rule) => rule[name] === what);
  const start = says('start', 'first') ? firstMs : session.startMs;
  const isVagueFirst = session.touched.some(([at, kind]) => at === arriving[0] && kind.startsWith('clock'));
  const isStopTold = arriving.at(-1) === last;
  const stop = isStopTold ? { from: session.stopMs, to: session.stopMs + (says('stop', 'received') ? receptionMs : 0), orNull: false, isNull: false }
    : stopByStatus(session, lastMs, arriving.length, beside, says('stop', 'status') && !rules.some(({ course }) => course !== undefined));
  const energy = energyOf(book, session, read, says('energy', 'notMore'));
  if (energy.isNull) may.add('missing-energy');
  if (start === stop.from) may.add('zero-length');
  const sequenceGaps = arriving.length < 2 ? 0 : (arriving.at(-1) as number) - (arriving[0] as number) + 1 - arriving.length;
  if (sequenceGaps > 0) flags.push(['sequence-gap']);
  if (beside.isBesideDoubtful) may.add('overlap');
  const isLoneStop = isStopTold && arriving.length === 1;
  return {
    start: { from: start, to: start + (says('start', 'received') || isVagueFirst ? receptionMs : 0), orNull: false, isNull: false }, stop, energy, flags, may, sequenceGaps, isStopTold,
    isCourseKnown: !rules.some(({ course }) => course === 'vague') && !energy.isNull, vague: vagueSpans(book, session, read), eventCount: arriving.length, arriving, read,
    mayBeAbsent: arriving.length === 0 || (!isStopTold && !isEnded(session, beside)) || (isLoneStop && beside.isBeforeUnended),
  };
}

function vagueSpans(book: LedgerBook, session: BookSession, read: readonly number[]): readonly (readonly [number, number])[] {
  return session.touched.filter(([, kind]) => knowableRules[kind].some(({ course }) => course === 'around')).map(([at]) => {
    const before = read.findLast((one) => one < at) ?? at;
    const after = read.find((one) => one > at) ?? at;
    return [book.timeMs(session, before), book.timeMs(session, after) + receptionMs] as const;
  });
}

/** What happens to a register shows only between two readings that arrive. */
function isSeen(at: number, kind: FaultKind, read: readonly number[]): boolean {
  return (kind !== 'meter-reset' && kind !== 'meter-roll-over') || (read.some((one) => one < at) && read.some((one) => one >= at));
}

function isStatusTold({ faults, stopReason }: BookSession): boolean {
  return !faults.includes('lost-status') && stopReason !== 'Other' && stopReason !== 'PowerLoss';
}

function isEnded(session: BookSession, { nextStartMs }: Neighbours): boolean {
  return isStatusTold(session) || nextStartMs !== null;
}

function stopByStatus(session: BookSession, lastMs: number, arriving: number, { nextStartMs }: Neighbours, isSure: boolean): Known {
  if (isSure && isStatusTold(session) && lastMs < session.stopMs) return { from: session.stopMs, to: session.stopMs, orNull: false, isNull: false };
  return { from: Math.min(lastMs, session.stopMs), to: Math.max(nextStartMs ?? Number.POSITIVE_INFINITY, session.stopMs), orNull: arriving < 2, isNull: false };
}

function energyOf(book: LedgerBook, session: BookSession, read: readonly number[], isNotMore: boolean): Known {
  const counts = book.facts.registers === 'session' && read.length > 0 && read[0] !== 0;
  if (read.length < 2 && !counts) return { from: 0, to: 0, orNull: true, isNull: true };
  const told = book.energyWh(session, read.at(-1) as number) - (counts ? 0 : book.energyWh(session, read[0] as number));
  return isNotMore ? { from: 0, to: session.energyWh, orNull: true, isNull: false } : { from: told, to: told, orNull: false, isNull: false };
}

export function isKnown(value: number | null, { from, to, orNull, isNull }: Known): boolean {
  if (value === null) return orNull;
  return !isNull && value >= from && value <= to;
}

export function isExact({ from, to, isNull }: Known): boolean {
  return from === to && !isNull;
}

export function knownText({ from, to, orNull, isNull }: Known): string {
  if (isNull) return 'unknown';
  return `${from === to ? String(from) : `from ${from} to ${to}`}${orNull ? ', or unknown' : ''}`;
}
