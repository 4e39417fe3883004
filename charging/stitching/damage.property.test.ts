import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import { damaged, damages } from '../testing/damage/damages.ts';
import type { Damage } from '../testing/damage/damages.ts';
import { Dice } from '../testing/damage/dice.ts';
import { stitchingTopology } from '../testing/damage/front.ts';
import { judge } from '../testing/damage/judge.ts';
import type { Outcome } from '../testing/damage/judge.ts';
import { makeWorld } from '../testing/damage/truth.ts';
import type { World } from '../testing/damage/truth.ts';
import { charging, days, hours } from '../testing/events.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import type { LoadChange } from '../load/load-change.ts';
import type { SessionRow } from './session-row.ts';

/** What the product makes of a world, with restarts on the way, and time enough at its end. */
function outcomeOf(world: World, dice: Dice): Outcome {
  const driver = new TopologyTestDriver(stitchingTopology(), { commit: 'manual' });
  const know = (when: 'first' | 'later') => {
    for (const { station, known } of world.stations) if (known === when) driver.push('stations', station.stationId, station, station.validFromMs);
  };
  know('first');
  const deliveries = world.deliveries.toSorted((a, b) => a.arrivesMs - b.arrivesMs);
  const restartAt = dice.whole(0, deliveries.length);
  const commitAt = dice.whole(0, restartAt);
  let lastMs = Math.max(...world.sessions.map((one) => one.stopMs)) + days(1);
  deliveries.forEach(({ event, arrivesMs }, at) => {
    if (at === commitAt) driver.commit();
    if (at === restartAt) driver.restart();
    driver.push('events', event.stationId, event, arrivesMs);
    lastMs = Math.max(lastMs, arrivesMs + days(1));
  });
  know('later');
  for (const afterMs of [hours(1), days(2), days(70), days(150)]) {
    for (const { station } of world.stations) {
      const { stationId } = station;
      driver.push('events', stationId, charging({ type: 'Heartbeat', stationId, timestampMs: lastMs + afterMs }), lastMs + afterMs);
    }
  }
  driver.commit();
  const valuesOf = <V>(sink: string) => driver.take<string, V>(sink).map((record) => record.value);
  return { rows: valuesOf<SessionRow>('rows'), load: valuesOf<LoadChange>('load'), dead: valuesOf('dead').length, late: valuesOf('late').length };
}

const seeds = fc.record({ seed: fc.nat(), stations: fc.integer({ min: 1, max: 2 }), sessions: fc.integer({ min: 1, max: 3 }) });

function expectRight({ seed, stations, sessions }: typeof seeds extends fc.Arbitrary<infer T> ? T : never, names: readonly string[]): void {
  const dice = new Dice(seed);
  const chosen = names.map((name) => damages.find((one) => one.name === name) as Damage);
  const world = damaged(makeWorld(dice, stations, sessions), chosen, dice);
  expect(judge(world, outcomeOf(world, dice))).toEqual([]);
}

const runs = propertyRuns(150);
const patienceMs = 30_000 + runs.numRuns * 120;
const names = damages.map((one) => one.name);
const part = (of: number) => ({ ...runs, numRuns: Math.ceil(runs.numRuns / of) });

describe('sessions', () => {
  it('are the truth where nothing is damaged', () => {
    fc.assert(fc.property(seeds, (one) => expectRight(one, [])), part(4));
  }, patienceMs);

  it.each(names)('are the truth, or flagged, when %s', (name) => {
    fc.assert(fc.property(seeds, (one) => expectRight(one, [name])), part(names.length / 2));
  }, patienceMs);

  it('are the truth, or flagged, when two things go wrong', () => {
    const pairs = fc.uniqueArray(fc.constantFrom(...names), { minLength: 2, maxLength: 2 });
    fc.assert(fc.property(seeds, pairs, (one, chosen) => expectRight(one, chosen)), runs);
  }, patienceMs);

  it('never take the stop of a stranger, when all but that is lost, and their own is', () => {
    fc.assert(fc.property(seeds, (one) => expectRight(one, ['a connector is used again without a stop', 'all but the stop is lost'])), part(4));
  }, patienceMs);
});
