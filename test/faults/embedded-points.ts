import type {
  ConsumerOptions, Log, LogBatch, LogConsumer, LogProducer, OrdinalProducer, OrdinalProducerOptions, OutboundRecord, TopicDefinition,
  TopicPartition, WriterMark,
} from '../../runtime/log/log.ts';
import type { Ports } from '../../runtime/ports.ts';
import { sealPieces } from '../../runtime/delivery/seal.ts';
import type { SealedPiece } from '../../runtime/sinks/clickhouse/delivery.ts';
import type { SealRequest, StreamFormat, Warehouse, WarehouseInsert } from '../../runtime/sinks/warehouse.ts';
import type { Cell, CellPage, CellRange, Claim, Commit, CommitOutcome, StateStore, StoreSize, TaskSummary } from '../../state/state-store.ts';

/** Places between two steps of the exactly-once protocol where a process may die. Archives commit an intent, tasks their state. */
export const killPoints = [
  'claim-before', 'claim-after', 'task-commit-before', 'task-commit-after', 'archive-intent-before', 'archive-intent-after',
  'archive-insert-before', 'archive-insert-after', 'sink-insert-before', 'sink-insert-after', 'ingest-append-before', 'ingest-append-after',
  'ordinal-open-after', 'ordinal-deliver-before', 'ordinal-deliver-after', 'group-offsets-before', 'group-offsets-after',
] as const;
export type KillPoint = (typeof killPoints)[number];

/** Ends this process by SIGKILL when a point is passed for the n-th time. */
export class KillSwitch {
  readonly #point: KillPoint | null;
  #left: number;

  constructor(point: KillPoint | null, nth: number) {
    this.#point = point;
    this.#left = nth;
  }

  passed(point: KillPoint): void {
    if (point === this.#point && --this.#left === 0) process.kill(process.pid, 'SIGKILL');
  }
}

const archiveTask = /^raw-events_/;

/** The same ports, with the switch at each point. They are open already. */
export function withKillPoints(ports: Ports, kill: KillSwitch): Ports {
  return {
    registry: ports.registry,
    log: new KillingLog(ports.log, kill),
    store: new KillingStore(ports.store, kill),
    warehouse: new KillingWarehouse(ports.warehouse, kill),
  };
}

class KillingStore implements StateStore {
  readonly #store: StateStore;
  readonly #kill: KillSwitch;

  constructor(store: StateStore, kill: KillSwitch) {
    this.#store = store;
    this.#kill = kill;
  }

  async claim(task: string): Promise<Claim> {
    this.#kill.passed('claim-before');
    const claim = await this.#store.claim(task);
    this.#kill.passed('claim-after');
    return claim;
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const archive = archiveTask.test(commit.task);
    this.#kill.passed(archive ? 'archive-intent-before' : 'task-commit-before');
    const outcome = await this.#store.commit(commit);
    this.#kill.passed(archive ? 'archive-intent-after' : 'task-commit-after');
    return outcome;
  }

  open(): Promise<void> {
    return this.#store.open();
  }

  load(claim: Claim): AsyncIterable<readonly Cell[]> {
    return this.#store.load(claim);
  }

  read(task: string, store: string, range?: CellRange): Promise<readonly Cell[]> {
    return this.#store.read(task, store, range);
  }

  readPage(task: string, store: string, range?: CellRange): Promise<CellPage> {
    return this.#store.readPage(task, store, range);
  }

  snapshot(task: string): AsyncIterable<CellPage> {
    return this.#store.snapshot(task);
  }

  sizes(task: string): Promise<readonly StoreSize[]> {
    return this.#store.sizes(task);
  }

  tasks(): Promise<readonly TaskSummary[]> {
    return this.#store.tasks();
  }

  clear(task: string): Promise<void> {
    return this.#store.clear(task);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

class KillingWarehouse implements Warehouse {
  readonly #warehouse: Warehouse;
  readonly #kill: KillSwitch;

  constructor(warehouse: Warehouse, kill: KillSwitch) {
    this.#warehouse = warehouse;
    this.#kill = kill;
  }

  async insert(insert: WarehouseInsert): Promise<void> {
    const archive = insert.table === 'charging_events';
    this.#kill.passed(archive ? 'archive-insert-before' : 'sink-insert-before');
    await this.#warehouse.insert(insert);
    this.#kill.passed(archive ? 'archive-insert-after' : 'sink-insert-after');
  }

  seal(request: SealRequest): Promise<readonly SealedPiece[]> {
    return sealPieces(this.#warehouse, request);
  }

  open(): Promise<void> {
    return this.#warehouse.open();
  }

  query<Row>(sql: string): Promise<readonly Row[]> {
    return this.#warehouse.query<Row>(sql);
  }

  queryText(sql: string, format: string): Promise<string> {
    return this.#warehouse.queryText(sql, format);
  }

  stream(sql: string, format: StreamFormat): AsyncIterable<Uint8Array> {
    return this.#warehouse.stream(sql, format);
  }

  command(sql: string): Promise<void> {
    return this.#warehouse.command(sql);
  }

  close(): Promise<void> {
    return this.#warehouse.close();
  }
}

class KillingLog implements Log {
  readonly #log: Log;
  readonly #kill: KillSwitch;

  constructor(log: Log, kill: KillSwitch) {
    this.#log = log;
    this.#kill = kill;
  }

  async producer(): Promise<LogProducer> {
    const producer = await this.#log.producer();
    return {
      append: async (records: readonly OutboundRecord[], mark?: WriterMark) => {
        this.#kill.passed('ingest-append-before');
        await producer.append(records, mark);
        this.#kill.passed('ingest-append-after');
      },
      mark: (writer) => producer.mark(writer),
      close: () => producer.close(),
    };
  }

  ordinalProducer(options: OrdinalProducerOptions): OrdinalProducer {
    const producer = this.#log.ordinalProducer(options);
    return {
      open: async () => {
        const mark = await producer.open();
        this.#kill.passed('ordinal-open-after');
        return mark;
      },
      deliver: async (records: readonly OutboundRecord[], lastOrdinal: number) => {
        this.#kill.passed('ordinal-deliver-before');
        await producer.deliver(records, lastOrdinal);
        this.#kill.passed('ordinal-deliver-after');
      },
      close: () => producer.close(),
    };
  }

  consumer(options: ConsumerOptions): LogConsumer {
    const consumer = this.#log.consumer(options);
    return {
      start: (listener) => consumer.start(listener),
      poll: (waitMs) => consumer.poll(waitMs),
      seek: (partition, position) => consumer.seek(partition, position),
      pause: (partitions) => consumer.pause(partitions),
      resume: (partitions) => consumer.resume(partitions),
      commitOffsets: async (positions) => {
        this.#kill.passed('group-offsets-before');
        await consumer.commitOffsets(positions);
        this.#kill.passed('group-offsets-after');
      },
      committedOffsets: (partitions) => consumer.committedOffsets(partitions),
      confirmMembership: () => consumer.confirmMembership(),
      stop: () => consumer.stop(),
    };
  }

  open(): Promise<void> {
    return this.#log.open();
  }

  createTopics(topics: readonly TopicDefinition[]): Promise<void> {
    return this.#log.createTopics(topics);
  }

  partitionCount(topic: string): Promise<number | null> {
    return this.#log.partitionCount(topic);
  }

  bounds(partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
    return this.#log.bounds(partition);
  }

  read(partition: TopicPartition, from: number, to: number): AsyncIterable<LogBatch> {
    return this.#log.read(partition, from, to);
  }

  deleteRecords(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    return this.#log.deleteRecords(positions);
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
