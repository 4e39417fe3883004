import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../testing/property-runs.ts';
import { Agenda } from './agenda.ts';

type Step = { readonly do: 'add'; readonly atMs: number; readonly kind: number } | { readonly do: 'take'; readonly untilMs: number };

const steps = fc.array(fc.oneof(
  fc.record({ do: fc.constant('add' as const), atMs: fc.integer({ min: 0, max: 40 }).map((value) => value / 2), kind: fc.nat(15) }),
  fc.record({ do: fc.constant('take' as const), untilMs: fc.nat(25) }),
), { maxLength: 300 });

describe('the agenda', () => {
  it('gives what a list sorted by time and entry gives, up to a time', () => {
    fc.assert(fc.property(steps, (all: readonly Step[]) => {
      const agenda = new Agenda();
      const list: (readonly number[])[] = [];
      let entered = 0;
      for (const step of all) {
        if (step.do === 'add') {
          agenda.add(step.atMs, step.kind, entered, entered + 7);
          list.push([Math.ceil(step.atMs), entered, step.kind]);
          entered += 1;
          continue;
        }
        list.sort(([time = 0, order = 0], [otherTime = 0, otherOrder = 0]) => time - otherTime || order - otherOrder);
        while (list.length > 0 && (list[0]?.[0] as number) < step.untilMs) {
          const [time, order, kind] = list.shift() as readonly number[];
          expect(agenda.next(step.untilMs)).toBe(true);
          expect([agenda.timeMs, agenda.subject, agenda.kind, agenda.stamp]).toEqual([time, order, kind, (order as number) + 7]);
        }
        expect(agenda.next(step.untilMs)).toBe(false);
        expect(agenda.size).toBe(list.length);
      }
    }), propertyRuns(300));
  });

  it('holds more than it had room for at first', () => {
    const agenda = new Agenda();
    for (let at = 0; at < 5_000; at += 1) agenda.add((at * 7_919) % 5_000, 1, at);
    const times: number[] = [];
    while (agenda.next(Number.POSITIVE_INFINITY)) times.push(agenda.timeMs);
    expect(times).toEqual(Array.from({ length: 5_000 }, (_, at) => at));
  });
});
