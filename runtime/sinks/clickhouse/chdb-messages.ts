import type { SealRequest, StreamFormat } from '../warehouse.ts';
import type { SealedPiece } from './delivery.ts';
import type { WarehouseFailure } from './warehouse-error.ts';

/** What the worker thread is started with. */
export interface ChdbWorkerData {
  /** Data folder of the engine; absolute. */
  readonly folder: string;
  /** Where rows wait in a file for the engine to read them. */
  readonly spoolFolder: string;
  readonly configFile: string;
  readonly queryLanes: number;
  /** Shared by both threads: see `controlActive` and `controlStop`. */
  readonly control: Int32Array<SharedArrayBuffer>;
}

/** Statements inside the engine at this moment. */
export const controlActive = 0;
/** 1 from when the process ends: no further statement may enter the engine. */
export const controlStop = 1;

export type ChdbRequest =
  | { readonly id: number; readonly kind: 'query'; readonly sql: string; readonly format: string }
  | { readonly id: number; readonly kind: 'command'; readonly sql: string }
  | {
      readonly id: number;
      readonly kind: 'insert';
      /** `INSERT INTO t (columns) SETTINGS ...` */
      readonly into: string;
      /** `name Type, ...` of the rows. */
      readonly structure: string;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  /** Asks for the pieces of a batch. */
  | { readonly id: number; readonly kind: 'seal'; readonly request: SealRequest }
  /** Begins an answer that is taken piece by piece; its number is the request's. */
  | { readonly id: number; readonly kind: 'stream'; readonly sql: string; readonly format: StreamFormat }
  /** Asks for the next piece of one. */
  | { readonly id: number; readonly kind: 'next'; readonly stream: number }
  | { readonly id: number; readonly kind: 'end-stream'; readonly stream: number }
  | { readonly id: number; readonly kind: 'close' };

export type ChdbReply =
  /** The first message, when the engine is open; or the reason why it is not. */
  | { readonly kind: 'opened'; readonly failure: WarehouseFailure | null }
  /** `piece` is only there for `next`; null: that was all. `pieces` only for `seal`. */
  | { readonly kind: 'done'; readonly id: number; readonly text: string; readonly piece?: Uint8Array | null; readonly pieces?: readonly SealedPiece[] }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: WarehouseFailure };
