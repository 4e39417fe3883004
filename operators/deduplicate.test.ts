import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { int64 } from '../schemas/builtin-codecs.ts';
import { propertyRuns } from '../schemas/testing/property-runs.ts';
import { deduplicate, type DeduplicateOptions } from './deduplicate.ts';
import { OperatorHarness } from './testing/harness.ts';

const at = (value: string, timestampMs: number, key = 'a') => ({ key, value, timestampMs });
const run = (options: Partial<DeduplicateOptions<string, string>> = {}) =>
  new OperatorHarness(deduplicate<string, string>('once', { by: (value) => value, withinMs: 10, ...options }));

describe('deduplicate', () => {
  it('lets the first of equal records through, per key, also after a restart', () => {
    const running = run();
    running.push(at('x', 0), at('x', 1), at('x', 1, 'b'));
    running.restart();
    running.push(at('x', 2), at('y', 2));
    expect(running.take()).toEqual([at('x', 0), at('x', 1, 'b'), at('y', 2)]);
    expect(running.dropped).toEqual({ duplicate: 2 });
  });

  it('remembers through withinMs and forgets behind it', () => {
    const running = run();
    running.push(at('x', 0), at('x', 10));
    expect(running.take()).toHaveLength(1);
    running.push(at('x', 11));
    expect(running.take()).toHaveLength(1);
    expect(running.take()).toEqual([]);
  });

  it('gives an old record its full horizon from when it was first seen', () => {
    const running = run();
    running.push(at('now', 1_000), at('old', 5), at('old', 5), at('later', 1_010), at('old', 5));
    expect(running.take().map(({ value }) => value)).toEqual(['now', 'old', 'later']);
    running.push(at('much later', 1_011), at('old', 5));
    expect(running.take().map(({ value }) => value)).toEqual(['much later', 'old']);
  });

  it('forgets by the progress of the key alone when told so', () => {
    const running = run({ timeScope: 'key' });
    running.push(at('x', 0), at('far', 1_000, 'b'), at('x', 3), at('y', 11), at('x', 11));
    expect(running.take().map(({ key, value }) => key + value)).toEqual(['ax', 'bfar', 'ay', 'ax']);
  });

  it('forgets the one seen first when a key has too many', () => {
    const running = run({ maxEntriesPerKey: 2 });
    running.push(at('x', 0), at('y', 0), at('z', 0));
    running.restart();
    running.push(at('y', 1), at('x', 1), at('y', 1));
    expect(running.take().map(({ value }) => value)).toEqual(['x', 'y', 'z', 'x', 'y']);
  });

  it('lets records without a key through', () => {
    const running = new OperatorHarness(deduplicate<string | null, string>('once', { by: String, withinMs: 10 }));
    const record = { key: null, value: 'x', timestampMs: 0 };
    running.push(record, record);
    expect(running.take()).toEqual([record, record]);
  });

  it('takes other keys with their form, and says so when it is missing', () => {
    const numbers = new OperatorHarness(deduplicate<number, string>('once', { by: String, withinMs: 10, key: int64 }));
    const record = (key: number) => ({ key, value: 'x', timestampMs: 0 });
    numbers.push(record(1), record(1), record(2));
    expect(numbers.take()).toEqual([record(1), record(2)]);
    const missing = new OperatorHarness(deduplicate<number, string>('once', { by: String, withinMs: 10 }));
    missing.push(record(1));
    expect(String(missing.failures[0]?.error)).toMatch(/needs the form of keys/);
  });

  it('forgets by the time of idle sources, too, where time is the step\'s', () => {
    const running = run({ timeScope: 'task' });
    running.push(at('x', 100), at('y', 100, 'b'));
    running.stores.commit();
    running.idle(110);
    expect(running.stores.takeChanges()).toEqual([]);
    running.idle(111);
    expect(running.stores.takeChanges().map(({ value }) => value)).toEqual([null, null]);
    running.push(at('x', 100));
    expect(running.take()).toHaveLength(3);
  });

  it('is a list of what was seen when, with any order, limits, idle times and restarts', () => {
    const step = fc.record({ idleMs: fc.option(fc.nat(15)), key: fc.constantFrom('a', '1:a', ''), value: fc.constantFrom('x', 'y', 'z', ''), stepMs: fc.integer({ min: -20, max: 6 }), restart: fc.boolean() });
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom('task' as const, 'key' as const), fc.integer({ min: 1, max: 3 }), (steps, timeScope, maxEntriesPerKey) => {
      const running = run({ timeScope, maxEntriesPerKey });
      let seen: { key: string; value: string; seenMs: number }[] = [];
      let highestMs = 100;
      const progress = new Map<string, number>();
      let idleMs = -1;
      for (const { key, value, stepMs, restart, idleMs: further } of steps) {
        if (further !== null && progress.size > 0) {
          idleMs = Math.max(idleMs, Math.max(...progress.values()) + further);
          running.idle(idleMs);
        }
        const timestampMs = highestMs + stepMs;
        highestMs = Math.max(highestMs, timestampMs);
        progress.set(key, Math.max(progress.get(key) ?? -1, timestampMs));
        // The task's time begins with its first record, the model's at 100: only differences count.
        const nowMs = timeScope === 'task' ? Math.max(idleMs, ...progress.values()) : (progress.get(key) as number);
        seen = seen.filter((sighting) => (timeScope === 'key' && sighting.key !== key) || sighting.seenMs >= nowMs - 10);
        const isNew = !seen.some((sighting) => sighting.key === key && sighting.value === value);
        if (isNew) {
          seen.push({ key, value, seenMs: nowMs });
          const own = seen.filter((sighting) => sighting.key === key);
          if (own.length > maxEntriesPerKey) seen = seen.filter((sighting) => sighting !== own[0]);
        }
        running.push(at(value, timestampMs, key));
        expect(running.take()).toHaveLength(isNew ? 1 : 0);
        if (restart) running.restart();
      }
    }), propertyRuns());
  });
});
