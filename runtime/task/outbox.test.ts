import { describe, expect, it } from 'vitest';
import type { Cell } from '../../state/state-store.ts';
import type { SealedBatch } from './outbox.ts';
import { Outbox } from './outbox.ts';

const policy = { rowsMax: 100, bytesMax: 10_000, ageMs: 1_000 };

function add(outbox: Outbox, rows: number): void {
  for (let row = 0; row < rows; row++) {
    outbox.add((into) => {
      into.writeBytes(Uint8Array.of(outbox.nextOrdinal));
      return '';
    });
  }
}

/** Cells of a store, as commits have left them. */
class Committed {
  readonly #cells = new Map<string, Cell>();

  commit(outbox: Outbox, nowMs: number, sealNow = false): SealedBatch | null {
    const cells: Cell[] = [];
    const batch = outbox.takeCells(cells, nowMs, sealNow);
    for (const cell of cells) {
      const name = `${cell.store} ${Buffer.from(cell.key).toString('hex')}`;
      if (cell.value === null) this.#cells.delete(name);
      else this.#cells.set(name, cell);
    }
    return batch;
  }

  restored(nextOrdinal: number): { readonly outbox: Outbox; readonly due: readonly SealedBatch[] } {
    const outbox = new Outbox('sink', policy);
    const of = (store: string): Map<string, Cell> => new Map([...this.#cells].filter(([, cell]) => cell.store === store));
    return { outbox, due: outbox.restore(nextOrdinal, of('$outbox.sink'), of('$seal.sink')) };
  }
}

describe('Outbox', () => {
  it('seals when the oldest row has waited long enough, by the time of its commit', () => {
    const outbox = new Outbox('sink', policy);
    const store = new Committed();
    add(outbox, 2);
    expect(store.commit(outbox, 5_000)).toBeNull();
    expect(outbox.sealDue(5_999)).toBe(false);
    add(outbox, 1);
    expect(outbox.sealDue(6_000)).toBe(true);
    expect(store.commit(outbox, 6_000)).toMatchObject({ first: 0, last: 2, rows: 3, restored: false });
  });

  it('seals by age only when nothing sealed waits for its sink, and by size at any time', () => {
    const outbox = new Outbox('sink', policy);
    const store = new Committed();
    add(outbox, 2);
    const first = store.commit(outbox, 0, true) as SealedBatch;
    add(outbox, 1);
    expect(store.commit(outbox, 0)).toBeNull();
    expect(outbox.sealDue(1_000_000)).toBe(false);
    outbox.acknowledge(first);
    expect(outbox.sealDue(999)).toBe(false);
    expect(outbox.sealDue(1_000)).toBe(true);
    expect(store.commit(outbox, 1_000)).toMatchObject({ first: 2, last: 2 });
    add(outbox, policy.rowsMax);
    expect(outbox.sealDue(1_000)).toBe(true);
  });

  it('gives back what was sealed, and not acknowledged, with the same cut', () => {
    const outbox = new Outbox('sink', policy);
    const store = new Committed();
    add(outbox, 2);
    const acknowledged = store.commit(outbox, 0, true) as SealedBatch;
    add(outbox, 3);
    const sent = store.commit(outbox, 0, true) as SealedBatch;
    outbox.acknowledge(acknowledged);
    store.commit(outbox, 0);
    const { due } = store.restored(5);
    expect(due).toEqual([{ ...sent, restored: true }]);
  });

  it('seals restored rows at once, though no further row comes to start their clock', () => {
    const outbox = new Outbox('sink', policy);
    const store = new Committed();
    add(outbox, 2);
    store.commit(outbox, 0);
    const { outbox: after, due } = store.restored(2);
    expect(due).toEqual([]);
    expect(after.rows).toBe(2);
    expect(after.sealDue(1)).toBe(true);
    expect(store.commit(after, 1)).toMatchObject({ first: 0, last: 1 });
    expect(store.restored(2).due).toMatchObject([{ first: 0, last: 1, restored: true }]);
  });
});
