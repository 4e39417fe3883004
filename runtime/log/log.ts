/**
 * The port to the partitioned log: Kafka, the embedded log, or memory in tests. Pull-shaped, so that a task decides
 * where it reads (Law 3). No client library is imported outside `runtime/log/`.
 */

export interface LogHeader {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface LogRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Null when there are none, so that records without headers cost nothing. */
  readonly headers: readonly LogHeader[] | null;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What one poll gave for one partition. */
export interface LogBatch extends TopicPartition {
  /** The position this batch was asked for. A task accepts a batch only when it is exactly its own position. */
  readonly requestedPosition: number;
  /** Offsets ascending, all >= requestedPosition; may be empty when only control records were passed over. */
  readonly records: readonly LogRecord[];
  /** Where to go on: behind the last record, including control and compacted-away offsets that were passed over. */
  readonly nextPosition: number;
  /** The end of the partition (its last stable offset) as known with this batch: nextPosition === endOffset is "at end". */
  readonly endOffset: number;
}

/** A unit of assignment: one sub-topology's partition with all the topic partitions it reads. */
export interface TaskAssignment {
  readonly task: string;
  readonly partitions: readonly TopicPartition[];
}

export interface AssignmentListener {
  /**
   * The tasks this member now has, after each join. All partitions are paused and without a position; they give records only
   * after `seek` and `resume`, each as soon as that was done for it. Resolves when all is done for these tasks; a later join may call it before.
   */
  assigned(tasks: readonly TaskAssignment[]): Promise<void>;
}

export interface ConsumerOptions {
  readonly group: string;
  /** Every task of the application; each is assigned to exactly one member of the group. */
  readonly tasks: readonly TaskAssignment[];
  /** Bytes fetched ahead of the reader over all partitions. */
  readonly bufferBytesMax?: number;
}

export interface LogConsumer {
  start(listener: AssignmentListener): Promise<void>;
  /**
   * Waits up to `waitMs` for at least one batch. Batches of one partition are in order. Empty when nothing came. Throws
   * OFFSET_OUT_OF_RANGE once when a position is not in the log (any more); that partition then waits for a `seek`.
   */
  poll(waitMs: number): Promise<readonly LogBatch[]>;
  /**
   * How often the log has answered, be it with nothing: an idle source is told from a log that is away. Left out: each `poll`
   * that resolves is an answer.
   */
  answers?(): number;
  /** Forgets what was fetched ahead and reads on at `position`. */
  seek(partition: TopicPartition, position: number): void;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** For lag tools and autoscalers only: nothing here ever decides where to read by them. */
  commitOffsets(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>;
  /** Group offsets as committed, null where there is none. */
  committedOffsets(partitions: readonly TopicPartition[]): Promise<readonly (number | null)[]>;
  /** Resolves after the next join or successful heartbeat from now: proof that we are still a member. */
  confirmMembership(): Promise<void>;
  stop(): Promise<void>;
}

export interface OutboundRecord {
  readonly topic: string;
  /** Chosen by the key (murmur2, as Kafka's default partitioner) when left out. */
  readonly partition?: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers?: readonly LogHeader[] | null;
}

/** How far a writer (an ingested file, say) has come: its own text, kept with the records it belongs to. */
export interface WriterMark {
  readonly writer: string;
  readonly position: string;
}

/** Appends at least once. Used for repartition topics, whose readers drop repeated ordinals, and for ingestion. */
export interface LogProducer {
  /**
   * Resolves when all records are in the log, in the order given per partition; they must not be changed until then. The
   * embedded log stores `mark` in the same atomic step as the records, so that a writer which goes on from its mark appends
   * everything once. Kafka stores it after the records are acknowledged: a crash in between repeats them.
   */
  append(records: readonly OutboundRecord[], mark?: WriterMark): Promise<void>;
  /** Position of the writer's last mark, or null. */
  mark(writer: string): Promise<string | null>;
  close(): Promise<void>;
}

/**
 * Appends each ordinal of one writer once, whatever crashes (Law 4). Records carry ascending ordinals; the log keeps the
 * highest delivered one in the same atomic step as the records (Kafka: transaction plus offset metadata).
 */
export interface OrdinalProducer {
  /** Fences an earlier producer of the same writer, finishes what it left pending, and gives its mark (null: none). */
  open(): Promise<{ readonly run: number; readonly ordinal: number } | null>;
  /**
   * Does nothing when `lastOrdinal` is at or below the mark of this run (delivered twice). Throws FENCED when a later producer
   * of the same writer was opened. On any error the producer is useless: close it, make a new one and open it.
   */
  deliver(records: readonly OutboundRecord[], lastOrdinal: number): Promise<void>;
  close(): Promise<void>;
}

export interface OrdinalProducerOptions {
  readonly application: string;
  readonly run: number;
  readonly task: string;
  readonly sink: string;
}

export interface TopicDefinition {
  readonly topic: string;
  readonly partitions: number;
  /** Kafka topic settings; the embedded log knows `retention.ms` and `cleanup.policy`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What an application has in a log: topics, by how their names begin, and its groups: those of its workers and of its marks. */
export interface LogRemoval {
  readonly topicPrefix: string;
  readonly application: string;
}

export interface Log {
  open(): Promise<void>;
  /** Creates what is missing; throws PARTITIONS_CHANGED when a topic exists with another number of partitions. */
  createTopics(topics: readonly TopicDefinition[]): Promise<void>;
  /** Number of partitions, or null when the topic does not exist. */
  partitionCount(topic: string): Promise<number | null>;
  /** First offset still there and the end (last stable offset). */
  bounds(partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }>;
  /** Reads a range once, without a group: for global tables, replays and look-ups. Ends at `to` (exclusive). */
  read(partition: TopicPartition, from: number, to: number): AsyncIterable<LogBatch>;
  consumer(options: ConsumerOptions): LogConsumer;
  producer(): Promise<LogProducer>;
  ordinalProducer(options: OrdinalProducerOptions): OrdinalProducer;
  /** Deletes records below the given offsets (repartition topics behind the committed position). */
  deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>;
  /** Deletes topics with all that is in them, and groups that have no members. Left out where that is a folder, or memory. */
  removeAll?(what: LogRemoval): Promise<void>;
  close(): Promise<void>;
}
