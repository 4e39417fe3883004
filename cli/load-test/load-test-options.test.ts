import { describe, expect, it } from 'vitest';
import { Latencies } from './latencies.ts';
import { dueAt, dueBy, loadTestOptionsFrom, paceOf } from './load-test-options.ts';
import type { LoadSample } from './samples.ts';
import { highestRateHeld } from './samples.ts';

describe('the pace of a load test', () => {
  it('is max, a rate, or a ramp; anything else is told', () => {
    expect(paceOf('max')).toEqual({ kind: 'max' });
    expect(paceOf('2500')).toEqual({ kind: 'rate', perSecond: 2_500 });
    expect(paceOf('1000:20000:60')).toEqual({ kind: 'ramp', from: 1_000, to: 20_000, seconds: 60 });
    for (const text of ['', '0', 'fast', '1:2', '1:2:3:4', '-5', '1::3']) expect(() => paceOf(text)).toThrow('a rate of messages is wanted');
  });

  it('says when a message is due, so that as many are due by then', () => {
    for (const pace of [paceOf('2500'), paceOf('1000:20000:60'), paceOf('20000:1000:60'), paceOf('700:700:10')]) {
      for (const seconds of [0.1, 5, 59.9, 61, 300]) expect(dueAt(pace, dueBy(pace, seconds))).toBeCloseTo(seconds, 6);
    }
    expect(dueBy(paceOf('1000:3000:10'), 10)).toBe(20_000);
  });

  it('gives the number of messages by a duration, which needs a rate and no number beside it', () => {
    expect(loadTestOptionsFrom({ rate: '1000:3000:10', duration: '12' }).events).toBe(26_000);
    expect(() => loadTestOptionsFrom({ duration: '12' })).toThrow('--duration');
    expect(() => loadTestOptionsFrom({ rate: '5', duration: '12', events: '7' })).toThrow('--duration');
    expect(() => loadTestOptionsFrom({ events: 'many' })).toThrow('--events');
  });
});

describe('latencies', () => {
  it('count from when messages were due, as many as there were, whenever they were sent', () => {
    const latencies = new Latencies();
    latencies.due(90, 1_000);
    latencies.due(10, 2_000);
    latencies.visible(89, 5_000);
    expect(latencies.figures).toBeNull();
    latencies.visible(90, 6_000);
    expect(latencies.takeRecent()).toBe(5_000);
    latencies.visible(100, 22_000);
    expect(latencies.takeRecent()).toBe(20_000);
    expect(latencies.figures).toEqual({ p50Ms: 5_000, p95Ms: 20_000, p99Ms: 20_000, maxMs: 20_000 });
  });
});

describe('the highest rate held', () => {
  const sample = (rate: number | null, lag: number): LoadSample =>
    ({ seconds: 0, sent: 0, processed: 0, lag, rowsDelivered: 0, visible: 0, latencyP95Ms: null, memoryMb: 0, cpuSeconds: 0, rate });

  it('is the last before what waits stays above two seconds of it; a single pause is none', () => {
    expect(highestRateHeld([sample(100, 10), sample(200, 900), sample(300, 20), sample(400, 801), sample(500, 2_000), sample(600, 3_000), sample(700, 0)])).toBe(300);
    expect(highestRateHeld([sample(100, 201), sample(200, 500), sample(300, 900)])).toBeNull();
  });

  it('is unknown where none was wanted', () => expect(highestRateHeld([sample(null, 0)])).toBeNull());
});
