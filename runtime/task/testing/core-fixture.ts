import type { Cell } from '../../../state/state-store.ts';
import type { Topology } from '../../../topology/topology.ts';
import type { LogBatch, LogHeader, LogRecord } from '../../log/log.ts';
import { driverEncoder, readerOf } from '../../testing/driver-forms.ts';
import { decodeTopicRow } from '../../delivery/topic-row.ts';
import { FailurePolicies } from '../error-policy.ts';
import type { SealedBatch } from '../outbox.ts';
import { visitBatch } from '../outbox.ts';
import { restoreAll } from '../restore-all.ts';
import type { SinkEncoder, TaskCoreOptions } from '../task-core.ts';
import { TaskCore } from '../task-core.ts';

/** The core of partition 0 of a topology's first sub-topology, restored from `cells`, and told to read from there. */
export function coreOf(topology: Topology, cells: readonly Cell[] = [], options: Partial<TaskCoreOptions> = {}): TaskCore {
  const built = topology.build();
  const part = options.part ?? built.subTopologies[0];
  if (part === undefined) throw new Error('a topology has a sub-topology');
  const sinks = built.deadLetters === null ? part.sinks : [...part.sinks, built.deadLetters];
  const core = new TaskCore({
    part, partition: 0, partitions: 1, run: 1, globalStores: new Map(), droppedState: built.droppedState, maxTaskIdleMs: 0, wallClock: true,
    readers: new Map(part.sources.map((source) => [source.name, { key: readerOf(source.form.key), value: readerOf(source.form.value) }])),
    encoders: new Map<string, SinkEncoder>(sinks.map((sink) => [sink.name, driverEncoder(sink)])),
    deadLetters: built.deadLetters, failures: new FailurePolicies(built),
    sealPolicyOf: () => ({ rowsMax: 1, bytesMax: 1, ageMs: 0 }),
    ...options,
  });
  restoreAll(core, [cells]);
  for (const queue of core.queues) queue.start(core.committedPosition(queue.source) ?? 0, 0);
  return core;
}

export interface Given {
  readonly key?: string | null;
  readonly value: string | null;
  readonly timestampMs?: number;
  readonly headers?: readonly LogHeader[];
}

/** A batch as a consumer gives it, of texts from `from` on; nothing is known to come behind it. */
export function batch(topic: string, from: number, given: readonly (Given | string)[], partition = 0): LogBatch {
  const records = given.map((one, index): LogRecord => {
    const { key = 'k', value, timestampMs = from + index, headers = null } = typeof one === 'string' ? { value: one } : one;
    return {
      offset: from + index, timestampMs, headers, key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value),
    };
  });
  const nextPosition = from + records.length;
  return { topic, partition, requestedPosition: from, records, nextPosition, endOffset: nextPosition };
}

/** Cells as commits have left them. */
export class CommittedCells {
  readonly #cells = new Map<string, Cell>();

  apply(cells: readonly Cell[]): void {
    for (const cell of cells) {
      const name = `${cell.store}\n${Buffer.from(cell.key).toString('hex')}`;
      if (cell.value === null) this.#cells.delete(name);
      else this.#cells.set(name, cell);
    }
  }

  /** In reverse order of their first writing: a store gives them in no order at all. */
  get all(): readonly Cell[] {
    return [...this.#cells.values()].reverse();
  }

  text(store: string, key: string): string | null {
    const cell = this.#cells.get(`${store}\n${Buffer.from(key).toString('hex')}`);
    return cell?.value === undefined || cell.value === null ? null : Buffer.from(cell.value).toString();
  }
}

/** Values of the texts in sealed batches for a topic. */
export function textsOf(sealed: readonly { readonly batch: SealedBatch }[]): string[] {
  const texts: string[] = [];
  for (const { batch: one } of sealed) {
    visitBatch(one, (_ordinal, _group, bytes, start, end) => {
      texts.push(Buffer.from(decodeTopicRow('', bytes.subarray(start, end), null).value ?? []).toString());
    });
  }
  return texts;
}
