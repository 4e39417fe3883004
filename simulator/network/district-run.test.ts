import { describe, expect, it } from 'vitest';
import type { ChargingEvent } from '../../schemas/generated/charging-event.ts';
import { readProfile, shippedProfiles } from '../read-profile.ts';
import type { ObservedRun } from '../testing/observed-run.ts';
import { observe, smaller, withFaults } from '../testing/observed-run.ts';

function groups<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, T[]> {
  const found = new Map<string, T[]>();
  for (const one of all) {
    const group = found.get(keyOf(one)) ?? [];
    found.set(keyOf(one), group);
    group.push(one);
  }
  return found;
}

/** Pairs of spans of one group that overlap. */
function overlaps<T extends { readonly fromMs: number; readonly toMs: number }>(spans: ReadonlyMap<string, readonly T[]>): number {
  let count = 0;
  for (const all of spans.values()) {
    const sorted = [...all].sort((left, right) => left.fromMs - right.fromMs);
    for (let at = 1; at < sorted.length; at += 1) if ((sorted[at] as T).fromMs < (sorted[at - 1] as T).toMs) count += 1;
  }
  return count;
}

const connectorOf = ({ stationId, evseId, connectorId }: { readonly stationId: string; readonly evseId: number; readonly connectorId: number }): string => `${stationId}/${evseId}/${connectorId}`;
const transactionOf = ({ stationId, transactionId }: ChargingEvent): string => `${stationId}/${transactionId}`;
const transactions = ({ events }: ObservedRun): ReadonlyMap<string, ChargingEvent[]> => groups(events.filter(({ transactionId }) => transactionId !== null), transactionOf);

describe.each(shippedProfiles())('profile %s', (name) => {
  const profile = smaller(readProfile(name), 8);
  const dirty = observe(profile, 1.5);
  const clean = observe(withFaults(profile), 1.5);

  it('has sessions, and tells of them', () => {
    expect(clean.sessions.length).toBeGreaterThan(20);
    expect(clean.figures.sessions).toBe(clean.sessions.length);
    expect(dirty.figures.messages).toBe(dirty.events.length + dirty.malformed.length);
    expect(clean.faults).toEqual([]);
  });

  it('never has two vehicles at a connector, nor a vehicle at two', () => {
    for (const { sessions } of [dirty, clean]) {
      const spans = sessions.map((session) => ({ ...session, fromMs: session.startMs, toMs: session.stopMs }));
      expect(overlaps(groups(spans, connectorOf))).toBe(0);
      expect(overlaps(groups(spans, ({ vehicle }) => String(vehicle)))).toBe(0);
    }
  });

  it('tells the same of itself: by its messages nothing overlaps', () => {
    const spans = [...transactions(clean).values()].map((all) => ({
      stationId: all[0]?.stationId ?? '', evseId: all[0]?.evseId ?? 0, connectorId: 1, token: all[0]?.idToken ?? '',
      fromMs: Math.min(...all.map(({ timestampMs }) => timestampMs)), toMs: Math.max(...all.map(({ timestampMs }) => timestampMs)),
    }));
    expect(spans.length).toBe(clean.sessions.length);
    expect(overlaps(groups(spans, connectorOf))).toBe(0);
    expect(overlaps(groups(spans, ({ token }) => token))).toBe(0);
  });

  it('without faults tells every transaction whole: start, numbers without gaps, a register that never falls, stop', () => {
    const bySession = transactions(clean);
    for (const session of clean.sessions.slice(0, 500)) {
      const all = [...bySession.get(session.sessionId) ?? []].sort((left, right) => (left.seqNo ?? 0) - (right.seqNo ?? 0));
      expect(all.map(({ seqNo }) => seqNo)).toEqual(all.map((_, at) => at));
      expect([all[0]?.type, all.at(-1)?.type]).toEqual(['TransactionStarted', 'TransactionEnded']);
      const first = all[0]?.meterWh ?? Number.NaN;
      expect(all.map(({ timestampMs, meterWh }) => [timestampMs, (meterWh ?? Number.NaN) - first])).toEqual(session.readings);
      expect(session.readings.every(([atMs, wh], at) => at === 0 || (atMs >= (session.readings[at - 1]?.[0] ?? 0) && wh >= (session.readings[at - 1]?.[1] ?? 0)))).toBe(true);
      expect([session.readings[0], session.readings.at(-1)]).toEqual([[session.startMs, 0], [session.stopMs, session.energyWh]]);
      expect([session.messages, session.received, session.faults]).toEqual([all.length, all.length, []]);
    }
  });

  it('keeps its statuses without gaps, one behind the other', () => {
    const broken: unknown[] = [];
    for (const run of [clean, dirty]) {
      for (const all of groups(run.statuses, connectorOf).values()) {
        expect(all[0]?.fromMs).toBe(run.startMs);
        for (let at = 1; at < all.length; at += 1) {
          if (all[at]?.fromMs !== all[at - 1]?.toMs || all[at]?.status === all[at - 1]?.status) broken.push(all[at]);
        }
      }
    }
    expect(broken).toEqual([]);
  });

  it('gives no site more than it has', () => {
    const kindOf = new Map(profile.sites.map((site) => [site.type as string, site]));
    const siteOf = new Map(clean.stations.map(({ station }) => [station.stationId, station.siteId ?? '']));
    const beyond: string[] = [];
    for (const { events } of [clean, dirty]) {
      const samples = groups(events.filter(({ powerW, offline }) => powerW !== null && !offline), (event) => `${siteOf.get(event.stationId)}@${event.timestampMs}`);
      for (const [key, all] of samples) {
        const { powerMaxW = Number.POSITIVE_INFINITY, sitePowerMaxW = null } = kindOf.get(key.slice(0, key.indexOf('-'))) ?? {};
        const powers = [...new Map(all.map((event) => [connectorOf(event), event.powerW ?? 0])).values()];
        // Told in whole watts.
        if (powers.some((powerW) => powerW > powerMaxW + 1)) beyond.push(`connector at ${key}`);
        if (sitePowerMaxW !== null && powers.reduce((sum, powerW) => sum + powerW, 0) > sitePowerMaxW + powers.length) beyond.push(key);
      }
    }
    expect(beyond).toEqual([]);
  });

  it('ends with nothing open', () => {
    for (const run of [clean, dirty]) {
      expect(run.sessions.every(({ startMs, stopMs }) => startMs >= run.startMs && stopMs >= startMs && stopMs <= run.endMs)).toBe(true);
      expect(run.events.every(({ receivedMs }) => (receivedMs ?? 0) >= run.startMs)).toBe(true);
    }
  });
});
