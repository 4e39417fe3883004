/**
 * How fast a network is simulated, and what of it is the simulation, the ledger and the encoding:
 * `node bench/simulator.ts --help`. One thread; the variants take turns. CPU time of the thread beside the clock, as others may be at work on the machine.
 */
import { Option } from 'commander';
import { DistrictGroup, SLICE_MS } from '../simulator/district-group.ts';
import type { OutputForm } from '../simulator/district-group.ts';
import { noLedger } from '../simulator/ledger/ledger-encoder.ts';
import { DistrictRun } from '../simulator/network/district-run.ts';
import { districtCount } from '../simulator/network/network.ts';
import type { Profile } from '../simulator/profile.ts';
import { readProfile, shippedProfiles } from '../simulator/read-profile.ts';
import { readBy, script, whole } from '../test/script-options.ts';

const values = script('node bench/simulator.ts',
  'How fast one thread simulates a network: messages per second, of processor time and by the clock, with nothing written, as Avro records, and with the ledger. '
    + 'Needs nothing beside Node.')
  .addOption(new Option('--profile <name>', `a JSON file, or one of ${shippedProfiles().join(', ')}`).argParser(readBy(readProfile)).default(readProfile('city'), 'city'))
  .option('--rounds <number>', 'counted rounds, behind one to warm up', whole(1), 5)
  .option('--minutes <number>', 'simulated time of each round, in minutes', whole(1), 1_440)
  .parse()
  .opts<{ readonly profile: Profile; readonly rounds: number; readonly minutes: number }>();
const { minutes, profile } = values;
const startMs = Date.parse(profile.startsAt);
const records: OutputForm = { kind: 'records', ids: { event: 1, station: 2 } };

/** Simulates all of it; gives how many messages there were. */
function encoded(form: OutputForm, ledger: boolean) {
  return (seed: string): number => {
    const group = new DistrictGroup({ profile, seed, startMs, slices: minutes, worker: 0, workers: 1, ledger, form });
    for (let slice = 0; slice < minutes; slice += 1) group.advance(1);
    return group.figures.messages;
  };
}

function alone(seed: string): number {
  const nowhere = { event: () => undefined, malformed: () => undefined, station: () => undefined };
  const runs = Array.from({ length: districtCount(profile) }, (_, number) => new DistrictRun(profile, seed, number, startMs, nowhere, noLedger));
  for (let slice = 1; slice <= minutes; slice += 1) for (const run of runs) run.run(startMs + slice * SLICE_MS);
  for (const run of runs) run.finish(startMs + minutes * SLICE_MS);
  return runs.reduce((sum, run) => sum + run.figures.messages, 0);
}

const variants = [
  { name: 'nothing written', run: alone, rounds: [] as { readonly perSecond: number; readonly perCpuSecond: number }[] },
  { name: 'Avro records', run: encoded(records, false), rounds: [] },
  { name: 'Avro records and ledger', run: encoded(records, true), rounds: [] },
  { name: 'JSON lines and ledger', run: encoded({ kind: 'json-lines' }, true), rounds: [] },
];
let messages = 0;
for (let round = 0; round <= values.rounds; round += 1) {
  for (const { run, rounds } of variants) {
    const startedMs = performance.now();
    const before = process.threadCpuUsage();
    messages = run(`bench-${round}`);
    const { user, system } = process.threadCpuUsage(before);
    // The first round warms up.
    if (round > 0) rounds.push({ perSecond: (messages * 1_000) / (performance.now() - startedMs), perCpuSecond: (messages * 1e6) / (user + system) });
  }
}
process.stdout.write(`${profile.name}, ${districtCount(profile)} districts, ${minutes} minutes, about ${messages} messages; min, median, max of ${values.rounds} rounds\n`);
for (const { name, rounds } of variants) {
  const spread = (pick: 'perSecond' | 'perCpuSecond'): string => {
    const all = rounds.map((one) => one[pick]).sort((left, right) => left - right);
    return [all[0], all[all.length >> 1], all.at(-1)].map((value) => String(Math.round(value ?? 0)).padStart(8)).join('');
  };
  process.stdout.write(`${name.padEnd(26)} messages/CPU-s ${spread('perCpuSecond')}   messages/s ${spread('perSecond')}\n`);
}
process.stdout.write(`memory: ${Math.round(process.resourceUsage().maxRSS / 1_024)} MB at most\n`);
