import { setTimeout as pause } from 'node:timers/promises';
import { VoltstreamError } from '../../errors.ts';
import type { Cell, Claim, StateStore } from '../../state/state-store.ts';
import type { Topology } from '../../topology/topology.ts';
import { ownInternalTopics } from '../internal-topics.ts';
import type { Log } from '../log/log.ts';
import { textBytes } from '../task/cell-bytes.ts';
import { importStore } from '../task/restore-checks.ts';
import { factsStore } from '../task/task-facts.ts';
import { checkSavepoint, type CheckedSavepoint } from './check-savepoint.ts';
import type { SavepointProgress, SavepointSummary } from './export-savepoint.ts';
import { invalid } from './frames.ts';
import { readSavepoint } from './read-savepoint.ts';

export interface ImportOptions {
  readonly file: string;
  /** Open. Processes that work on its tasks are fenced, and stop with STATE_INCOMPLETE. */
  readonly store: StateStore;
  readonly application: string;
  readonly topology: Topology;
  readonly log?: Pick<Log, 'partitionCount'>;
  /** Deletes what the store holds. Half an import is deleted in any case. */
  readonly replace?: boolean;
  readonly progress?: (progress: SavepointProgress) => void;
  /** Cells of one commit at most. */
  readonly commitCellsMax?: number;
}

/** One script of Redis takes so many; each commit waits for the disk. */
const commitCellsMaxDefault = 20_000;
const commitBytesMax = 6_000_000;
/** An owner that was fenced may claim once more before it sees the mark. */
const claimsMax = 50;
const pauseMs = 50;

/**
 * Brings a savepoint into a state store. First the whole file is read and compared with application and topology; then every task
 * is marked, what was there is deleted, and cells are written; positions and marks change last. As long as one task is marked,
 * nothing starts on this store and nothing is read from it (STATE_INCOMPLETE): an import that was killed is done again from the
 * beginning, by the same call.
 *
 * @throws VoltstreamError STATE_EXISTS without `replace`, and what `checkSavepoint` throws; then nothing was written.
 */
export async function importSavepoint(options: ImportOptions): Promise<SavepointSummary> {
  const { store } = options;
  const checked = await checkSavepoint({ ...options, topology: ownInternalTopics(options.topology.build(), options.application) });
  const present = await presentTasks(store);
  if (!present.halfImport && present.tasks.length > 0 && options.replace !== true) {
    throw new VoltstreamError('STATE_EXISTS', 'there is state already', { where: `tasks ${present.tasks.join(', ')}` });
  }
  const mark: Cell = { store: importStore, key: textBytes('savepoint'), value: textBytes(checked.id) };
  const tasks = await markedTasks(options, checked.tasks, mark);
  for (const [name, task] of tasks) {
    options.progress?.({ phase: 'clear', task: name, cells: 0, cellsTotal: checked.cells });
    await task.clear();
  }
  await writeCells(options, checked, tasks);
  for (const [name, task] of tasks) {
    if (checked.tasks.includes(name)) await task.finish({ ...mark, value: null });
    else await store.clear(name);
  }
  return { tasks: checked.tasks, cells: checked.cells };
}

/** Marks the tasks of the savepoint and those that the store has, also ones that somebody has made meanwhile. */
async function markedTasks(options: ImportOptions, wanted: readonly string[], mark: Cell): Promise<ReadonlyMap<string, ImportedTask>> {
  const tasks = new Map<string, ImportedTask>();
  for (;;) {
    const present = await presentTasks(options.store);
    const unmarked = [...wanted, ...present.tasks].filter((task) => !tasks.has(task)).sort();
    if (unmarked.length === 0) return tasks;
    for (const name of new Set(unmarked)) {
      const task = new ImportedTask(options.store, name, options.commitCellsMax ?? commitCellsMaxDefault);
      await task.commit([mark]);
      tasks.set(name, task);
    }
  }
}

async function writeCells(options: ImportOptions, checked: CheckedSavepoint, tasks: ReadonlyMap<string, ImportedTask>): Promise<void> {
  let cells = 0;
  let id = '';
  for await (const part of readSavepoint(options.file)) {
    if (part.kind === 'end') id = part.end.sha256;
    if (part.kind !== 'cells') continue;
    if (checked.tasks.includes(part.task)) await tasks.get(part.task)?.write(part.cells);
    cells += part.cells.length;
    options.progress?.({ phase: 'write', task: part.task, cells, cellsTotal: checked.cells });
  }
  if (id !== checked.id) throw invalid(options.file, 'a savepoint changed while it was imported', `SHA-256 ${checked.id}`, id);
  for (const task of tasks.values()) await task.flush();
}

/** Tasks that hold cells. With a mark on one of them, all of it is half an import. */
async function presentTasks(store: StateStore): Promise<{ readonly tasks: readonly string[]; readonly halfImport: boolean }> {
  const tasks: string[] = [];
  let halfImport = false;
  for (const { task } of await store.tasks()) {
    const stores = (await store.sizes(task)).map((size) => size.store);
    if (stores.length > 0) tasks.push(task);
    if (stores.includes(importStore)) halfImport = true;
  }
  return { tasks, halfImport };
}

/** One task's way into the store: commits that follow one another, under claims that are taken again when somebody fences us. */
class ImportedTask {
  readonly #store: StateStore;
  readonly #task: string;
  readonly #cellsMax: number;
  #claim: Claim | null = null;
  #sequence = 0;
  #waiting: Cell[] = [];
  #bytes = 0;
  /** The task's own facts: written last, so that nobody takes what is there for state. */
  readonly #facts: Cell[] = [];

  constructor(store: StateStore, task: string, cellsMax: number) {
    this.#store = store;
    this.#task = task;
    this.#cellsMax = cellsMax;
  }

  /** Deletes all but the mark. Facts go first. */
  async clear(): Promise<void> {
    const facts = await this.#store.read(this.#task, factsStore);
    if (facts.length > 0) await this.commit(facts.map(({ store, key }) => ({ store, key, value: null })));
    let deletes: Cell[] = [];
    for await (const page of this.#store.snapshot(this.#task)) {
      for (const { store, key } of page.cells) if (store !== importStore) deletes.push({ store, key, value: null });
      if (deletes.length < this.#cellsMax) continue;
      for (; deletes.length > 0; deletes = deletes.slice(this.#cellsMax)) await this.commit(deletes.slice(0, this.#cellsMax));
    }
    if (deletes.length > 0) await this.commit(deletes);
  }

  async write(cells: readonly Cell[]): Promise<void> {
    for (const cell of cells) {
      if (cell.store === factsStore) {
        this.#facts.push(cell);
        continue;
      }
      this.#waiting.push(cell);
      this.#bytes += cell.key.length + (cell.value?.length ?? 0);
      if (this.#waiting.length >= this.#cellsMax || this.#bytes >= commitBytesMax) await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const cells = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    await this.commit(cells);
  }

  /** The facts come and the mark goes, in one commit. */
  finish(markGone: Cell): Promise<void> {
    return this.commit([...this.#facts, markGone]);
  }

  /** Cells are absolute values: under another claim they may be written again. */
  async commit(cells: readonly Cell[]): Promise<void> {
    for (let claims = 0; claims < claimsMax; claims++) {
      const claim = this.#claim ?? await this.#claimAnew();
      const sequence = this.#sequence + 1;
      const outcome = await this.#store.commit({
        task: this.#task, owner: claim.owner, previousSequence: this.#sequence, sequence, commitId: `${claim.owner}/${sequence}`, cells,
      });
      if (outcome.kind === 'committed' || outcome.kind === 'repeated') {
        this.#sequence = sequence;
        return;
      }
      this.#claim = null;
      await pause(pauseMs);
    }
    throw new VoltstreamError('FENCED', 'others kept claiming a task while a savepoint was imported', {
      where: `task ${this.#task}`, cure: 'Stop the processes that work on this state store, then import again.',
    });
  }

  async #claimAnew(): Promise<Claim> {
    const claim = await this.#store.claim(this.#task);
    this.#claim = claim;
    this.#sequence = claim.sequence;
    return claim;
  }
}
