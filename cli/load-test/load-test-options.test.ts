import { describe, expect, it } from 'vitest';
import { Latencies } from './latencies.ts';
import { dueAt, dueBy, loadTestOptionsFrom, paceOf } from './load-test-options.ts';
import type { LoadSample } from './samples.ts';
import { highestRateHeld, SampleSeries } from './samples.ts';

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
    latencies.due(0, 90, 1_000);
    latencies.due(0, 10, 2_000);
    latencies.visible(new Map([[0, 89]]), 5_000);
    expect(latencies.figures).toBeNull();
    latencies.visible(new Map([[0, 90]]), 6_000);
    expect(latencies.takeRecent()).toBe(5_000);
    latencies.visible(new Map([[0, 100]]), 22_000);
    expect(latencies.takeRecent()).toBe(20_000);
    expect(latencies.figures).toEqual({ p50Ms: 5_000, p95Ms: 20_000, p99Ms: 20_000, maxMs: 20_000 });
  });

  it('of a partition that stands still are not hidden by one that goes on', () => {
    const latencies = new Latencies();
    for (const partition of [0, 1]) latencies.due(partition, 100, 1_000);
    latencies.due(1, 100, 2_000);
    latencies.visible(new Map([[1, 200]]), 3_000);
    latencies.visible(new Map([[0, 100], [1, 200]]), 41_000);
    expect(latencies.figures?.maxMs).toBe(40_000);
  });
});

describe('samples', () => {
  it('are thinned when there are many, and keep the last one and the highest memory', () => {
    const series = new SampleSeries();
    for (let at = 0; at < 9_001; at += 1) series.add({ seconds: at, sent: 0, processed: 0, lag: 0, rowsDelivered: 0, visible: 0, latencyP95Ms: null, memoryMb: at === 17 ? 900 : 1, cpuSeconds: 0, rate: null });
    const seconds = series.samples.map((sample) => sample.seconds);
    expect(seconds.length).toBeGreaterThan(900);
    expect(seconds.length).toBeLessThanOrEqual(2_001);
    expect([seconds[0], seconds.at(-1), series.memoryPeakMb]).toEqual([0, 9_000, 900]);
    expect(seconds).toEqual(seconds.toSorted((left, right) => left - right));
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
