import { InvariantViolation, VoltstreamError } from '../../errors.ts';
import type { LocalStore } from '../../state/local-store.ts';
import type { Cell } from '../../state/state-store.ts';
import type { SubTopology } from '../../topology/graph.ts';
import { messageOf } from './error-policy.ts';
import { isDropped, refuseHalfImport, refuseOrphanedStores } from './restore-checks.ts';
import { formFacts, refuseOtherMeaning, storeOfFormFact, translationOf, type CellTranslation } from './state-evolution.ts';
import type { TaskFacts } from './task-facts.ts';

/** Cells that are put back before others have their turn: some 10 ms of work. */
export const restoredAtOnce = 5_000;

/**
 * The stores of a task, and what must be put right in their cells because an earlier version of the topology wrote them: values
 * in an earlier form are read by it and written anew, and what the topology has let go of is deleted, all in the next commit.
 */
export class TaskStores {
  readonly stores = new Map<string, LocalStore>();
  readonly #task: string;
  readonly #part: SubTopology;
  readonly #dropped: readonly string[];
  readonly #formFacts: readonly (readonly [name: string, value: string])[];
  #corrections: Cell[] = [];
  #correctedFacts = false;

  constructor(task: string, part: SubTopology, dropped: readonly string[]) {
    this.#task = task;
    this.#part = part;
    this.#dropped = dropped;
    for (const definition of part.stores) this.stores.set(definition.name, definition.create());
    this.#formFacts = part.stores.flatMap(formFacts);
  }

  /** True when a commit would write cells. */
  get dirty(): boolean {
    if (this.#corrections.length > 0 || this.#correctedFacts) return true;
    for (const store of this.stores.values()) if (store.changes > 0) return true;
    return false;
  }

  /**
   * Puts back the stores' cells, and yields after some of them (see `TaskCore.restoring`); `facts` are restored already. Everything is checked
   * before a cell is read, since in another form it could be misread. Throws STATE_INCOMPATIBLE, STATE_ORPHANED or STATE_INCOMPLETE.
   */
  *restoring(pages: readonly (readonly Cell[])[], facts: TaskFacts): Generator<void, void> {
    refuseHalfImport(this.#task, pages);
    refuseOrphanedStores(this.#task, pages, new Set(this.stores.keys()), this.#dropped);
    const translations = this.#translations(facts);
    let restored = 0;
    for (const cells of pages) {
      for (const cell of cells) {
        if (cell.store.startsWith('$')) continue;
        this.#restoreCell(cell, translations.get(cell.store) ?? null);
        if (++restored % restoredAtOnce === 0) yield;
      }
    }
    for (const store of this.stores.values()) store.restored();
    this.#forgetOldForms(facts);
  }

  /** Adds what is put right and what has changed since the last commit. */
  takeChanges(into: Cell[], facts: TaskFacts): void {
    for (const cell of this.#corrections) into.push(cell);
    this.#corrections = [];
    this.#correctedFacts = false;
    for (const [name, store] of this.stores) this.#takeChanges(name, store, into);
    for (const [name, value] of this.#formFacts) facts.set(name, value);
  }

  #takeChanges(name: string, store: LocalStore, into: Cell[]): void {
    try {
      store.takeChanges(into);
    } catch (error) {
      const where = `task ${this.#task}, store "${name}"`;
      throw error instanceof InvariantViolation ? error : error instanceof VoltstreamError ? error.at(where)
        : new VoltstreamError('SERIALISATION_FAILED', messageOf(error), { where, cause: error });
    }
  }

  #translations(facts: TaskFacts): ReadonlyMap<string, CellTranslation> {
    const translations = new Map<string, CellTranslation>();
    for (const step of this.#part.steps) {
      for (const store of step.operator.stores) {
        refuseOtherMeaning(this.#task, step.name, store, facts);
        const translation = translationOf(this.#task, step.name, store, facts);
        if (translation !== null) translations.set(store.name, translation);
      }
    }
    return translations;
  }

  #restoreCell(cell: Cell, translate: CellTranslation | null): void {
    const store = this.stores.get(cell.store);
    if (store === undefined) {
      this.#corrections.push({ store: cell.store, key: cell.key, value: null });
      return;
    }
    let value = cell.value as Uint8Array;
    if (translate !== null) {
      value = translate(cell.key, value);
      this.#corrections.push({ store: cell.store, key: cell.key, value });
    }
    store.restore(cell.key, value);
  }

  /** Forms of stores without cells say nothing any more: a later step may use the name. */
  #forgetOldForms(facts: TaskFacts): void {
    for (const name of ['schema/', 'codec/', 'meaning/'].flatMap((prefix) => facts.names(prefix))) {
      const store = storeOfFormFact(name);
      if (store === null || this.stores.has(store)) continue;
      facts.delete(name);
      if (isDropped(store, this.#dropped)) this.#correctedFacts = true;
    }
  }
}
