import type { ClickHouseMode } from '../services/clickhouse.ts';

/** How a server ends: SIGTERM, or kill -9. */
export type Ending = 'stop' | 'kill';

interface Moment {
  /** Not before the pods have all tasks and have gone on since the last fault: else it falls into a start or a rebalance. */
  readonly afterWork: boolean;
  readonly gapMs: number;
}

export type Fault = Moment & (
  /** kill -9 of so many pods at once, started again after a while. */
  | { readonly kind: 'kill'; readonly pods: number; readonly choice: number; readonly downMs: number }
  /** SIGSTOP for longer than the session, then SIGCONT: a zombie. Other faults go on meanwhile. */
  | { readonly kind: 'zombie'; readonly choice: number; readonly beyondMs: number }
  /** Pods are started and stopped gracefully until so many run, one count after the other. */
  | { readonly kind: 'scale'; readonly counts: readonly number[]; readonly pauseMs: number }
  /** Every pod is stopped gracefully and started again, one after the other. */
  | { readonly kind: 'rolling restart' }
  | { readonly kind: 'restart Redis'; readonly ending: Ending; readonly downMs: number }
  | { readonly kind: 'copy Redis' }
  /** Redis gets its last copy back: what was committed since is lost. */
  | { readonly kind: 'rewind Redis' }
  | { readonly kind: 'restart Kafka'; readonly ending: Ending; readonly downMs: number }
  | { readonly kind: 'restart ClickHouse'; readonly ending: Ending; readonly downMs: number }
  /** ClickHouse refuses connections for a while. Other faults go on meanwhile. */
  | { readonly kind: 'refuse'; readonly forMs: number }
  /** ClickHouse accepts connections and never answers. Ends by a restart, or by clients giving up. Other faults go on meanwhile. */
  | { readonly kind: 'hang'; readonly forMs: number; readonly restart: boolean }
  /** Inserts that fail: before the rows are taken, or after. */
  | { readonly kind: 'insert'; readonly mode: ClickHouseMode; readonly times: number }
);

export type FaultKind = Fault['kind'];

export const faultKinds = [
  'kill', 'zombie', 'scale', 'rolling restart', 'restart Redis', 'copy Redis', 'rewind Redis', 'restart Kafka', 'restart ClickHouse', 'refuse', 'hang', 'insert',
] as const satisfies readonly FaultKind[];

export interface ScheduleOptions {
  readonly pods: number;
  readonly kinds: ReadonlySet<FaultKind>;
  /** Longest pause before a fault. */
  readonly gapMsMax: number;
  /** How long ClickHouse refuses or hangs. */
  readonly outageMs: number;
  /** Every kind once a round, instead of some more often. */
  readonly onceEach?: boolean;
}

/** How often a round has a kind that it has more than once. */
const timesInRound: Partial<Record<FaultKind, number>> = { kill: 4, zombie: 2, insert: 2 };

/**
 * Faults without end, in rounds of random order that have each kind wanted. A copy of Redis comes before it is put back in the same round.
 */
export function* schedule(options: ScheduleOptions, random: () => number): Generator<Fault, never> {
  if (options.kinds.size === 0) throw new Error('no kind of fault is wanted');
  for (;;) {
    const round = faultKinds.filter((kind) => options.kinds.has(kind)).flatMap((kind) => Array.from({ length: options.onceEach === true ? 1 : timesInRound[kind] ?? 1 }, () => kind));
    for (let index = round.length - 1; index > 0; index--) {
      const other = Math.floor(random() * (index + 1));
      [round[index], round[other]] = [round[other] as FaultKind, round[index] as FaultKind];
    }
    const copy = round.indexOf('copy Redis');
    const rewind = round.indexOf('rewind Redis');
    if (rewind >= 0 && rewind < copy) [round[copy], round[rewind]] = ['rewind Redis', 'copy Redis'];
    for (const kind of round) yield faultOf(kind, options, random);
  }
}

function faultOf(kind: FaultKind, { pods, gapMsMax, outageMs }: ScheduleOptions, random: () => number): Fault {
  const one = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
  const moment: Moment = { afterWork: kind === 'rewind Redis' || random() < 0.7, gapMs: Math.round(random() * gapMsMax) };
  const downMs = Math.round(random() * 2_000);
  const ending = one<Ending>(['stop', 'kill']);
  const choice = random();
  switch (kind) {
    case 'kill':
      return { kind, ...moment, pods: one([1, 1, 1, 2, pods]), choice, downMs };
    case 'zombie':
      return { kind, ...moment, choice, beyondMs: 500 + Math.round(random() * 3_000) };
    case 'scale':
      return { kind, ...moment, counts: [1, pods + 1, 2, pods], pauseMs: 500 + Math.round(random() * 3_000) };
    case 'rolling restart':
    case 'copy Redis':
    case 'rewind Redis':
      return { kind, ...moment };
    case 'restart Redis':
    case 'restart Kafka':
    case 'restart ClickHouse':
      return { kind, ...moment, ending, downMs };
    case 'refuse':
      return { kind, ...moment, forMs: outageMs };
    case 'hang':
      return { kind, ...moment, forMs: Math.round(outageMs * (0.3 + 0.7 * random())), restart: random() < 0.7 };
    case 'insert':
      return { kind, ...moment, mode: one<ClickHouseMode>(['fail', 'lose-answer', 'fail-afterwards']), times: 1 + Math.floor(random() * 4) };
  }
}

/** For people: the kind and what matters of it. */
export function faultText(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `kill -9 of ${fault.pods}, down ${seconds(fault.downMs)}`;
    case 'zombie':
      return `zombie, ${seconds(fault.beyondMs)} longer than its session`;
    case 'scale':
      return `scale to ${fault.counts.join(', ')} pods`;
    case 'restart Redis':
    case 'restart Kafka':
    case 'restart ClickHouse':
      return `${fault.kind} (${fault.ending === 'kill' ? 'kill -9' : 'SIGTERM'}), down ${seconds(fault.downMs)}`;
    case 'refuse':
      return `ClickHouse refuses for ${seconds(fault.forMs)}`;
    case 'hang':
      return `ClickHouse hangs for ${seconds(fault.forMs)}${fault.restart ? ', then restarts' : ''}`;
    case 'insert':
      return `${fault.times} inserts ${{ fail: 'fail', 'lose-answer': 'lose their answer', 'fail-afterwards': 'fail after the rows were taken', serve: '', refuse: '', hang: '' }[fault.mode]}`;
    default:
      return fault.kind;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
