import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { sliding, slidingChanges, type HeldWindow, type SlidingChange } from './sliding-windows.ts';
import { firstStartMs, hopping, tumbling, windowsAt } from './time-windows.ts';

describe('time windows', () => {
  it('hold exactly the times from their start up to but not with their end', () => {
    const any = fc.record({ sizeMs: fc.integer({ min: 1, max: 50 }), advance: fc.integer({ min: 1, max: 50 }), timestampMs: fc.nat(500) });
    fc.assert(fc.property(any, ({ sizeMs, advance, timestampMs }) => {
      const advanceMs = Math.min(advance, sizeMs);
      const windows = hopping({ sizeMs, advanceMs, graceMs: 0 });
      const expected = [];
      for (let startMs = 0; startMs <= timestampMs; startMs += advanceMs) {
        if (timestampMs < startMs + sizeMs) expected.push({ startMs, endMs: startMs + sizeMs });
      }
      expect(windowsAt(windows, timestampMs)).toEqual(expected);
    }), propertyRuns(500));
  });

  it('adjoin when they tumble', () => {
    const windows = tumbling({ sizeMs: 10, graceMs: 0 });
    expect([0, 9, 10, 19].map((timestampMs) => firstStartMs(windows, timestampMs))).toEqual([0, 0, 10, 10]);
  });

  it('never start before 0', () => {
    expect(windowsAt(hopping({ sizeMs: 10, advanceMs: 4, graceMs: 0 }), 3)).toEqual([{ startMs: 0, endMs: 10 }]);
  });

  it('refuse sizes that make no sense, by name', () => {
    expect(() => tumbling({ sizeMs: 0, graceMs: 0 })).toThrow(/TOPOLOGY_INVALID: sizeMs is 0/);
    expect(() => tumbling({ sizeMs: 1.5, graceMs: 0 })).toThrow(/sizeMs/);
    expect(() => tumbling({ sizeMs: 1, graceMs: -1 })).toThrow(/graceMs/);
    expect(() => hopping({ sizeMs: 10, advanceMs: 11, graceMs: 0 })).toThrow(/leave out records/);
    expect(() => sliding({ timeDifferenceMs: 0, graceMs: 0 })).toThrow(/timeDifferenceMs/);
  });
});

describe('sliding windows', () => {
  const changesOf = (differenceMs: number, timestampMs: number, held: readonly HeldWindow<number>[]): readonly SlidingChange<number>[] => {
    const changes: SlidingChange<number>[] = [];
    slidingChanges(differenceMs, timestampMs, held, (change) => changes.push(change));
    return changes;
  };

  it('begin with a window that ends at the first record', () => {
    expect(changesOf(10, 50, [])).toEqual([{ kind: 'begin', startMs: 40 }]);
  });

  it('make the window right behind an earlier record, and one that ends at the new one', () => {
    const held = [{ timeMs: 40, value: { value: 1, timestampMs: 50 } }];
    expect(changesOf(10, 55, held)).toEqual([
      { kind: 'begin', startMs: 51 },
      { kind: 'extend', startMs: 45, earlier: 1 },
    ]);
  });

  it('share the window from 0 among records earlier than the difference', () => {
    const held = [{ timeMs: 0, value: { value: 1, timestampMs: 4 } }];
    expect(changesOf(10, 4, held)).toEqual([{ kind: 'add', window: held[0] }]);
    expect(changesOf(10, 3, held)).toEqual([{ kind: 'copy', startMs: 4, later: held[0] }, { kind: 'add', window: held[0] }]);
  });
});
