import { VoltstreamError } from '../../errors.ts';

/** How fast messages come. */
export type LoadPace =
  | { readonly kind: 'max' }
  | { readonly kind: 'rate'; readonly perSecond: number }
  | { readonly kind: 'ramp'; readonly from: number; readonly to: number; readonly seconds: number };

export interface LoadTestOptions {
  readonly profile: string;
  readonly seed: string;
  readonly events: number;
  readonly pace: LoadPace;
  /** Null: a folder that is removed afterwards. */
  readonly data: string | null;
  readonly json: string | null;
  readonly html: string | null;
  readonly quiet: boolean;
  /** Against servers: processes of the product. */
  readonly pods: number;
  /** So many times one of them is killed. */
  readonly kills: number;
  /** Names what is made on the servers; null: by the time. */
  readonly run: string | null;
  /** Leave it there. */
  readonly keep: boolean;
  /** Only delete what the run of this name has left behind. */
  readonly remove: boolean;
}

/** Reads `max`, `5000` (a second) or `1000:20000:60` (from, to, in so many seconds). */
export function paceOf(text: string): LoadPace {
  if (text === 'max') return { kind: 'max' };
  const numbers = text.split(':').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [from = 0, to = 0, seconds = 0] = numbers;
  if (numbers.every((number) => number > 0 && Number.isFinite(number))) {
    if (numbers.length === 1) return { kind: 'rate', perSecond: from };
    if (numbers.length === 3) return { kind: 'ramp', from, to, seconds };
  }
  throw new VoltstreamError('CONFIGURATION_INVALID', 'a rate of messages is wanted', { where: '--rate', wanted: 'max, a number a second, or FROM:TO:SECONDS', got: text });
}

/** Messages due until a time since the start: what is to come is fixed beforehand, however slow the system is. */
export function dueBy(pace: LoadPace, seconds: number): number {
  switch (pace.kind) {
    case 'rate':
      return pace.perSecond * seconds;
    case 'ramp': {
      const within = Math.min(seconds, pace.seconds);
      return pace.from * within + ((pace.to - pace.from) * within ** 2) / (2 * pace.seconds) + Math.max(0, seconds - pace.seconds) * pace.to;
    }
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** When so many messages are due, in seconds since the start; 0 where nothing is fixed. */
export function dueAt(pace: LoadPace, messages: number): number {
  switch (pace.kind) {
    case 'rate':
      return messages / pace.perSecond;
    case 'ramp': {
      const { from, to, seconds } = pace;
      const whole = dueBy(pace, seconds);
      if (messages >= whole) return seconds + (messages - whole) / to;
      const slope = (to - from) / seconds;
      return slope === 0 ? messages / from : (Math.sqrt(from ** 2 + 2 * slope * messages) - from) / slope;
    }
    default:
      return 0;
  }
}

/** What is wanted at a time, in messages a second. */
export function rateAt(pace: LoadPace, seconds: number): number | null {
  if (pace.kind === 'max') return null;
  return pace.kind === 'rate' ? pace.perSecond : pace.from + (pace.to - pace.from) * Math.min(1, seconds / pace.seconds);
}

/** From the flags of the command. */
export function loadTestOptionsFrom(flags: Readonly<Record<string, unknown>>): LoadTestOptions {
  const text = (name: string): string | null => (flags[name] as string | undefined) ?? null;
  const pace = paceOf(text('rate') ?? 'max');
  const duration = text('duration');
  if (duration !== null && pace.kind === 'max') throw wrong('--duration', 'a rate beside it', duration);
  if (duration !== null && text('events') !== null) throw wrong('--duration', 'either a duration or a number of events', duration);
  const events = duration === null ? above('--events', text('events') ?? '100000') : Math.ceil(dueBy(pace, above('--duration', duration)));
  if (flags['remove'] === true && text('run') === null) throw wrong('--remove', 'the name of a run beside it: --run', 'nothing');
  return {
    profile: text('profile') ?? 'city', seed: text('seed') ?? '1', events, pace, data: text('data'), json: text('json'), html: text('html'), quiet: false,
    pods: whole('--pods', text('pods') ?? '1', 1), kills: whole('--kill', text('kill') ?? '0', 0), run: text('run'), keep: flags['keep'] === true,
    remove: flags['remove'] === true,
  };
}

function above(where: string, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 1) || !Number.isFinite(number)) throw wrong(where, 'a number from 1', text);
  return number;
}

function whole(where: string, text: string, from: number): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isInteger(number) || number < from || number > 256) throw wrong(where, `a whole number from ${from} to 256`, text);
  return number;
}

function wrong(where: string, wanted: string, got: string): VoltstreamError {
  return new VoltstreamError('CONFIGURATION_INVALID', 'an option of the load test cannot be', { where, wanted, got });
}
