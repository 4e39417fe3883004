import { describe, expect, it } from 'vitest';
import { HEALTHY_AFTER_MS, QUICK_DEATHS_MAX, RestartPolicy } from './restart-policy.ts';

describe('the policy of restarts', () => {
  it('waits twice as long each time, up to half a minute', () => {
    const policy = new RestartPolicy();
    expect(Array.from({ length: 9 }, () => policy.died(0))).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('begins anew after a minute of health, not before', () => {
    const policy = new RestartPolicy();
    for (let death = 0; death < 4; death++) policy.died(0);
    expect(policy.died(HEALTHY_AFTER_MS - 1)).toBe(8_000);
    expect(policy.died(HEALTHY_AFTER_MS)).toBe(500);
  });

  it('gives up after five deaths when none was ever ready, and never once one was', () => {
    const policy = new RestartPolicy();
    for (let death = 1; death < QUICK_DEATHS_MAX; death++) {
      policy.died(0);
      expect(policy.hopeless(false)).toBe(false);
    }
    policy.died(0);
    expect([policy.hopeless(false), policy.hopeless(true)]).toEqual([true, false]);
  });
});
