import { setTimeout as sleepFor } from 'node:timers/promises';
import { VoltstreamError, assertInvariant, isPassing } from '../../../errors.ts';
import { answerWithin } from '../../../schemas/answer-within.ts';
import type { Warehouse } from '../warehouse.ts';
import { batchHashBytes } from './batch-hash.ts';
import type { DeliveryTable } from './check-table.ts';
import { deliveryColumns } from './check-table.ts';
import { insertRowsMax, quoteText, tableName } from './statements.ts';

/** Rows of one table partition, fixed for ever at the seal. */
export interface SealedPiece {
  /** Table partition, for messages. */
  readonly partition: string;
  readonly rowCount: number;
  /** All rows, complete, `_batch` last in each. */
  readonly bytes: Uint8Array;
  /** 16 bytes; see `batchHash`. */
  readonly batchHash: Uint8Array;
}

/** What happened on the way, for metrics and the log. */
export type DeliveryEvent =
  | { readonly kind: 'delivered'; readonly table: string; readonly rows: number; readonly bytes: number }
  /** The rows were there already: sent before a crash, or by a call whose outcome was unknown. */
  | { readonly kind: 'present'; readonly table: string; readonly rows: number }
  | { readonly kind: 'retry'; readonly table: string; readonly attempt: number; readonly waitMs: number; readonly error: unknown }
  /** The token was known, but its rows were not there: they go out under another one. */
  | { readonly kind: 'new-token'; readonly table: string; readonly token: string };

export interface PieceDeliveryOptions {
  readonly warehouse: Warehouse;
  readonly table: DeliveryTable;
  /** As `checkTable` found it. */
  readonly replicated?: boolean;
  readonly report?: (event: DeliveryEvent) => void;
  /** Ends a wait between attempts or for an answer; `deliver` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Longest wait for one answer of the warehouse, then the outcome counts as unknown. Default 120,000: twice the client's. */
  readonly attemptTimeoutMs?: number;
  /** First pause after a failure; it doubles up to `retryMsMax`. Default 100. */
  readonly retryMsMin?: number;
  /** Default 10,000: an answer to "is it back?" every ten seconds burdens nobody. */
  readonly retryMsMax?: number;
  /** Between the two looks that precede a new token: an insert needs 30 microseconds from token to rows. Default 1,000. */
  readonly lookAgainMs?: number;
}

/** Hashes in one question; a claim rarely finds more than a few pieces. */
const hashesPerLookMax = 500;

/**
 * Brings sealed pieces into a table exactly once (Law 4: the data says what is applied).
 *
 * An acknowledged first insert is done. After an unknown outcome, and for pieces that may have been sent before, the data is
 * looked at by `_batch`, before an insert and after it: ClickHouse writes a token before it writes the rows, so that a crash in
 * between leaves a token that swallows every repeat while reporting success. When an acknowledged repeat is not in the data,
 * twice, `lookAgainMs` apart, the piece goes out under a new token; the older token then stops whatever may still be under way.
 *
 * What may pass is tried again without end; what would fail again (a missing column, a wrong type) throws WAREHOUSE_REFUSED.
 */
export class PieceDelivery {
  readonly #options: PieceDeliveryOptions;
  readonly #name: string;
  readonly #columns: readonly string[];
  readonly #types: readonly string[];

  constructor(options: PieceDeliveryOptions) {
    this.#options = options;
    this.#name = `${options.table.database}.${options.table.table}`;
    const columns = { ...options.table.columns, ...deliveryColumns };
    this.#columns = Object.keys(columns);
    this.#types = Object.values(columns);
  }

  /** Resolves when all rows of all pieces are in the table. `mayBePresent`: after a claim, or when an earlier call was cut off. */
  async deliver(pieces: readonly SealedPiece[], { mayBePresent }: { readonly mayBePresent: boolean }): Promise<void> {
    const present = mayBePresent ? await this.#look(pieces) : new Set<string>();
    let unproven: SealedPiece[] = [];
    for (const piece of pieces) {
      if (present.has(hexOf(piece.batchHash))) this.#present(piece);
      else if (await this.#send(piece, hexOf(piece.batchHash), mayBePresent) === 'unproven') unproven.push(piece);
    }
    // All of them by one question: a batch of years has a piece for every month.
    for (let tokens = 1; unproven.length > 0; tokens++) {
      const arrived = await this.#arrived(unproven);
      for (const piece of unproven.filter(({ batchHash }) => arrived.has(hexOf(batchHash)))) this.#delivered(piece);
      const missing: SealedPiece[] = [];
      for (const piece of unproven.filter(({ batchHash }) => !arrived.has(hexOf(batchHash)))) {
        const token = `${hexOf(piece.batchHash)}-${tokens}`;
        this.#report({ kind: 'new-token', table: this.#name, token });
        if (await this.#send(piece, token, true) === 'unproven') missing.push(piece);
      }
      unproven = missing;
    }
  }

  /** Until it is acknowledged, or found in the data. `unproven`: acknowledged, but perhaps only because its token was known. */
  async #send(piece: SealedPiece, token: string, mayBePresent: boolean): Promise<'done' | 'unproven'> {
    const hex = hexOf(piece.batchHash);
    const { bytes } = piece;
    assertInvariant(piece.rowCount > 0 && piece.rowCount <= insertRowsMax, `a piece has 1 to ${insertRowsMax} rows`);
    assertInvariant(piece.batchHash.length === batchHashBytes, 'a batch hash has 16 bytes');
    let doubtful = mayBePresent;
    for (let attempt = 1; ; attempt++) {
      const failure = await this.#insert(piece, bytes, token);
      if (failure === null) break;
      doubtful = true;
      await this.#pause(attempt, failure);
      if (!(await this.#look([piece])).has(hex)) continue;
      this.#present(piece);
      return 'done';
    }
    if (doubtful && this.#options.replicated !== true) return 'unproven';
    this.#delivered(piece);
    return 'done';
  }

  /** Null when the warehouse acknowledged, else the failure that leaves the outcome unknown. */
  async #insert(piece: SealedPiece, bytes: Uint8Array, token: string): Promise<unknown> {
    const { database, table } = this.#options.table;
    try {
      await this.#limited(() => this.#options.warehouse.insert({
        database,
        table,
        columns: this.#columns,
        types: this.#types,
        rows: [bytes],
        rowCount: piece.rowCount,
        token,
      }));
      return null;
    } catch (error) {
      if (!isPassing(error)) throw error;
      return error;
    }
  }

  /** Looks twice, so that an insert of the same token that is just being made visible is not missed. */
  async #arrived(pieces: readonly SealedPiece[]): Promise<ReadonlySet<string>> {
    const first = await this.#look(pieces);
    if (first.size === pieces.length) return first;
    await this.#sleep(this.#options.lookAgainMs ?? 1_000);
    return this.#look(pieces);
  }

  /** Hashes (hex) of those pieces that are in the data. Tried without end: nothing may be sent on a guess. */
  async #look(pieces: readonly SealedPiece[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (let start = 0; start < pieces.length; start += hashesPerLookMax) {
      const hashes = pieces.slice(start, start + hashesPerLookMax).map((piece) => `unhex(${quoteText(hexOf(piece.batchHash))})`);
      const sql = `SELECT DISTINCT lower(hex(_batch)) AS batch FROM ${tableName(this.#options.table)} WHERE _batch IN (${hashes.join(', ')})`;
      for (const row of await this.#untilAnswered(sql)) found.add(row.batch);
    }
    return found;
  }

  async #untilAnswered(sql: string): Promise<readonly { readonly batch: string }[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#limited(() => this.#options.warehouse.query<{ readonly batch: string }>(sql));
      } catch (error) {
        if (!isPassing(error)) throw error;
        await this.#pause(attempt, error);
      }
    }
  }

  #limited<T>(ask: () => Promise<T>): Promise<T> {
    const { signal, attemptTimeoutMs: timeoutMs = 120_000 } = this.#options;
    const silent = (): Error => new VoltstreamError('WAREHOUSE_UNAVAILABLE', `no answer within ${timeoutMs} ms`, { where: `table ${this.#name}` });
    return answerWithin({ timeoutMs, silent, signal }, ask);
  }

  async #pause(attempt: number, error: unknown): Promise<void> {
    const { retryMsMin = 100, retryMsMax = 10_000 } = this.#options;
    // Half to all of the doubled pause, so that many tasks do not come back in the same moment.
    const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(attempt - 1, 20)) * (0.5 + Math.random() / 2);
    this.#report({ kind: 'retry', table: this.#name, attempt, waitMs, error });
    await this.#sleep(waitMs);
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#options;
    try {
      await sleepFor(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  #delivered(piece: SealedPiece): void {
    this.#report({ kind: 'delivered', table: this.#name, rows: piece.rowCount, bytes: piece.bytes.length });
  }

  #present(piece: SealedPiece): void {
    this.#report({ kind: 'present', table: this.#name, rows: piece.rowCount });
  }

  #report(event: DeliveryEvent): void {
    this.#options.report?.(event);
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
