import { describe, expect, it, vi } from 'vitest';
import { answerWithin } from './answer-within.ts';

const silent = (): Error => new Error('silence');

describe('answerWithin', () => {
  it('gives the answer or the failure that comes in time, and leaves no timer', async () => {
    vi.useFakeTimers();
    await expect(answerWithin({ timeoutMs: 10, silent }, async () => 7)).resolves.toBe(7);
    await expect(answerWithin({ timeoutMs: 10, silent }, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('fails as told when nothing comes, and hears no later failure', async () => {
    let refuse: (error: Error) => void = () => undefined;
    await expect(answerWithin({ timeoutMs: 1, silent }, () => new Promise((_, reject) => {
      refuse = reject;
    }))).rejects.toThrow('silence');
    refuse(new Error('too late'));
    await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it('ends with the reason of a signal, and asks nothing of one that is aborted', async () => {
    const ended = new AbortController();
    const waiting = answerWithin({ timeoutMs: 60_000, silent, signal: ended.signal }, () => new Promise(() => undefined));
    ended.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    const ask = vi.fn(async () => 1);
    await expect(answerWithin({ timeoutMs: 1, silent, signal: ended.signal }, ask)).rejects.toThrow('stopped');
    expect(ask).not.toHaveBeenCalled();
  });

  it('leaves nothing behind when asking itself throws', async () => {
    vi.useFakeTimers();
    await expect(answerWithin({ timeoutMs: 10, silent }, () => {
      throw new Error('at once');
    })).rejects.toThrow('at once');
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});
