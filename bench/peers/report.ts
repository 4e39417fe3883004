/** Figures as lines and as a table. */
import type { Figures } from './run.ts';
import { sides } from './sides.ts';
import type { Side } from './sides.ts';
import type { Workload } from './workloads.ts';

export interface Result extends Figures {
  readonly workload: Workload;
  readonly side: Side;
  readonly round: number;
  /** Of what it wrote; see `digestOf`. */
  readonly digest: string;
  readonly keys: number;
  /** All of it, with starts and the comparison. */
  readonly seconds: number;
}

/** A run without figures. */
export interface Failure {
  readonly workload: Workload;
  readonly side: Side;
  readonly round: number;
  readonly failed: string;
  readonly seconds: number;
}

export function isResult(one: Result | Failure): one is Result {
  return !('failed' in one);
}

export function describeFigures(figures: Figures): string {
  const { eventsPerSecond, applicationSecondsPerMillion, redisSecondsPerMillion, brokerSecondsPerMillion, startSeconds, peakMegabytes, redisPeakMegabytes } = figures;
  return `${whole(eventsPerSecond)}/s; CPU-s per million: application ${applicationSecondsPerMillion.toFixed(2)}, Redis ${redisSecondsPerMillion.toFixed(2)}, broker ${brokerSecondsPerMillion.toFixed(2)}`
    + `, before the first event ${startSeconds.toFixed(1)} s; ${whole(figures.outputRecords)} records out, the first ${whole(figures.firstOutputMs)} ms after the start; peak ${whole(peakMegabytes)} MB`
    + `${redisPeakMegabytes === 0 ? '' : ` and Redis ${whole(redisPeakMegabytes)} MB`}; others took ${(figures.othersShare * 100).toFixed(0)} % of the machine`;
}

function whole(value: number): string {
  return Number.isNaN(value) ? 'none' : Math.round(value).toLocaleString('en-US');
}

/** Processor time of what one runs for it: the application, and Redis where it needs one. */
export function secondsPerMillion({ applicationSecondsPerMillion, redisSecondsPerMillion }: Figures): number {
  return applicationSecondsPerMillion + redisSecondsPerMillion;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** The middle one; of an even number the mean of both in the middle. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const half = sorted.length / 2;
  return { min: at(0), median: sorted.length % 2 === 1 ? at(Math.floor(half)) : (at(half - 1) + at(half)) / 2, max: at(sorted.length - 1) };
}

/** `compared`: ours is told as a multiple of theirs. */
const columns: readonly (readonly [title: string, value: (figures: Figures) => number, digits: number, compared?: boolean])[] = [
  ['events/s', (figures) => figures.eventsPerSecond, 0],
  ['CPU-s per million, application and Redis', secondsPerMillion, 2],
  ['broker', (figures) => figures.brokerSecondsPerMillion, 2],
  ['records out', (figures) => figures.outputRecords, 0],
  ['peak MB, application and Redis', (figures) => figures.peakMegabytes + figures.redisPeakMegabytes, 0],
  ['start to first output, ms', (figures) => figures.firstOutputMs, 0],
  ['others, % of the machine', (figures) => figures.othersShare * 100, 0, false],
];

/** In Markdown: median (minimum - maximum) of the rounds, and what ours is of each peer's. */
export function tableOf(runs: readonly (Result | Failure)[]): string {
  const results = runs.filter(isResult);
  const lines = [`| workload | side | rounds | ${columns.map(([title]) => title).join(' | ')} |`, `|---|---|---|${columns.map(() => '---|').join('')}`];
  for (const workload of new Set(results.map((result) => result.workload))) {
    const of = (side: Side): readonly Result[] => results.filter((result) => result.workload === workload && result.side === side);
    const ours = of('voltstream');
    const present = sides.filter((side) => of(side).length > 0);
    for (const side of present) {
      const cells = columns.map(([, value, digits]) => {
        const { min, median, max } = spreadOf(of(side).map(value));
        const text = (number: number): string => number.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
        return text(min) === text(max) ? text(median) : `${text(median)} (${text(min)} - ${text(max)})`;
      });
      lines.push(`| ${workload} | ${side} | ${of(side).length} | ${cells.join(' | ')} |`);
    }
    for (const side of present) {
      if (side === 'voltstream' || ours.length === 0) continue;
      lines.push(`| ${workload} | **voltstream to ${side}** | | ${columns.map(([, value, , compared = true]) => compared ? ratio(ours.map(value), of(side).map(value)) : '').join(' | ')} |`);
    }
  }
  const failures = runs.filter((one): one is Failure => !isResult(one)).map(({ workload, side, round, failed }) => `\n${workload}, ${side}, round ${round}: ${failed.split('\n')[0]}\n`);
  return `${lines.join('\n')}\n${failures.join('')}`;
}

function ratio(ours: readonly number[], theirs: readonly number[]): string {
  return `${(spreadOf(ours).median / spreadOf(theirs).median).toFixed(2)} times`;
}
