import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Cell } from '../../state/state-store.ts';
import type { SealedBatch } from './outbox.ts';
import { Outbox, visitBatch } from './outbox.ts';

type Step =
  | { readonly do: 'add'; readonly rows: number; readonly group: string }
  | { readonly do: 'commit'; readonly sealNow: boolean; readonly afterMs: number }
  /** A sink takes the oldest sealed batch; the acknowledgement follows, unless a crash comes between. */
  | { readonly do: 'deliver'; readonly crash: boolean }
  | { readonly do: 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('add' as const), rows: fc.integer({ min: 1, max: 5 }), group: fc.constantFrom('', 'p1', 'p2') }),
  fc.record({ do: fc.constant('commit' as const), sealNow: fc.boolean(), afterMs: fc.nat(20) }),
  fc.record({ do: fc.constant('deliver' as const), crash: fc.boolean() }),
  fc.record({ do: fc.constant('crash' as const) }),
);

const textOf = (ordinal: number): string => `row ${ordinal}`;
const policy = { rowsMax: 7, bytesMax: 200, ageMs: 10 };

/** A task with one sink: what is committed, what the sink has, and the memory that a crash takes away. */
class Model {
  outbox = new Outbox('sink', policy);
  /** Each delivery, by first ordinal; a repeated one must be equal to what was there. */
  readonly taken = new Map<number, readonly string[]>();
  readonly #committed = new Map<string, Cell>();
  #committedOrdinal = 0;
  #due: SealedBatch[] = [];
  #nowMs = 0;

  add(rows: number, group: string): void {
    for (let row = 0; row < rows; row++) {
      this.outbox.add((into) => {
        into.writeBytes(Buffer.from(`${group}|${textOf(this.outbox.nextOrdinal)}`));
        return group;
      });
    }
  }

  commit(sealNow: boolean, afterMs: number): void {
    this.#nowMs += afterMs;
    const cells: Cell[] = [];
    const batch = this.outbox.takeCells(cells, this.#nowMs, sealNow);
    for (const cell of cells) {
      const name = `${cell.store} ${Buffer.from(cell.key).toString('hex')}`;
      if (cell.value === null) this.#committed.delete(name);
      else this.#committed.set(name, cell);
    }
    this.#committedOrdinal = this.outbox.nextOrdinal;
    if (batch !== null) this.#due.push(batch);
  }

  deliver(crash: boolean): void {
    const batch = this.#due[0];
    if (batch === undefined) return;
    const rows: string[] = [];
    visitBatch(batch, (ordinal, group, bytes, start, end) => {
      expect(bytes.subarray(start, end).toString()).toBe(`${group}|${textOf(ordinal)}`);
      rows.push(textOf(ordinal));
    });
    expect(rows.length).toBe(batch.rows);
    expect(this.taken.get(batch.first) ?? rows).toEqual(rows);
    this.taken.set(batch.first, rows);
    if (crash) return this.crash();
    this.#due.shift();
    this.outbox.acknowledge(batch);
  }

  crash(): void {
    this.outbox = new Outbox('sink', policy);
    const of = (store: string): Map<string, Cell> => new Map([...this.#committed].reverse().filter(([, cell]) => cell.store === store));
    this.#due = [...this.outbox.restore(this.#committedOrdinal, of('$outbox.sink'), of('$seal.sink'))];
    expect(this.#due.every((batch) => batch.restored)).toBe(true);
  }

  finish(): void {
    this.commit(true, 0);
    while (this.#due.length > 0) this.deliver(false);
    this.commit(false, 0);
    expect([this.outbox.rows, this.outbox.bytes, this.outbox.dirty, this.#committed.size]).toEqual([0, 0, false, 0]);
  }
}

it('delivers every committed ordinal once and in order, whatever is added, committed, sealed, acknowledged and lost', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const model = new Model();
    for (const one of steps) {
      if (one.do === 'add') model.add(one.rows, one.group);
      else if (one.do === 'commit') model.commit(one.sealNow, one.afterMs);
      else if (one.do === 'deliver') model.deliver(one.crash);
      else model.crash();
    }
    model.finish();
    const delivered = [...model.taken].sort(([a], [b]) => a - b).flatMap(([, rows]) => rows);
    expect(delivered).toEqual(Array.from({ length: model.outbox.nextOrdinal }, (_, ordinal) => textOf(ordinal)));
  }), { numRuns: 300 });
});

it('puts rows and bytes back as they were counted before the crash', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }), (commits) => {
    const model = new Model();
    for (const rows of commits) {
      model.add(rows, 'p');
      model.commit(false, 1);
    }
    const { rows, bytes } = model.outbox;
    model.crash();
    expect([model.outbox.rows, model.outbox.bytes]).toEqual([rows, bytes]);
  }));
});
