import { isPassing } from '../../errors.ts';
import type { SealedPiece } from '../sinks/clickhouse/delivery.ts';
import type { SealRequest, Warehouse } from '../sinks/warehouse.ts';
import { piecesOf } from './pieces.ts';

/**
 * The pieces of a batch: from the warehouse's own thread where it has one, so that copying and hashing cost this one nothing, else
 * made here. When that thread does not answer they are made here, too: they are the same wherever it is done (Law 4), and what is
 * wrong with the warehouse is told by the delivery that follows.
 */
export async function sealPieces(warehouse: Warehouse, request: SealRequest): Promise<readonly SealedPiece[]> {
  try {
    const pieces = await warehouse.seal?.(request);
    if (pieces !== undefined) return pieces;
  } catch (error) {
    if (!isPassing(error)) throw error;
  }
  return piecesOf(request);
}
