import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../../../errors.ts';
import type { Warehouse, WarehouseInsert } from '../warehouse.ts';
import { batchHash } from './batch-hash.ts';
import type { DeliveryEvent, SealedPiece } from './delivery.ts';
import { sealedPiece } from './sealed-piece.ts';
import { PieceDelivery } from './delivery.ts';

/**
 * What may befall a call. `gap` is the crash between the token and its rows: the call fails, the token is known, the rows are
 * not there. `late` fails, and its rows arrive only after some more calls, unless the token has come first.
 */
const faults = ['refused', 'fail-before', 'fail-after', 'hang-before', 'hang-after', 'gap', 'late'] as const;
type Fault = (typeof faults)[number];

const unavailable = (): VoltstreamError => new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'planted');

/** ClickHouse as far as delivery sees it: blocks by batch, tokens that swallow repeats while reporting success. */
class FaultyWarehouse implements Warehouse {
  readonly blocks: string[] = [];
  readonly tokens = new Set<string>();
  readonly #faults: ReadonlyMap<number, Fault>;
  readonly #late: { readonly dueCall: number; readonly insert: WarehouseInsert }[] = [];
  calls = 0;
  inserts = 0;

  constructor(plan: ReadonlyMap<number, Fault>) {
    this.#faults = plan;
  }

  async query<Row>(sql: string): Promise<readonly Row[]> {
    const fault = this.#next();
    if (fault === 'hang-before' || fault === 'hang-after') await new Promise(() => {});
    if (fault !== undefined) throw unavailable();
    const asked = [...sql.matchAll(/unhex\('([0-9a-f]{32})'\)/g)].map((match) => match[1] as string);
    return asked.filter((hash) => this.blocks.includes(hash)).map((batch) => ({ batch })) as unknown as readonly Row[];
  }

  async insert(insert: WarehouseInsert): Promise<void> {
    this.inserts++;
    const fault = this.#next();
    if (fault === 'gap') this.tokens.add(insert.token as string);
    if (fault === 'late') this.#late.push({ dueCall: this.calls + 1 + (this.calls % 3), insert });
    if (fault === undefined || fault === 'fail-after' || fault === 'hang-after') this.#take(insert);
    if (fault === 'hang-before' || fault === 'hang-after') await new Promise(() => {});
    if (fault !== undefined) throw unavailable();
  }

  #next(): Fault | undefined {
    this.calls++;
    for (const late of this.#late.filter(({ dueCall }) => dueCall <= this.calls)) this.#take(late.insert);
    return this.#faults.get(this.calls);
  }

  #take(insert: WarehouseInsert): void {
    const token = insert.token as string;
    if (this.tokens.has(token)) return;
    this.tokens.add(token);
    this.blocks.push(Buffer.from(insert.rows.at(-1)?.subarray(-16) ?? []).toString('hex'));
  }

  async open(): Promise<void> {}
  async queryText(): Promise<string> {
    return '';
  }
  async * stream(): AsyncGenerator<Uint8Array> {}
  async command(): Promise<void> {}
  async close(): Promise<void> {}
}

const table = { database: 'voltstream', table: 'numbers', columns: { number: 'UInt32' } };

function piece(number: number): SealedPiece {
  const rows = [Uint8Array.of(number, 0, 0, 0)];
  const identity = { application: 'a', run: 1, table: 'numbers', task: 't', partition: '', firstOrdinal: number, lastOrdinal: number };
  return sealedPiece('', rows, batchHash(identity, rows));
}

const pieces = [piece(0), piece(1), piece(2)];
const hashes = pieces.map((sealed) => Buffer.from(sealed.batchHash).toString('hex'));
const quick = { attemptTimeoutMs: 5, retryMsMin: 0.1, retryMsMax: 0.5, lookAgainMs: 0.1 };

function delivery(warehouse: Warehouse, events: DeliveryEvent[] = []): PieceDelivery {
  return new PieceDelivery({ warehouse, table, report: (event) => events.push(event), ...quick });
}

describe('delivery', () => {
  it('asks nothing and sends each piece once when nothing goes wrong', async () => {
    const warehouse = new FaultyWarehouse(new Map());
    await delivery(warehouse).deliver(pieces, { mayBePresent: false });
    expect({ blocks: warehouse.blocks, calls: warehouse.calls }).toEqual({ blocks: hashes, calls: 3 });
  });

  it('asks once after a claim and sends only what is missing', async () => {
    const warehouse = new FaultyWarehouse(new Map());
    await delivery(warehouse).deliver(pieces.slice(0, 2), { mayBePresent: false });
    const insertsBefore = warehouse.inserts;
    await delivery(warehouse).deliver(pieces, { mayBePresent: true });
    expect({ blocks: warehouse.blocks, sent: warehouse.inserts - insertsBefore }).toEqual({ blocks: hashes, sent: 1 });
  });

  it('asks after a claim which pieces are there, and once more for all that it sent, however many they are', async () => {
    for (const count of [1, 3, 60]) {
      const warehouse = new FaultyWarehouse(new Map());
      const many = Array.from({ length: count }, (_, number) => piece(number));
      await delivery(warehouse).deliver(many, { mayBePresent: true });
      expect([warehouse.inserts, warehouse.calls - warehouse.inserts, warehouse.blocks.length]).toEqual([count, 2, count]);
    }
  });

  it.each(faults)('brings every piece in exactly once when any one call meets: %s', async (fault) => {
    for (const mayBePresent of [false, true]) {
      for (let call = 1; call <= 8; call++) {
        const warehouse = new FaultyWarehouse(new Map([[call, fault]]));
        await delivery(warehouse).deliver(pieces, { mayBePresent });
        expect(warehouse.blocks.toSorted(), `call ${call}, mayBePresent ${mayBePresent}`).toEqual(hashes.toSorted());
      }
    }
  });

  it('brings every piece in exactly once under any mixture of faults and restarts', async () => {
    const plan = fc.dictionary(fc.integer({ min: 1, max: 25 }).map(String), fc.constantFrom(...faults), { maxKeys: 10 });
    await fc.assert(
      fc.asyncProperty(plan, fc.integer({ min: 1, max: 4 }), async (planned, restarts) => {
        const warehouse = new FaultyWarehouse(new Map(Object.entries(planned).map(([call, fault]) => [Number(call), fault])));
        for (let life = 0; life < restarts; life++) {
          const abort = new AbortController();
          const cut = setTimeout(() => abort.abort(new Error('crash')), life === restarts - 1 ? 2 ** 30 : 2);
          const started = new PieceDelivery({ warehouse, table, signal: abort.signal, ...quick });
          await started.deliver(pieces, { mayBePresent: life > 0 }).catch((error: unknown) => expect(error).toEqual(new Error('crash')));
          clearTimeout(cut);
        }
        expect(warehouse.blocks.toSorted()).toEqual(hashes.toSorted());
      }),
      { numRuns: 100 },
    );
  });

  it('takes a new token only for a piece whose token is known without its rows', async () => {
    const events: DeliveryEvent[] = [];
    const warehouse = new FaultyWarehouse(new Map([[1, 'gap']]));
    await delivery(warehouse, events).deliver(pieces.slice(0, 1), { mayBePresent: false });
    expect([...warehouse.tokens]).toEqual([hashes[0], `${hashes[0]}-1`]);
    expect(events.map(({ kind }) => kind)).toEqual(['retry', 'new-token', 'delivered']);
  });

  it('trusts a replicated table that acknowledges a repeat, since its token and its rows are one', async () => {
    const warehouse = new FaultyWarehouse(new Map([[1, 'fail-after']]));
    warehouse.query = async () => [];
    await new PieceDelivery({ warehouse, table, replicated: true, ...quick }).deliver(pieces.slice(0, 1), { mayBePresent: false });
    expect(warehouse.blocks).toEqual(hashes.slice(0, 1));
  });

  it('stops at what would fail again, with the error as it came', async () => {
    const warehouse = new FaultyWarehouse(new Map());
    const refusal = new VoltstreamError('WAREHOUSE_REFUSED', 'no such column', { where: 'insert into numbers' });
    warehouse.insert = () => Promise.reject(refusal);
    await expect(delivery(warehouse).deliver(pieces, { mayBePresent: false })).rejects.toBe(refusal);
  });

  it('goes on by itself when the disk has room again', async () => {
    const warehouse = new FaultyWarehouse(new Map());
    const insert = warehouse.insert.bind(warehouse);
    let full = 5;
    warehouse.insert = (rows) => (full-- > 0 ? Promise.reject(new VoltstreamError('DISK_FULL', 'planted')) : insert(rows));
    const events: DeliveryEvent[] = [];
    await delivery(warehouse, events).deliver(pieces, { mayBePresent: false });
    expect(warehouse.blocks).toEqual(hashes);
    expect(events.filter((event) => event.kind === 'retry' && /DISK_FULL/.test(String(event.error)))).toHaveLength(5);
  });

  it('asks and sends nothing more once it is stopped: nobody would be there for the failure', async () => {
    const warehouse = new FaultyWarehouse(new Map([[1, 'refused']]));
    const stopped = new PieceDelivery({ warehouse, table, signal: AbortSignal.abort(new Error('stop')), ...quick });
    await expect(stopped.deliver(pieces, { mayBePresent: true })).rejects.toThrow('stop');
    await expect(stopped.deliver(pieces, { mayBePresent: false })).rejects.toThrow('stop');
    expect(warehouse.calls).toBe(0);
  });

  it('ends a wait when it is told to stop', async () => {
    const warehouse = new FaultyWarehouse(new Map([[1, 'hang-before']]));
    const abort = new AbortController();
    const patient = new PieceDelivery({ warehouse, table, signal: abort.signal });
    const stopped = patient.deliver(pieces, { mayBePresent: false });
    abort.abort(new Error('stop'));
    await expect(stopped).rejects.toThrow('stop');
  });
});

describe('the hash of a piece', () => {
  const rows = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  const identity = { application: 'a', run: 1, table: 'd.t', task: 'x_0', partition: '202601', firstOrdinal: 5, lastOrdinal: 6 };

  it('is the same for the same piece and has 16 bytes', () => {
    expect(batchHash(identity, rows)).toEqual(batchHash({ ...identity }, [...rows]));
    expect(batchHash(identity, rows)).toHaveLength(16);
  });

  it.each([
    { ...identity, application: 'b' }, { ...identity, run: 2 }, { ...identity, table: 'd.u' }, { ...identity, task: 'x_1' },
    { ...identity, partition: '202602' }, { ...identity, firstOrdinal: 4 }, { ...identity, lastOrdinal: 7 },
  ])('differs for another %o', (other) => {
    expect(batchHash(other, rows)).not.toEqual(batchHash(identity, rows));
  });

  it('differs for other content under the same ordinals, as it comes after a rewind', () => {
    expect(batchHash(identity, [Uint8Array.of(1, 2), Uint8Array.of(4)])).not.toEqual(batchHash(identity, rows));
  });
});
