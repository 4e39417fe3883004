/**
 * How fast a network is simulated: `node bench/simulator.ts [--profile city] [--rounds 5] [--minutes 720] [--form records|json-lines|none] [--no-ledger] [--districts 1]`.
 * One thread, encoding included; CPU time of the thread beside the clock, as others may be at work on the machine.
 */
import { parseArgs } from 'node:util';
import { DistrictGroup } from '../simulator/district-group.ts';
import { districtCount } from '../simulator/network/network.ts';
import { readProfile } from '../simulator/read-profile.ts';

const { values } = parseArgs({
  options: {
    profile: { type: 'string', default: 'city' }, rounds: { type: 'string', default: '5' }, minutes: { type: 'string', default: '1440' },
    form: { type: 'string', default: 'records' }, 'no-ledger': { type: 'boolean', default: false },
  },
});
const profile = readProfile(values.profile);
const minutes = Number(values.minutes);
const rounds: { readonly perSecond: number; readonly perCpuSecond: number; readonly messages: number }[] = [];

for (let round = 0; round <= Number(values.rounds); round += 1) {
  const group = new DistrictGroup({
    profile, seed: `bench-${round}`, startMs: Date.parse(profile.startsAt), slices: minutes, worker: 0, workers: 1, ledger: !values['no-ledger'],
    form: values.form === 'json-lines' ? { kind: 'json-lines' } : { kind: 'records', ids: { event: 1, station: 2 } },
  });
  const startedMs = performance.now();
  const before = process.threadCpuUsage();
  let bytes = 0;
  for (let slice = 0; slice < minutes; slice += 1) for (const districts of group.advance(1)) for (const { segment } of districts) bytes += segment.events.length;
  const { user, system } = process.threadCpuUsage(before);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { messages, sessions } = group.figures;
  const one = { messages, perSecond: messages / seconds, perCpuSecond: messages / ((user + system) / 1e6) };
  process.stdout.write(`${round === 0 ? 'warm-up' : `round ${round}`}: ${messages} messages, ${sessions} sessions, ${bytes} bytes; ${Math.round(one.perSecond)}/s, ${Math.round(one.perCpuSecond)}/CPU-s\n`);
  if (round > 0) rounds.push(one);
}
const sorted = (pick: (one: (typeof rounds)[number]) => number): string => {
  const all = rounds.map(pick).sort((left, right) => left - right);
  return `min ${Math.round(all[0] ?? 0)}, median ${Math.round(all[all.length >> 1] ?? 0)}, max ${Math.round(all.at(-1) ?? 0)}`;
};
process.stdout.write(`${profile.name}, ${districtCount(profile)} districts, ${minutes} minutes, ${values.form}${values['no-ledger'] ? ', no ledger' : ''}\n`);
process.stdout.write(`messages/s:     ${sorted(({ perSecond }) => perSecond)}\nmessages/CPU-s: ${sorted(({ perCpuSecond }) => perCpuSecond)}\n`);
process.stdout.write(`memory: ${Math.round(process.memoryUsage().rss / 1_048_576)} MB now, ${Math.round(process.resourceUsage().maxRSS / 1_024)} MB at most\n`);
