import type { Tariff } from '../../../schemas/generated/tariff.ts';
import { minorUnitDigits } from '../currencies.ts';
import type { PricedSession } from '../priced-session.ts';

export interface ModelAmounts {
  readonly startFeeMinor: number;
  readonly energyMinor: number;
  readonly chargingMinor: number;
  readonly idleMinor: number;
}

interface Tick {
  readonly energyPrice: bigint;
  readonly chargingPrice: bigint;
  readonly idlePrice: bigint;
}

/**
 * What a session costs, by looking at the wall clock once a tick (a minute or a second) and adding up what happened in it. Right
 * only when all that happens and all that changes does so at whole ticks. Shares nothing with the product but the currencies.
 */
export function costByTicks(session: PricedSession & { readonly stopMs: number }, tariff: Tariff, tickMs: number): ModelAmounts {
  const { startMs, stopMs, timeZone, samples, charging } = session;
  const ticks: Tick[] = [];
  for (let timeMs = startMs; timeMs < stopMs || timeMs === startMs; timeMs += tickMs) ticks.push(tickAt(timeMs, timeZone, tariff));
  const tickOf = (timeMs: number): number => Math.min((timeMs - startMs) / tickMs, ticks.length - 1);

  // Energy in parts of a mWh, so small that every reading's share of a tick is a whole number of them.
  let partsPerMilliWh = 1n;
  for (const [index, sample] of samples.entries()) {
    const length = (sample.timeMs - (samples[index - 1]?.timeMs ?? sample.timeMs)) / tickMs;
    if (length > 1) partsPerMilliWh *= BigInt(length);
  }
  const energy = ticks.map(() => 0n);
  for (const [index, sample] of samples.entries()) {
    const before = samples[index - 1] ?? sample;
    const parts = BigInt(sample.milliWh - before.milliWh) * partsPerMilliWh;
    const length = (sample.timeMs - before.timeMs) / tickMs;
    if (length === 0) energy[tickOf(sample.timeMs)] = (energy[tickOf(sample.timeMs)] ?? 0n) + parts;
    for (let tick = 0; tick < length; tick += 1) {
      const at = tickOf(before.timeMs) + tick;
      energy[at] = (energy[at] ?? 0n) + parts / BigInt(length);
    }
  }

  const chargingTime: bigint[] = [];
  const idleTime: bigint[] = [];
  let freeMs = tariff.idleFreeMinutes * 60_000;
  for (let tick = 0; tick < ticks.length; tick += 1) {
    const timeMs = startMs + tick * tickMs;
    const length = stopMs === startMs ? 0 : tickMs;
    const isCharging = (charging ?? []).some(({ fromMs, toMs }) => fromMs <= timeMs && timeMs < toMs);
    chargingTime.push(BigInt(isCharging ? length : 0));
    const isFree = !isCharging && freeMs > 0;
    if (isFree) freeMs -= length;
    idleTime.push(BigInt(isCharging || isFree ? 0 : length));
  }

  const stepMs = BigInt(tariff.timeStepSeconds) * 1000n;
  const idleHasStep = idleTime.some((time, tick) => time > 0n && (ticks[tick]?.idlePrice ?? 0n) > 0n);
  const unit = 10n ** BigInt(minorUnitDigits(tariff.currency) ?? 0);
  const minor = (amount: bigint, per: bigint): number => halfUp(amount * unit, per * 1_000_000n);
  return {
    startFeeMinor: minor(BigInt(tariff.startFeeMicro), 1n),
    energyMinor: minor(
      billed(energy, ticks.map((tick) => tick.energyPrice), BigInt(tariff.energyStepWh) * 1000n * partsPerMilliWh), 1_000_000n * partsPerMilliWh,
    ),
    chargingMinor: minor(billed(chargingTime, ticks.map((tick) => tick.chargingPrice), idleHasStep ? 1n : stepMs), 60_000n),
    idleMinor: minor(billed(idleTime, ticks.map((tick) => tick.idlePrice), stepMs), 60_000n),
  };
}

function billed(quantities: readonly bigint[], prices: readonly bigint[], step: bigint): bigint {
  let amount = 0n;
  let total = 0n;
  let last = 0n;
  quantities.forEach((quantity, tick) => {
    const price = prices[tick] ?? 0n;
    if (quantity > 0n && price > 0n) {
      amount += quantity * price;
      total += quantity;
      last = price;
    }
  });
  const over = total % step;
  return over === 0n ? amount : amount + (step - over) * last;
}

function halfUp(value: bigint, divisor: bigint): number {
  const down = value / divisor;
  return Number((value - down * divisor) * 2n >= divisor ? down + 1n : down);
}

function tickAt(timeMs: number, timeZone: string, tariff: Tariff): Tick {
  const clock = Temporal.Instant.fromEpochMilliseconds(timeMs).toZonedDateTimeISO(timeZone);
  const minute = clock.hour * 60 + clock.minute;
  const today = clock.dayOfWeek;
  const yesterday = today === 1 ? 7 : today - 1;
  const tick = { energyPrice: tariff.energyPerKwhMicro, chargingPrice: tariff.chargingPerMinuteMicro, idlePrice: tariff.idlePerMinuteMicro };
  // The last one first, so that earlier ones overwrite it.
  for (const rate of [...tariff.rates].reverse()) {
    const on = (day: number): boolean => rate.weekdays.length === 0 || rate.weekdays.includes(day);
    const begunToday = on(today) && minute >= rate.fromMinute && (minute < rate.toMinute || rate.toMinute <= rate.fromMinute);
    const begunYesterday = on(yesterday) && rate.toMinute <= rate.fromMinute && minute < rate.toMinute;
    if (!begunToday && !begunYesterday) continue;
    tick.energyPrice = rate.energyPerKwhMicro ?? tick.energyPrice;
    tick.chargingPrice = rate.chargingPerMinuteMicro ?? tick.chargingPrice;
    tick.idlePrice = rate.idlePerMinuteMicro ?? tick.idlePrice;
  }
  return { energyPrice: BigInt(tick.energyPrice), chargingPrice: BigInt(tick.chargingPrice), idlePrice: BigInt(tick.idlePrice) };
}
