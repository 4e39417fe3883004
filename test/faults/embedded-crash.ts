/**
 * kill -9 of the whole embedded product, again and again, and a comparison with an undisturbed run:
 * `node test/faults/embedded-crash.ts --kills 25 --seed 7`; `--help` explains all options.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dundeeFiles } from '../../charging/session-log/dundee-files.ts';
import type { FaultInput } from './embedded-input.ts';
import { faultInput } from './embedded-input.ts';
import { problemsOf } from './embedded-judge.ts';
import type { Observation } from './embedded-observation.ts';
import type { KillPoint } from './embedded-points.ts';
import { killPoints } from './embedded-points.ts';
import type { Kill } from './embedded-process.ts';
import { aboveZero, script, whole } from '../script-options.ts';
import { randomFrom } from '../seeded-random.ts';
import { runOnce } from './embedded-process.ts';
import type { EmbeddedRun } from './embedded-run.ts';

export interface FaultReport {
  /** Processes that were killed, by the phase they had come to. */
  readonly kills: Readonly<Record<string, number>>;
  /** Data folders that were finished and judged. */
  readonly folders: number;
  readonly problems: readonly string[];
}

/** One workload: an undisturbed run of it, and folders in which processes die until the work is done. */
export class CrashRun {
  readonly #folder = mkdtempSync(join(tmpdir(), 'voltstream-faults-'));
  readonly #input: FaultInput;
  readonly #kills: Record<string, number> = {};
  readonly #problems: string[] = [];
  #reference: Observation | null = null;
  #folders = 0;
  #fresh = true;

  constructor(input: FaultInput | 'full' | { readonly rows: number; readonly sessions: number }) {
    if (input === 'full') this.#input = { sessionLogs: dundeeFiles(), jsonLines: [] };
    else this.#input = 'rows' in input ? faultInput(this.#folder, input) : input;
  }

  get report(): FaultReport {
    return { kills: this.#kills, folders: this.#folders, problems: this.#problems };
  }

  /** The undisturbed run, with which all others are compared. */
  async prepare(): Promise<void> {
    this.#reference = await this.#finish(join(this.#folder, 'reference'));
  }

  note(problem: string): void {
    this.#problems.push(problem);
  }

  /** Starts a process in the present folder and kills it; when it was done before that, the folder is judged and another begins. */
  async kill(kill: Kill): Promise<boolean> {
    return this.#killed(await runOnce(this.#run(this.#present), kill));
  }

  /** Lets a process die at a named point. False when it has come to its end instead: there was no n-th time. */
  async killAt(point: KillPoint, nth: number): Promise<boolean> {
    const before = this.#fresh;
    if (await this.#killed(await runOnce({ ...this.#run(this.#present), kill: { point, nth } }))) return true;
    return before ? false : this.killAt(point, nth);
  }

  /** Lets the present folder come to its end and judges it. */
  async finish(): Promise<void> {
    if (!this.#fresh) await this.#judge();
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #present(): string {
    return join(this.#folder, `run-${this.#folders}`);
  }

  #run(data: string): EmbeddedRun {
    return { ...this.#input, data };
  }

  async #killed(ended: Awaited<ReturnType<typeof runOnce>>): Promise<boolean> {
    this.#fresh = false;
    if (ended.how === 'failed') this.#problems.push(`a process failed after "${ended.phase}": ${ended.errors}`);
    if (ended.how === 'killed') {
      this.#kills[ended.phase] = (this.#kills[ended.phase] ?? 0) + 1;
      return true;
    }
    await this.#judge();
    return false;
  }

  async #judge(): Promise<void> {
    const data = this.#present;
    const found = await this.#finish(data);
    if (found !== null && this.#reference !== null) this.#problems.push(...problemsOf(found, this.#reference));
    if (this.#problems.length === 0) rmSync(data, { recursive: true, force: true });
    this.#folders++;
    this.#fresh = true;
  }

  /** Runs to the end, and looks at what a further start, which has nothing to do, finds. */
  async #finish(data: string): Promise<Observation | null> {
    const observeInto = `${data}.json`;
    for (const last of [{}, { observeInto }]) {
      const ended = await runOnce({ ...this.#run(data), ...last });
      if (ended.how === 'done') continue;
      this.#problems.push(`an undisturbed process ended (${ended.how}) after "${ended.phase}": ${ended.errors}`);
      return null;
    }
    return JSON.parse(readFileSync(observeInto, 'utf8')) as Observation;
  }
}

/** Kills at random moments: while a process starts, while it takes input, and while it processes and delivers what is there. */
export async function randomKills(run: CrashRun, kills: number, seed: number, workMs: number): Promise<void> {
  const random = randomFrom(seed);
  for (let killed = 0; killed < kills && run.report.problems.length === 0;) {
    const choice = random();
    const fraction = random();
    const kill: Kill = choice < 0.2
      ? { after: 'start', delayMs: fraction * 1_200 }
      : choice < 0.6 ? { after: 'ready', delayMs: fraction * workMs } : { after: 'ingested', delayMs: fraction * workMs };
    if (await run.kill(kill)) killed++;
  }
  await run.finish();
}

/** Kills at every named point, at its n-th time for each n. A point that never comes is a problem: the list would be a lie. */
export async function sweepPoints(run: CrashRun, points: readonly KillPoint[], nths: readonly number[]): Promise<void> {
  for (const nth of nths) {
    for (const point of points) {
      if (run.report.problems.length > 0) return;
      if (!(await run.killAt(point, nth))) run.note(`the point ${point} does not come ${nth} times`);
    }
  }
  await run.finish();
}

async function main(): Promise<void> {
  const values = script('node test/faults/embedded-crash.ts',
    'Kills the process of the whole embedded product at random moments, and compares every row and record with those of an undisturbed run. Prints a report as JSON; exit '
      + 'code 1 on any difference. Needs nothing beside Node.')
    .option('--kills <number>', 'at random moments', whole(0), 25)
    .option('--seed <number>', 'decides the moments (default: by the clock; the report names it)', whole())
    .option('--full', "take all of Dundee's sessions, not a part with bad rows among them", false)
    .option('--work-ms <number>', 'longest time from a start to its kill, in ms (default: 1500; with --full: 6000)', aboveZero)
    .option('--points', 'first kill at every named point, at its first, second, fourth and ninth time', false)
    .parse()
    .opts<{ readonly kills: number; readonly seed?: number; readonly full: boolean; readonly workMs?: number; readonly points: boolean }>();
  const seed = values.seed ?? Date.now() % 1_000_000;
  const run = new CrashRun(values.full ? 'full' : { rows: 6_000, sessions: 1_000 });
  const startedMs = performance.now();
  await run.prepare();
  if (values.points) await sweepPoints(run, killPoints, [1, 2, 4, 9]);
  await randomKills(run, values.kills, seed, values.workMs ?? (values.full ? 6_000 : 1_500));
  const { problems } = run.report;
  process.stdout.write(`${JSON.stringify({ seed, ...run.report, seconds: Math.round((performance.now() - startedMs) / 1_000) }, null, 2)}\n`);
  if (problems.length === 0) run.remove();
  process.exitCode = problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) await main();
