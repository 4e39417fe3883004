import type { ClickHouseMode } from '../services/clickhouse.ts';

interface Moment {
  /** Wait until running pods have all tasks: else the moment falls into a rebalance, a claim or a start. */
  readonly waitsForWork: boolean;
  /** Wait until no pod is starting: one that finds a server dead at its start ends with an error, and rightly. */
  readonly waitsForPods?: true;
  readonly delayMs: number;
}

export type Fault = Moment & (
  | { readonly kind: 'kill'; readonly pod: 'a' | 'b' | 'both'; readonly downMs: number }
  | { readonly kind: 'zombie'; readonly pod: 'a' | 'b'; readonly downMs: number }
  | { readonly kind: 'kill ClickHouse'; readonly downMs: number }
  | { readonly kind: 'insert'; readonly mode: ClickHouseMode; readonly times: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'rewind' }
);

export interface Faults {
  readonly kills: number;
  readonly zombies: number;
  readonly rewinds: number;
  readonly warehouseFaults: number;
  readonly sessionTimeoutMs: number;
}

/** Faults in random order; each rewind has its copy taken somewhere before it. */
export function schedule(wanted: Faults, random: () => number): readonly Fault[] {
  const { sessionTimeoutMs } = wanted;
  const one = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
  const moment = (): Moment => {
    const waitsForWork = random() < 0.7;
    return { waitsForWork, delayMs: random() * (waitsForWork ? 1_500 : sessionTimeoutMs) };
  };
  const faults: Fault[] = [];
  const add = (times: number, make: () => Fault): void => {
    for (let done = 0; done < times; done++) faults.splice(Math.floor(random() * (faults.length + 1)), 0, make());
  };
  add(wanted.kills, () => ({ ...moment(), kind: 'kill', pod: one(['a', 'a', 'b', 'b', 'both']), downMs: random() * 1_500 }));
  add(wanted.zombies, () => ({ ...moment(), waitsForWork: true, kind: 'zombie', pod: one(['a', 'b']), downMs: 500 + random() * 2_500 }));
  add(wanted.warehouseFaults, () => ({ ...moment(), waitsForPods: true, kind: 'kill ClickHouse', downMs: random() * 1_000 }));
  add(wanted.warehouseFaults, () => ({ ...moment(), kind: 'insert', mode: one(['fail', 'lose-answer', 'fail-afterwards']), times: 1 + Math.floor(random() * 2) }));
  for (let rewind = 0; rewind < wanted.rewinds; rewind++) {
    const at = Math.floor(random() * (faults.length + 1));
    const later = at + 1 + Math.floor(random() * (faults.length - at + 1));
    faults.splice(at, 0, { ...moment(), kind: 'snapshot' });
    faults.splice(Math.min(later, faults.length), 0, { ...moment(), waitsForPods: true, kind: 'rewind' });
  }
  return faults;
}
