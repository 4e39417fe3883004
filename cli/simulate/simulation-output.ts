import type { Slice } from '../../simulator/simulation.ts';

/** Where a simulation goes. */
export interface SimulationOutput {
  /** Slices before this one are there already, from a run that was ended early; their ledger is written anew. */
  readonly firstSlice: number;
  write(slice: Slice): Promise<void>;
  /** Lets be seen what was written, for a run that keeps to a pace. */
  flush?(): Promise<void>;
  /** All is done: what was written is complete. */
  finish(): Promise<void>;
  /** Ended early: what is there can be gone on with, or says that it is not complete. */
  abandon(): Promise<void>;
}
