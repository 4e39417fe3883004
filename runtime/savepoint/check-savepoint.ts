import { VoltstreamError, assertInvariant } from '../../errors.ts';
import type { BuiltTopology, SubTopology } from '../../topology/graph.ts';
import type { Log } from '../log/log.ts';
import { groupOf, judgeStoredTasks, refuseOrphanedTasks, refuseWaitingRows } from '../stored-tasks.ts';
import { bytesText } from '../task/cell-bytes.ts';
import { isDropped, refuseOrphanedStores, refuseRemovedSinks } from '../task/restore-checks.ts';
import { readerOf, refuseOtherMeaning } from '../task/state-evolution.ts';
import { factsStore } from '../task/task-facts.ts';
import type { SavepointProgress } from './export-savepoint.ts';
import { invalid } from './frames.ts';
import { readSavepoint } from './read-savepoint.ts';

export interface CheckOptions {
  readonly file: string;
  readonly application: string;
  readonly topology: BuiltTopology;
  /** Asked for the partitions of topics that exist already; left out, this is seen when the application starts. */
  readonly log?: Pick<Log, 'partitionCount'>;
  readonly progress?: (progress: SavepointProgress) => void;
}

/** A savepoint that has been read to its end and fits. */
export interface CheckedSavepoint {
  /** Digest of its content. */
  readonly id: string;
  /** Tasks to be imported; what the topology has let go of is left out. */
  readonly tasks: readonly string[];
  readonly cells: number;
}

interface TaskContent {
  readonly stores: Set<string>;
  readonly facts: Map<string, string>;
}

/**
 * Reads a whole savepoint and compares it with application and topology, before anything is written.
 *
 * @throws VoltstreamError SAVEPOINT_INVALID, STATE_ORPHANED, STATE_INCOMPATIBLE, PARTITIONS_CHANGED, TOPOLOGY_INVALID (a sink that is gone)
 */
export async function checkSavepoint(options: CheckOptions): Promise<CheckedSavepoint> {
  const { file, application, topology } = options;
  const contents = new Map<string, TaskContent>();
  let id = '';
  let cells = 0;
  for await (const part of readSavepoint(file)) {
    if (part.kind === 'header' && part.header.application !== application) {
      throw invalid(file, 'a savepoint belongs to another application', `applicationId ${application}`, part.header.application);
    }
    if (part.kind === 'task') contents.set(part.task.task, { stores: new Set(), facts: new Map() });
    if (part.kind === 'end') id = part.end.sha256;
    if (part.kind !== 'cells') continue;
    const content = contents.get(part.task);
    assertInvariant(content !== undefined, 'cells come behind their task');
    for (const cell of part.cells) {
      content.stores.add(cell.store);
      if (cell.store === factsStore) content.facts.set(bytesText(cell.key), bytesText(cell.value as Uint8Array));
    }
    cells += part.cells.length;
    options.progress?.({ phase: 'check', task: part.task, cells, cellsTotal: null });
  }
  for (const [task, { stores }] of contents) if (stores.size === 0) contents.delete(task);   // Claimed, never committed.
  refuseOtherTasks(topology, contents);
  for (const [task, content] of contents) checkTask(task, content, topology);
  await refuseOtherTopics(options, contents);
  return { id, cells, tasks: [...contents.keys()].filter((task) => !isDropped(groupOf(task), topology.droppedState)) };
}

function refuseOtherTasks(topology: BuiltTopology, contents: ReadonlyMap<string, TaskContent>): void {
  const storesOf = new Map([...contents].map(([task, { stores }]) => [task, [...stores]]));
  const known = new Set([...contents.keys()].filter((task) => [...topology.subTopologies, ...topology.archives].some(({ name }) => name === groupOf(task))));
  const judged = judgeStoredTasks(topology, known, [...contents.keys()]);
  refuseOrphanedTasks(topology, judged, storesOf);
  for (const task of judged.dropped) refuseWaitingRows(task, storesOf.get(task) ?? []);
}

function checkTask(task: string, { stores, facts }: TaskContent, topology: BuiltTopology): void {
  const part = topology.subTopologies.find((candidate) => candidate.name === groupOf(task));
  if (part === undefined) return;
  const names = [...stores];
  const empty = new Uint8Array(0);
  refuseOrphanedStores(task, [names.map((store) => ({ store, key: empty, value: null }))], new Set(part.stores.map((store) => store.name)), topology.droppedState);
  for (const step of part.steps) {
    for (const store of step.operator.stores) {
      refuseOtherMeaning(task, step.name, store, facts);
      readerOf(task, step.name, store, facts);
    }
  }
  const sinks = [...part.sinks, ...(topology.deadLetters === null ? [] : [topology.deadLetters])];
  refuseRemovedSinks(task, names.filter((name) => /^\$(outbox|seal)\./.test(name)), sinks.map((sink) => sink.name));
}

/** Partitions are recorded with the state: of one sub-topology all the same, and as many as its topics have, where those exist. */
async function refuseOtherTopics(options: CheckOptions, contents: ReadonlyMap<string, TaskContent>): Promise<void> {
  for (const [task, { facts }] of contents) {
    const part = options.topology.subTopologies.find((candidate) => candidate.name === groupOf(task));
    const written = facts.get('partitions');
    if (part === undefined || written === undefined) continue;
    if (Number(task.slice(task.lastIndexOf('_') + 1)) >= Number(written)) throw invalid(options.file, 'a savepoint has a task beyond its partitions', `${written} partitions`, task);
    const other = await otherCount(part, Number(written), options.log);
    if (other !== null) {
      throw new VoltstreamError('PARTITIONS_CHANGED', 'the savepoint was made with another number of partitions', {
        where: `${options.file}, task ${task}`, wanted: written, got: `${other.count} of topic ${other.topic}`,
      });
    }
  }
}

async function otherCount(part: SubTopology, written: number, log: CheckOptions['log']): Promise<{ readonly topic: string; readonly count: number } | null> {
  for (const { topic } of part.sources) {
    const count = await log?.partitionCount(topic) ?? null;
    if (count !== null && count !== written) return { topic, count };
  }
  return null;
}
