import { fraction, plus, zero } from './fraction.ts';
import type { Fraction } from './fraction.ts';
import type { PricePeriod } from './price-periods.ts';

/** A register at a time, in whole mWh. Any zero point: only differences count. */
export interface MeterSample {
  readonly timeMs: number;
  readonly milliWh: number;
}

/** `[fromMs, toMs)`. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What must be known of a session to say what it costs. Times are UTC milliseconds. */
export interface PricedSession {
  readonly startMs: number;
  /** Null: it goes on, and has no cost yet. For what it would cost if it stopped now, give the time. */
  readonly stopMs: number | null;
  /** The site's, as an IANA name; asked only when the tariff has rates. */
  readonly timeZone: string;
  /** In order of time. Two at one time are a jump: their difference has the price of that moment. Fewer than two: energy is unknown. */
  readonly samples: readonly MeterSample[];
  /** When energy flowed (charging state Charging), in order, apart or touching; the rest of the session is idle. Null: unknown. */
  readonly charging: readonly TimeSpan[] | null;
}

/** How much of the spans lies in each period, in ms. */
export function timeIn(periods: readonly PricePeriod[], spans: readonly TimeSpan[]): readonly Fraction[] {
  return periods.map((period) => fraction(BigInt(spans.reduce((sum, span) => sum + overlapMs(period, span), 0))));
}

/** How much energy flowed in each period, in mWh: evenly between two samples, and a jump at the moment at which it is. */
export function energyIn(periods: readonly PricePeriod[], samples: readonly MeterSample[]): readonly Fraction[] {
  const whole = periods.map(() => 0);
  const parts = periods.map(() => zero);
  let first = 0;
  for (let index = 1; index < samples.length; index += 1) {
    const [from, to] = [samples[index - 1] as MeterSample, samples[index] as MeterSample];
    const milliWh = to.milliWh - from.milliWh;
    while (first + 1 < periods.length && (periods[first] as PricePeriod).toMs <= from.timeMs) first += 1;
    if (to.timeMs <= (periods[first] as PricePeriod).toMs) {
      whole[first] = (whole[first] ?? 0) + milliWh;
      continue;
    }
    const lengthMs = BigInt(to.timeMs - from.timeMs);
    for (let at = first; at < periods.length; at += 1) {
      const insideMs = overlapMs(periods[at] as PricePeriod, { fromMs: from.timeMs, toMs: to.timeMs });
      if (insideMs === 0) break;
      parts[at] = plus(parts[at] ?? zero, fraction(BigInt(milliWh) * BigInt(insideMs), lengthMs));
    }
  }
  return parts.map((part, at) => plus(part, fraction(BigInt(whole[at] ?? 0))));
}

/** What `spans` leave of the session. */
export function restOf(startMs: number, stopMs: number, spans: readonly TimeSpan[]): readonly TimeSpan[] {
  const rest: TimeSpan[] = [];
  let fromMs = startMs;
  for (const span of [...spans, { fromMs: stopMs, toMs: stopMs }]) {
    if (fromMs < span.fromMs) rest.push({ fromMs, toMs: span.fromMs });
    fromMs = span.toMs;
  }
  return rest;
}

/** The spans without their first `freeMs`. */
export function afterFree(spans: readonly TimeSpan[], freeMs: number): readonly TimeSpan[] {
  let leftMs = freeMs;
  return spans.flatMap(({ fromMs, toMs }) => {
    const cutMs = Math.min(leftMs, toMs - fromMs);
    leftMs -= cutMs;
    return fromMs + cutMs < toMs ? [{ fromMs: fromMs + cutMs, toMs }] : [];
  });
}

function overlapMs(a: TimeSpan, b: TimeSpan): number {
  return Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs));
}
