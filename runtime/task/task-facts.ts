import type { StreamTime } from '../../operators/operator.ts';
import type { Cell } from '../../state/state-store.ts';
import { bytesText, textBytes } from './cell-bytes.ts';

/** Where a task's facts are kept among its cells. */
export const factsStore = '$task';

const STORE = factsStore;

/** The task's own facts as cells: positions, stream times, ordinals, writers' marks, the run. Only changed ones are written. */
export class TaskFacts {
  readonly #values = new Map<string, string>();
  readonly #changed = new Set<string>();

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: string): void {
    if (this.#values.get(name) === value) return;
    this.#values.set(name, value);
    this.#changed.add(name);
  }

  delete(name: string): void {
    if (this.#values.delete(name)) this.#changed.add(name);
  }

  getNumber(name: string): number | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : Number(value);
  }

  names(prefix: string): readonly string[] {
    return [...this.#values.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  takeCells(into: Cell[]): void {
    for (const name of [...this.#changed].sort()) {
      const value = this.#values.get(name);
      into.push({ store: STORE, key: textBytes(name), value: value === undefined ? null : textBytes(value) });
    }
    this.#changed.clear();
  }

  static owns(store: string): boolean {
    return store === STORE;
  }

  restore(cell: Cell): void {
    this.#values.set(bytesText(cell.key), bytesText(cell.value as Uint8Array));
  }
}

/** Stream time of one step; -1 before its first record, as in Kafka Streams. */
export class StepTime implements StreamTime {
  ms = -1;

  advance(timestampMs: number): void {
    if (timestampMs > this.ms) this.ms = timestampMs;
  }
}

/** The run that the state was written under, or null when there is no state. */
export function runOf(pages: readonly (readonly Cell[])[]): number | null {
  for (const page of pages) {
    for (const cell of page) {
      if (cell.store === STORE && bytesText(cell.key) === 'run') return Number(bytesText(cell.value as Uint8Array));
    }
  }
  return null;
}
