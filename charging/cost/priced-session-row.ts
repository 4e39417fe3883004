import type { Vehicle } from '../../schemas/generated/vehicle.ts';
import type { SessionRow } from '../stitching/session-row.ts';
import type { Cost } from './price-session.ts';

/** A session with what became known behind its stitching. Three objects side by side: a copy of so many fields would cost more than all the rest. */
export interface PricedSessionRow {
  readonly session: SessionRow;
  /** The vehicle's model as of the session's start; null: no model was told, or nobody knows it. */
  readonly vehicle: Vehicle | null;
  /** To the session's stop; of a live row what it would cost if it stopped now (flag `not-stopped`). */
  readonly cost: Cost;
}
