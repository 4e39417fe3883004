import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './servers-cluster.ts';
import type { Fleet, Pod } from './servers-fleet.ts';
import type { InputFeed } from './servers-input.ts';
import { counted } from './servers-pod-log.ts';
import type { Fault, FaultKind } from './servers-schedule.ts';
import { faultText } from './servers-schedule.ts';

/** Longest wait for pods that are to go on before the next fault. */
const workMs = 30_000;
/** Longest wait until running pods have all tasks, in all and while no task comes or goes; on a busy machine everything takes its time. */
const completeMs = 900_000;
const completeStallMs = 180_000;
/** After so long a pod knows of each of its tasks whether it is still its owner (`worker.ts`). */
const quietMs = 3_000;

export interface ChaosOptions {
  readonly cluster: Cluster;
  readonly fleet: Fleet;
  readonly feed: InputFeed;
  readonly faults: Iterator<Fault, never>;
  /** Pods that run when nothing else is said. */
  readonly pods: number;
  readonly sessionTimeoutMs: number;
  readonly events: number;
  readonly perSecond: number;
  readonly report: (line: string) => void;
}

export interface RollingRestart {
  /** Claims of tasks that had been there all the time, or that went away and came back although no session had ended: none is right. */
  readonly reloads: number;
  /** Tasks that went away and came back where the machine had so little time for pods that sessions ended. */
  readonly excused: number;
  /** From the last pod's being ready until the readers were less than a second of input behind. */
  readonly lagBackMs: number;
}

type Place = 'pods' | 'clickhouse';

/** Inflicts fault after fault on pods and servers, some at the same time, and tells of each what the pods did. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly #busy: Record<Place, Promise<void>[]> = { pods: [], clickhouse: [] };
  #startedMs = performance.now();
  #failure: unknown = null;
  #progress = { ms: 0, processed: 0 };
  readonly counts: Record<string, number> = {};
  readonly rollingRestarts: RollingRestart[] = [];
  /** True when Redis may have lost commits: tables are to be judged with FINAL. */
  rewound = false;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  /** Until the time is over, all of `kinds` have been there and the input has come in. Then all servers serve, and the wanted pods run. */
  async run(forMs: number, kinds: ReadonlySet<FaultKind>): Promise<void> {
    const { fleet, feed, faults } = this.#options;
    const isOver = (): boolean => performance.now() - this.#startedMs >= forMs && [...kinds].every((kind) => (this.counts[kind] ?? 0) > 0);
    this.#startedMs = performance.now();
    let number = 0;
    let worked = 0;
    let last: string | null = null;
    while (!isOver() || !feed.done) {
      if (isOver()) {
        await fleet.until(() => feed.done || this.#failure !== null, 5_000);
        if (this.#failure !== null) throw this.#failure;
        continue;
      }
      const fault = faults.next().value;
      if (fault.afterWork) await fleet.until(() => this.#failure !== null || (fleet.complete && (feed.done || fleet.processed > worked)), workMs);
      await fleet.until(() => this.#failure !== null, fault.gapMs);
      if (this.#failure !== null) throw this.#failure;
      if (last !== null) this.#tell(last);
      last = `${String(++number).padStart(3)} ${faultText(fault)}`;
      const done = await this.#inflict(fault);
      if (!done) last = null;
      worked = fleet.processed;
      if (done) this.counts[fault.kind] = (this.counts[fault.kind] ?? 0) + 1;
    }
    await this.#free('clickhouse');
    await this.#free('pods');
    if (last !== null) this.#tell(last);
    for (const pod of this.#wantedPods()) pod.start();
  }

  /** Ends the run with this error at the next fault. */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /** Records that have been appended and not processed. */
  get lag(): number {
    return this.#options.feed.appended - this.#options.fleet.processed;
  }

  /** How far it is: events in, per second since the last time, how far behind, how long still. */
  progress(): string {
    const { feed, fleet, events } = this.#options;
    const ms = performance.now() - this.#startedMs;
    const { processed } = fleet;
    const rate = Math.max(0, (processed - this.#progress.processed) / (ms - this.#progress.ms) * 1_000);
    const overall = processed / ms * 1_000;
    this.#progress = { ms, processed };
    const left = overall > 0 ? `${Math.round((events - processed) / overall)} s` : '?';
    const undelivered = fleet.running.reduce((sum, pod) => sum + (pod.status?.outboxRows ?? 0), 0);
    return `[${(ms / 1_000).toFixed(0).padStart(4)} s] ${processed} of ${events} done, ${Math.round(rate)}/s, lag ${feed.appended - processed}, about ${left} left, ${undelivered} rows to deliver`;
  }

  #tell(what: string): void {
    const { fleet, report } = this.#options;
    const tasks = fleet.pods.map((pod) => `${pod.name}:${pod.running ? (pod.asleep ? 'zz' : pod.status?.tasks.length ?? '..') : '-'}`).join(' ');
    const did = Object.entries(counted(fleet.happenings())).map(([name, count]) => `${name} ${count}`).join(', ');
    report(`${this.progress()} | ${what} | ${tasks} | ${did === '' ? 'nothing to tell' : did}`);
  }

  #wantedPods(): readonly Pod[] {
    return this.#options.fleet.pods.slice(0, this.#options.pods);
  }

  /** False when the fault could not be inflicted. */
  async #inflict(fault: Fault): Promise<boolean> {
    const { cluster, fleet, feed } = this.#options;
    switch (fault.kind) {
      case 'kill':
        return this.#kill(fault.pods, fault.choice, fault.downMs);
      case 'zombie': {
        const victim = this.#chosen(fault.choice);
        if (victim === undefined) return false;
        await fleet.until(() => fleet.complete, 10_000);
        this.#begin('pods', victim.sleep(this.#options.sessionTimeoutMs + fault.beyondMs));
        return true;
      }
      case 'scale':
        await this.#free('pods');
        for (const count of fault.counts) await this.#scale(count, fault.pauseMs);
        return true;
      case 'rolling restart':
        await this.#rollingRestart();
        return true;
      case 'restart Redis':
        if (fault.ending === 'kill' && cluster.fsync === 'everysec') this.rewound = true;
        await cluster.restart(cluster.redis, fault.ending, fault.downMs);
        return true;
      case 'copy Redis':
        await cluster.copyRedis();
        return true;
      case 'rewind Redis':
        if (!cluster.hasCopy) return false;
        this.rewound = true;
        await cluster.rewindRedis();
        return true;
      case 'restart Kafka':
        // The input is not what is tried here: it stands still meanwhile.
        await feed.pause();
        await cluster.restart(cluster.kafka, fault.ending, fault.downMs);
        feed.resume();
        return true;
      case 'restart ClickHouse':
        await this.#free('clickhouse');
        await cluster.restart(cluster.clickhouse, fault.ending, fault.downMs);
        return true;
      case 'refuse':
      case 'hang':
        await this.#free('clickhouse');
        this.#begin('clickhouse', cluster.disturb(fault.kind, fault.forMs, fault.kind === 'hang' && fault.restart));
        return true;
      case 'insert':
        await this.#free('clickhouse');
        await cluster.clickhouse.mode(fault.mode, fault.times);
        return true;
    }
  }

  #begin(place: Place, work: Promise<void>): void {
    const guarded = work.catch((error: unknown) => this.fail(error));
    this.#busy[place].push(guarded);
  }

  /** Waits until what goes on there is over. */
  async #free(place: Place): Promise<void> {
    await Promise.all(this.#busy[place].splice(0));
    if (this.#failure !== null) throw this.#failure;
  }

  #chosen(choice: number): Pod | undefined {
    const awake = this.#options.fleet.running.filter((pod) => !pod.asleep);
    return awake[Math.floor(choice * awake.length)];
  }

  async #kill(pods: number, choice: number, downMs: number): Promise<boolean> {
    const first = this.#chosen(choice);
    if (first === undefined) return false;
    const awake = this.#options.fleet.running.filter((pod) => !pod.asleep);
    const at = awake.indexOf(first);
    const victims = Array.from({ length: Math.min(pods, awake.length) }, (_, index) => awake[(at + index) % awake.length] as Pod);
    await Promise.all(victims.map((pod) => pod.kill()));
    await sleep(downMs);
    for (const pod of victims) pod.start();
    return true;
  }

  async #scale(count: number, pauseMs: number): Promise<void> {
    const { fleet } = this.#options;
    await Promise.all(fleet.pods.slice(count).map((pod) => pod.stop()));
    for (const pod of fleet.pods.slice(0, count)) pod.start();
    await this.#complete();
    await fleet.until(() => false, pauseMs);
  }

  /** Waits until each task is with one pod, and all of them are ready. */
  async #complete(): Promise<void> {
    const { fleet } = this.#options;
    const endMs = performance.now() + completeMs;
    const owners = (): string => JSON.stringify([...fleet.owners()]);
    for (let before = owners(); !await fleet.until(() => fleet.settled, completeStallMs);) {
      const now = owners();
      if (now === before) throw new Error(`the pods do not have all tasks, and none came or went for ${completeStallMs} ms:\n${fleet.describe()}`);
      if (performance.now() > endMs) throw new Error(`the pods do not have all tasks after ${completeMs} ms:\n${fleet.describe()}`);
      before = now;
    }
  }

  async #rollingRestart(): Promise<void> {
    const { fleet, feed, perSecond, report } = this.#options;
    await this.#free('pods');
    await this.#free('clickhouse');
    await this.#complete();
    await fleet.until(() => false, quietMs); // tasks that were claimed by two at the last rebalance have learnt it
    await this.#complete();
    const startedMs = performance.now();
    const stopsMs: string[] = [];
    const again: Reload[] = [];
    for (const pod of fleet.running) {
      const stoppedMs = performance.now();
      let goneMs = 0;
      again.push(...await this.#reloadedIn(async () => {
        await pod.stop();
        goneMs = performance.now() - stoppedMs;
      }));
      stopsMs.push(`${Math.round(goneMs)} and ${Math.round(performance.now() - stoppedMs)}`);
      again.push(...await this.#reloadedIn(async () => pod.start()));
    }
    const readyMs = performance.now();
    const flowing = !feed.done;
    const back = await fleet.until(() => this.lag < perSecond, 60_000);
    const lagBackMs = back ? Math.round(performance.now() - readyMs) : Number.POSITIVE_INFINITY;
    const wrong = again.filter(({ excused }) => !excused);
    this.rollingRestarts.push({ reloads: wrong.length, excused: again.length - wrong.length, lagBackMs });
    report(`    rolling restart in ${((readyMs - startedMs) / 1_000).toFixed(1)} s (each pod gone, and its tasks elsewhere, after ${stopsMs.join('; ')} ms): ${
      wrong.length} tasks reloaded that had stayed${wrong.length === 0 ? '' : ` (${wrong.slice(0, 5).map(({ text }) => text).join(', ')})`}${
      again.length === wrong.length ? '' : `, ${again.length - wrong.length} more because sessions ended while the machine had no time for pods`}, lag under 1 s of input after ${
      lagBackMs} ms${flowing ? '' : ' (the input had ended)'}`);
  }

  /**
   * Claims, while pods come or go, of tasks by a process that had them before and has them afterwards: it should have kept them. One that was told to
   * give a task away and got it back is excused where pods got no processor for longer than half a session.
   */
  async #reloadedIn(change: () => Promise<void>): Promise<readonly Reload[]> {
    const { fleet, sessionTimeoutMs } = this.#options;
    fleet.happenings();
    const before = fleet.owners();
    await change();
    await this.#complete();
    const after = fleet.owners();
    const happenings = fleet.happenings();
    const starvedMs = happenings.reduce((sum, one) => sum + (one.starvedMs ?? 0), 0);
    return happenings.filter(({ what, task, pod, life }) => what === 'claimed' && task !== null
      && before.get(task) === `${pod}/${life}` && after.get(task) === `${pod}/${life}`).map(({ task, pod, life }) => ({
      text: `${task} by ${pod}/${life}`,
      excused: starvedMs > sessionTimeoutMs / 2 && happenings.some((one) => one.what !== 'claimed' && one.task === task && one.pod === pod && one.life === life),
    }));
  }
}

interface Reload {
  readonly text: string;
  readonly excused: boolean;
}
