import { noLedger } from '../../simulator/ledger/ledger-encoder.ts';
import { SLICE_MS } from '../../simulator/district-group.ts';
import { DistrictRun } from '../../simulator/network/district-run.ts';
import { districtCount } from '../../simulator/network/network.ts';
import type { Profile } from '../../simulator/profile.ts';

const SLICES_MAX = 3_660 * 1_440;

/** Simulated days within which at least so many messages come: simulates without writing anything. `tick` is called now and then. */
export async function daysForEvents(profile: Profile, seed: string, events: number, tick: (messages: number) => Promise<void>): Promise<number> {
  const startMs = Date.parse(profile.startsAt);
  const nowhere = { event: () => undefined, malformed: () => undefined, station: () => undefined };
  const runs = Array.from({ length: districtCount(profile) }, (_, number) => new DistrictRun(profile, seed, number, startMs, nowhere, noLedger));
  for (let slice = 1; slice <= SLICES_MAX; slice += 1) {
    for (const run of runs) run.run(startMs + slice * SLICE_MS);
    const messages = runs.reduce((sum, run) => sum + run.figures.messages, 0);
    if (messages >= events) return (slice * SLICE_MS) / 86_400_000;
    if (slice % 240 === 0) await tick(messages);
  }
  return SLICES_MAX / 1_440;
}
