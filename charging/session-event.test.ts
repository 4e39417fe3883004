import { describe, expect, it } from 'vitest';
import { aheadMaxMs, behindMaxMs, earliestEventMs, eventTimeOf, latestEventMs, reasonToSetAside } from './session-event.ts';
import { charging, days, ten } from './testing/events.ts';

function time(timestampMs: number, receivedMs: number | null, offline = false) {
  return eventTimeOf(charging({ type: 'Heartbeat', timestampMs, receivedMs, offline }));
}

describe('the time of an event', () => {
  it('is the device’s, where it can be', () => {
    expect(time(ten, null)).toEqual({ kind: 'device', ms: ten });
    expect(time(ten, ten + 300)).toEqual({ kind: 'device', ms: ten });
    expect(time(earliestEventMs, null)).toEqual({ kind: 'device', ms: earliestEventMs });
  });

  it('is the reception’s when the device is more than ten minutes ahead of it', () => {
    expect(time(ten + aheadMaxMs, ten)).toEqual({ kind: 'device', ms: ten + aheadMaxMs });
    expect(time(ten + aheadMaxMs + 1, ten)).toEqual({ kind: 'received', ms: ten });
  });

  it('is the reception’s when the device is more than seven days behind it, but for what was kept back offline', () => {
    expect(time(ten - behindMaxMs, ten)).toEqual({ kind: 'device', ms: ten - behindMaxMs });
    expect(time(ten - behindMaxMs - 1, ten)).toEqual({ kind: 'received', ms: ten });
    expect(time(ten - days(100), ten, true)).toEqual({ kind: 'device', ms: ten - days(100) });
    expect(time(ten - days(100), null)).toEqual({ kind: 'device', ms: ten - days(100) });
  });

  it('is the reception’s when the device’s clock was never set, also offline', () => {
    expect(time(0, ten, true)).toEqual({ kind: 'received', ms: ten });
    expect(time(latestEventMs, ten)).toEqual({ kind: 'received', ms: ten });
  });

  it('is unknown when both are absurd, or there is no reception', () => {
    expect(time(0, null).kind).toBe('unknown');
    expect(time(earliestEventMs - 1, 0).kind).toBe('unknown');
    expect(reasonToSetAside(charging({ type: 'Heartbeat', timestampMs: 0 }))).toContain('absurd');
  });
});
