import type { Topology } from '../../topology/topology.ts';

/** What meters of charging stations send, cut down to what the steps look at. */
export interface Reading {
  readonly id: string;
  readonly deltaWh: number;
}

export interface Site {
  readonly name: string;
  readonly powerW: number;
}

/** One operator, or a chain of them, as a topology of its own. */
export interface Benchmark {
  readonly name: string;
  /** Records a second of one core that it should reach, with up to 100,000 keys; null where none is named. */
  readonly target: number | null;
  topology(): Topology;
  /** Topics that the records go to by turns. Values of one whose name begins with `sites` are sites, others readings. */
  readonly topics: readonly string[];
  /** Topics of tables that hold every key before the first record. */
  readonly filled?: readonly string[];
}

export const statelessTarget = 5_000_000;
export const statefulTarget = 500_000;
