import { describe, expect, it } from 'vitest';
import { positionWithin } from './positions.ts';

describe('the position of a claim', () => {
  const bounds = { start: 10, end: 20 };
  const policy = (onOffsetOutOfRange: 'fail' | 'earliest') => {
    const notices: string[] = [];
    return { onOffsetOutOfRange, reset: false, notice: (message: string) => void notices.push(message), notices };
  };

  it('is that of the state, from the oldest record to the end', () => {
    const fail = policy('fail');
    expect([10, 15, 20].map((stored) => positionWithin(stored, bounds, 'task t_0', fail))).toEqual([10, 15, 20]);
    expect(fail.notices).toEqual([]);
  });

  it('is refused outside of these, with what there is, or is the oldest record, with a notice', () => {
    for (const stored of [9, 21]) {
      expect(() => positionWithin(stored, bounds, 'task t_0', policy('fail')))
        .toThrow(`where: task t_0\n  wanted: an offset from 10 to 20\n  got: ${stored}`);
      const earliest = policy('earliest');
      expect([positionWithin(stored, bounds, 'task t_0', earliest), earliest.notices.length]).toEqual([10, 1]);
    }
  });
});
