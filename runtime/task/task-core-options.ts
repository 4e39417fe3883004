import type { StreamRecord } from '../../operators/operator.ts';
import type { LocalStore } from '../../state/local-store.ts';
import type { SinkNode, SubTopology } from '../../topology/graph.ts';
import type { RowBuffer } from '../sinks/clickhouse/row-buffer.ts';
import type { FailurePolicies } from './error-policy.ts';
import type { SealPolicy } from './outbox.ts';
import type { SourceReaders } from './partition-queue.ts';
import type { MutableOrigin } from './step-context.ts';

/** Encodes a sink's output records: into RowBinary for a table, into key and value for a topic. */
export interface SinkEncoder {
  /** Names the form of the bytes: rows that wait in an outbox must not be delivered as another form. */
  readonly schemaId: string;
  /** Writes the row's bytes and gives its group: the table partition, or nothing for a topic. */
  encode(record: StreamRecord<unknown, unknown>, ordinal: number, origin: MutableOrigin, into: RowBuffer): string;
}

export interface TaskCoreOptions {
  readonly part: SubTopology;
  readonly partition: number;
  /** Partitions of the task's topics: recorded with the state, and a change is refused. */
  readonly partitions: number;
  /** Identity of this run; a `--reset` begins another. */
  readonly run: number;
  readonly readers: ReadonlyMap<string, SourceReaders>;
  readonly encoders: ReadonlyMap<string, SinkEncoder>;
  readonly globalStores: ReadonlyMap<string, LocalStore>;
  /** Names of stores that the topology has let go of. */
  readonly droppedState: readonly string[];
  /** Where records go that failed, when `failures` says so. */
  readonly deadLetters: SinkNode | null;
  readonly failures: FailurePolicies;
  readonly sealPolicyOf: (sink: SinkNode) => SealPolicy;
  /** Records to the end of the input from which on the task counts as behind; never when left out or 0. */
  readonly behindRecords?: number;
  /** How long a partition without records holds the others back; Kafka Streams' `max.task.idle.ms`, -1 never. */
  readonly maxTaskIdleMs: number;
  /** False in replay and backfill: no wall-clock punctuators, no source is ever idle. */
  readonly wallClock: boolean;
}
