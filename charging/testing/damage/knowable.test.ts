import { describe, expect, it } from 'vitest';
import { hours } from '../events.ts';
import { damages } from './damages.ts';
import type { Damage } from './damages.ts';
import { Dice } from './dice.ts';
import { knowableOf } from './knowable.ts';
import type { Knowable } from './knowable.ts';
import { makeWorld } from './truth.ts';

/**
 * What is knowable of the sessions that a damage touches: their start, stop and energy, each always, never, or `some`: it hangs on what the
 * damage meets. Sessions without a transaction id are known only where all of them arrives, and in time. Where the register counts the session, zero at the start is known without being told.
 */
const knowable: Readonly<Record<string, readonly [start: string, stop: string, energy: string]>> = {
  'a start is lost': ['never', 'always', 'some'],
  'a stop is lost': ['always', 'never', 'never'],
  'samples are lost': ['always', 'always', 'always'],
  'statuses are lost': ['always', 'always', 'always'],
  'all but the stop is lost': ['never', 'always', 'some'],
  'an event is sent again': ['always', 'always', 'always'],
  'an event is sent again under another id': ['always', 'always', 'always'],
  'a start is repeated': ['always', 'always', 'always'],
  'events come out of order within minutes': ['always', 'always', 'always'],
  'events come hours late': ['always', 'always', 'always'],
  'a station is offline for hours and tells it then': ['always', 'always', 'always'],
  'a clock stands in 1970': ['some', 'some', 'some'],
  'a clock is far ahead': ['some', 'some', 'some'],
  'a clock of a sample is off by hours': ['always', 'always', 'some'],
  // Who else is touched by it has but its times shifted, and all is known.
  'a clock is off by the same time always': ['never', 'never', 'never'],
  'a register is reset between two samples': ['always', 'always', 'some'],
  'a register rolls over': ['always', 'always', 'always'],
  'samples count from zero at the start': ['always', 'always', 'always'],
  'a start shows the session before': ['always', 'always', 'some'],
  'a start has zero in the place of a register that counts for ever': ['always', 'always', 'never'],
  'samples have no register': ['always', 'always', 'always'],
  'a start has no register': ['always', 'always', 'some'],
  'a stop has no register': ['always', 'always', 'never'],
  'a register is off once': ['always', 'always', 'always'],
  'a stop has no transaction id': ['always', 'always', 'always'],
  'a stop has the transaction id -1': ['always', 'always', 'always'],
  'a stop has a transaction id that nobody knows': ['always', 'always', 'always'],
  'a connector is used again without a stop': ['always', 'never', 'never'],
};

function howOften(all: readonly Knowable[], isKnown: (one: Knowable) => boolean): string {
  const count = all.filter(isKnown).length;
  return count === all.length ? 'always' : count === 0 ? 'never' : 'some';
}

function touchedBy(damage: Damage): readonly Knowable[] {
  return Array.from({ length: 60 }, (_unused, seed) => {
    const dice = new Dice(seed);
    const world = damage.apply(makeWorld(dice, 2, 2), dice);
    const withIds = new Set(world.sessions.filter((one) => one.station.ids).map((one) => one.sessionId));
    return [...knowableOf(world)].filter(([sessionId, one]) => withIds.has(sessionId) && !one.untouched).map(([, one]) => one);
  }).flat();
}

describe('what is knowable', () => {
  it('is all of a world without damage', () => {
    for (const one of knowableOf(makeWorld(new Dice(1), 2, 3)).values()) {
      expect([one.named, one.untouched, one.startMs, one.stopMs, one.energyMilliWh]).not.toContain(null);
      expect([one.named, one.untouched, one.stopElsewhere]).toEqual([true, true, false]);
    }
  });

  it('is told in time or late by when it happened, whatever its clock says', () => {
    const clockOff = damages.find((one) => one.name === 'a clock is off by the same time always') as Damage;
    const dice = new Dice(1);
    const plain = makeWorld(dice, 2, 3);
    const late = hours(1);
    for (const world of [plain, clockOff.apply(plain, dice)]) {
      const delayed = world.deliveries.map((one) => ({ ...one, arrivesMs: one.arrivesMs + late }));
      expect([...knowableOf({ ...world, deliveries: delayed }).values()].some((one) => one.untouched)).toBe(false);
    }
  });

  it('is no stop where only a start is told, however often', () => {
    const { stations, sessions, deliveries } = makeWorld(new Dice(1), 2, 3);
    const starts = deliveries.filter((one) => one.event.type === 'TransactionStarted');
    const world = { stations, sessions, deliveries: [...starts, ...starts] };
    expect(new Set([...knowableOf(world).values()].map((one) => one.stopsBetween))).toEqual(new Set([null]));
  });

  it('is written down for every damage', () => {
    expect(Object.keys(knowable)).toEqual(damages.map((one) => one.name));
  });

  it.each(damages.map((one) => [one.name, one] as const))('of sessions where %s is what is written down', (name, damage) => {
    const touched = touchedBy(damage);
    expect([
      howOften(touched, (one) => one.startMs !== null), howOften(touched, (one) => one.stopMs !== null), howOften(touched, (one) => one.energyMilliWh !== null),
    ]).toEqual(knowable[name]);
  });
});
