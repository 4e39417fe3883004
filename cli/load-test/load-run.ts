import { chargingTopics } from '../../charging/topics.ts';
import type { Configuration } from '../../runtime/configuration.ts';
import type { Ports } from '../../runtime/ports.ts';
import type { Profile } from '../../simulator/profile.ts';
import { tariffsByType } from '../../simulator/reference/reference-data.ts';
import { referenceRecords } from '../simulate/reference-records.ts';
import type { LoadTestOptions } from './load-test-options.ts';
import type { LoadSample } from './samples.ts';

/** The thread that writes is busy with other work, or waits for the log: it takes from the simulator what lasts for a while. */
const MESSAGES_AT_ONCE = 5_000;

/** A load test, whatever it runs on. */
export interface LoadRun {
  readonly profile: Profile;
  readonly days: number;
  readonly options: LoadTestOptions;
  readonly progress: (sample: LoadSample) => void;
}

/** What simulation.json of the ledger says. */
export function aboutSimulation({ profile, days, options }: LoadRun): object {
  const { name, startsAt, reporting, faults } = profile;
  return { profile: name, seed: options.seed, startsAt, days, registers: reporting.registers, faults, tariffs: tariffsByType(profile) };
}

export function slicesAtOnce({ days, options }: LoadRun): number {
  return Math.min(1_440, Math.max(15, Math.ceil((MESSAGES_AT_ONCE * days * 1_440) / options.events)));
}

/** Tariffs and vehicles into topics that are made for them: they must be there before the product begins. */
export async function feedReferences({ log, registry }: Ports, { partitions }: Configuration, profile: Profile): Promise<void> {
  await log.createTopics(chargingTopics(partitions));
  const producer = await log.producer();
  try {
    await producer.append(await referenceRecords(registry, profile, Date.parse(profile.startsAt)));
  } finally {
    await producer.close();
  }
}
