import { describe, expect, it } from 'vitest';
import { createLogger } from '../logger.ts';
import { memoryLimitOf } from './limit.ts';
import { MemoryGuard } from './memory-guard.ts';
import type { MemoryReading } from './memory-guard.ts';

const mb = 1_048_576;

/** A guard over a memory that the test sets, with a limit of 1,000 MB. */
function guarded() {
  const lines: Record<string, unknown>[] = [];
  let reading: MemoryReading = { residentBytes: 0, heapBytes: 0, heapLimitBytes: 4_000 * mb };
  let afterCollection: number | null = null;
  let nowMs = 0;
  let collections = 0;
  const guard = new MemoryGuard({
    limitBytes: 1_000 * mb,
    logger: createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } }),
    use: () => ({ stores: new Map([['small', 1], ['sessions', 500], ['a', 2], ['b', 3], ['c', 4], ['d', 5]]), outboxBytes: 3 * mb, bufferedRecords: 7 }),
    read: () => reading, nowMs: () => nowMs,
    collect: () => {
      collections++;
      if (afterCollection !== null) reading = { ...reading, residentBytes: afterCollection * mb };
    },
  });
  const look = (residentMb: number, afterMs = 1_000): boolean => {
    nowMs += afterMs;
    reading = { ...reading, residentBytes: residentMb * mb };
    guard.look();
    return guard.paused;
  };
  return {
    guard, lines, look, collections: () => collections,
    heap: (heapMb: number) => { reading = { ...reading, heapBytes: heapMb * mb }; },
    freeing: (toMb: number | null) => { afterCollection = toMb; },
  };
}

describe('the guard of memory', () => {
  it('warns from 80 % on, once a minute, with what takes it', () => {
    const { look, lines } = guarded();
    look(799);
    expect(lines).toEqual([]);
    look(800);
    look(900);
    expect(lines).toMatchObject([{
      level: 'warn', msg: '80 % of the memory is taken; at 100 % tasks pause', limitMb: 1_000, residentMb: 800,
      stateEntries: { sessions: 500, d: 5, c: 4, b: 3, a: 2 }, outboxMb: 3, bufferedRecords: 7,
    }]);
    look(900, 60_000);
    expect(lines).toHaveLength(2);
  });

  it('pauses at 100 %, and goes on below 90 %, not before', () => {
    const { look, lines } = guarded();
    expect([look(999), look(1_000), look(950), look(900), look(899)]).toEqual([false, true, true, true, false]);
    expect(lines.map(({ msg }) => msg)).toEqual([
      '100 % of the memory is taken; at 100 % tasks pause', 'memory is full: tasks read no input until less of it is taken', 'memory has been freed: tasks go on',
    ]);
  });

  it('collects garbage before it pauses, and while it pauses, every ten seconds at most', () => {
    const { look, freeing, collections } = guarded();
    freeing(500);
    expect(look(1_100)).toBe(false);
    expect(collections()).toBe(1);
    freeing(null);
    expect(look(1_100)).toBe(true);
    for (let second = 0; second < 20; second++) look(1_000);
    expect(collections()).toBe(3);
    freeing(100);
    look(1_000, 10_000);
    expect(look(100)).toBe(false);
  });

  it('takes 90 % of the heap that V8 allows as full, too', () => {
    const { guard, look, heap } = guarded();
    heap(3_599);
    expect(look(100)).toBe(false);
    heap(3_600);
    expect(look(100)).toBe(true);
    expect(guard.share).toBeCloseTo(1);
  });

  it('collects for real', () => {
    const logger = createLogger({ level: 'silent' });
    const guard = new MemoryGuard({ limitBytes: 1, logger, use: () => ({ stores: new Map(), outboxBytes: 0, bufferedRecords: 0 }) });
    guard.start();
    expect(guard.paused).toBe(true);
    expect(guard.usedBytes).toBeGreaterThan(mb);
    guard.stop();
  });
});

describe('the limit of memory', () => {
  it('is the setting, else a share of the container, else of the machine', () => {
    const machineBytes = 16_000 * mb;
    const of = (configuredMb: number | null, constrainedBytes: number) => memoryLimitOf({ configuredMb, constrainedBytes, machineBytes });
    expect(of(512, 1_000 * mb)).toEqual({ bytes: 512 * mb, from: 'memory.limitMb' });
    expect(of(null, 1_000 * mb)).toEqual({ bytes: 850 * mb, from: '85 % of what the container may use' });
    for (const none of [0, 2 ** 64]) expect(of(null, none)).toEqual({ bytes: 12_000 * mb, from: '75 % of the machine' });
  });
});
