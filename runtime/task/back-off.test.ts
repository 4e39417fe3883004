import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BackOff } from './back-off.ts';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

it('waits 50 ms, then twice as long each time, and at most 5 s', async () => {
  const backOff = new BackOff(new AbortController().signal);
  const waits: number[] = [];
  for (let wait = 0; wait < 9; wait++) {
    const startedMs = Date.now();
    const waited = backOff.wait();
    await vi.advanceTimersToNextTimerAsync();
    await waited;
    waits.push(Date.now() - startedMs);
  }
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
});

it('ends at once, with the reason, when the task is dropped during or before it', async () => {
  const abort = new AbortController();
  const backOff = new BackOff(abort.signal);
  const waited = backOff.wait();
  abort.abort(new Error('dropped'));
  await expect(waited).rejects.toThrow('dropped');
  await expect(backOff.wait()).rejects.toThrow('dropped');
  expect(vi.getTimerCount()).toBe(0);
});
