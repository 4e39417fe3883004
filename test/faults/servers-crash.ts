/**
 * Pods on Kafka, Redis and ClickHouse under seeded faults, judged against an undisturbed run: `npm run chaos -- --seed 1 --minutes 10`.
 * Starts every server itself. See docs/chaos.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aboveZero, listOption, oneOf, script, whole } from '../script-options.ts';
import { Cluster } from './servers-cluster.ts';
import { isSound, verdictLine } from './servers-judges.ts';
import { referenceOf } from './servers-reference.ts';
import type { ServersReport } from './servers-run.ts';
import { ServersRun } from './servers-run.ts';
import type { FaultKind } from './servers-schedule.ts';
import { faultKinds } from './servers-schedule.ts';

const rewindTimes = ['yes', 'no', 'by-seed'] as const;

const options = script('chaos', 'Pods of the whole product on Kafka, Redis and ClickHouse under faults, judged row by row and record by record against an undisturbed\n'
  + 'run, which is made once and kept in .voltstream/chaos. Needs java, mvn and redis-server. Exit code 1 on any difference.')
  .option('--seed <number>', 'decides faults, their order and their lengths', whole(0), 1)
  .option('--runs <number>', 'runs, each with the next seed', whole(1), 1)
  .option('--minutes <number>', 'of faults; then everything must come to its end', aboveZero, 10)
  .option('--events <number>', 'records of the topic of events: session logs repeated by years, with bad ones among them', whole(1_000), 2_000_000)
  .option('--pods <number>', 'that run usually; one more at times', whole(1), 3)
  .option('--partitions <number>', 'of each topic', whole(1), 8)
  .addOption(listOption('--kinds <list>', 'of faults', oneOf(faultKinds), faultKinds))
  .option('--rewinds <when>', 'put Redis back to an older copy: yes, no, or by-seed (even ones), since tables are then judged with FINAL', oneOf(rewindTimes), 'by-seed' as const)
  .option('--session-ms <number>', 'session time-out of the consumers, in ms', whole(1), 6_000)
  .option('--outage-ms <number>', 'how long ClickHouse refuses, and at most hangs, in ms', whole(1), 30_000)
  .option('--gap-ms <number>', 'longest pause before a fault, in ms', whole(1), 5_000)
  .option('--once', 'one round with every kind once, after at least so many minutes', false)
  .option('--keep', 'keep the logs of the pods of sound runs, too', false)
  .parse()
  .opts<{
    seed: number; runs: number; minutes: number; events: number; pods: number; partitions: number; kinds: readonly FaultKind[]; rewinds: typeof rewindTimes[number];
    sessionMs: number; outageMs: number; gapMs: number; once: boolean; keep: boolean;
  }>();

// Servers and pods end with this process, but only when it ends by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

function say(line: string): void {
  console.log(line);
}

/** Odd seeds are judged strictly and lose nothing in Redis; even ones have it put back, and killed while it may lose a second. */
function kindsOf(seed: number): ReadonlySet<FaultKind> {
  const rewinds = options.rewinds === 'yes' || (options.rewinds === 'by-seed' && seed % 2 === 0);
  return new Set(options.kinds.filter((kind) => rewinds || (kind !== 'copy Redis' && kind !== 'rewind Redis')));
}

function summary({ seed, faults, happenings, rollingRestarts, startsFailed, rewound, verdicts, sound, disturbedMs }: ServersReport): void {
  for (const verdict of verdicts) say(`  ${verdictLine(verdict)}`);
  const total = (what: 'lost' | 'extra' | 'repeated'): number => verdicts.reduce((sum, verdict) => sum + verdict[what], 0);
  say(`  faults ${JSON.stringify(faults)}`);
  say(`  pods ${JSON.stringify({ ...happenings, ...(startsFailed === 0 ? {} : { 'starts that found a server dead': startsFailed }) })}`);
  if (rollingRestarts.length > 0) say(`  rolling restarts: lag under 1 s of input after ${rollingRestarts.map(({ lagBackMs }) => `${lagBackMs} ms`).join(', ')}`);
  say(`seed ${seed}: ${sound ? 'exact' : 'WRONG'}${rewound ? ' (tables with FINAL)' : ''}, lost ${total('lost')}, duplicated ${total('repeated')}, wrong ${total('extra')}; ${
    options.events} events, ${verdicts.filter(isSound).length} of ${verdicts.length} verdicts sound, ${(disturbedMs / 1_000).toFixed(0)} s`);
}

async function run(seed: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), `voltstream-chaos-${seed}-`));
  const wanted = kindsOf(seed);
  const cluster = new Cluster(wanted.has('rewind Redis') ? 'everysec' : 'always');
  try {
    const reference = await referenceOf(options.events, options.partitions);
    say(`seed ${seed}: ${options.events} events in ${options.partitions} partitions, ${options.pods} pods, ${options.minutes} minutes; reference run ${
      reference.cached ? 'kept from before' : `took ${(reference.madeInMs / 1_000).toFixed(0)} s`}`);
    await cluster.start();
    const report = await new ServersRun({
      seed, minutes: options.minutes, events: options.events, pods: options.pods, partitions: options.partitions, kinds: wanted,
      sessionTimeoutMs: options.sessionMs, outageMs: options.outageMs, gapMsMax: options.gapMs, onceEach: options.once, cluster, reference, folder, report: say,
    }).run();
    summary(report);
    if (report.sound && !options.keep) rmSync(folder, { recursive: true, force: true });
    else say(`logs of the pods: ${folder}`);
    return report.sound;
  } catch (error) {
    say(`seed ${seed}: FAILED; logs of the pods: ${folder}\n${error instanceof Error ? error.stack : String(error)}`);
    return false;
  } finally {
    await cluster.dispose();
  }
}

let unsound = 0;
for (let seed = options.seed; seed < options.seed + options.runs; seed++) if (!(await run(seed))) unsound++;
if (options.runs > 1) say(`${options.runs - unsound} of ${options.runs} seeds exact`);
process.exit(unsound === 0 ? 0 : 1);
