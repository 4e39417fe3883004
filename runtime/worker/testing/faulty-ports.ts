import { VoltstreamError } from '../../../errors.ts';
import type { ErrorCode } from '../../../errors.ts';
import type { Cell, CellPage, CellRange, Claim, Commit, CommitOutcome, StateStore, StoreSize, TaskSummary } from '../../../state/state-store.ts';
import type {
  Log, LogConsumer, LogProducer, OrdinalProducer, OrdinalProducerOptions, OutboundRecord, TopicDefinition, TopicPartition, WriterMark, ConsumerOptions,
} from '../../log/log.ts';
import type { Ports } from '../../ports.ts';
import type { StreamFormat, Warehouse, WarehouseInsert } from '../../sinks/warehouse.ts';

/** What befalls the n-th call that changes something outside of the process: the process dies, or the call fails and it lives on. */
export type Fault = 'die-before' | 'die-after' | 'fail-before' | 'fail-after';

const never = new Promise<never>(() => undefined);

/**
 * Ports of one simulated process over ports that outlive it. A dead process reaches nothing: each of its calls stays without an
 * answer, so that whatever it still does in memory has no effect, as after kill -9.
 */
export class FaultyPorts implements Ports {
  readonly log: Log;
  readonly store: StateStore;
  readonly registry: Ports['registry'];
  readonly warehouse: Warehouse;
  readonly #faultAt: number;
  readonly #fault: Fault | null;
  readonly #died = Promise.withResolvers<void>();
  calls = 0;
  dead = false;

  constructor(inner: Ports, faultAt = 0, fault: Fault | null = null) {
    this.#faultAt = faultAt;
    this.#fault = fault;
    this.registry = inner.registry;
    this.log = new FaultyLog(inner.log, this);
    this.store = new FaultyStore(inner.store, this);
    this.warehouse = new FaultyWarehouse(inner.warehouse, this);
  }

  /** Resolves when the process has died. */
  get died(): Promise<void> {
    return this.#died.promise;
  }

  die(): void {
    this.dead = true;
    this.#died.resolve();
  }

  /** A call that only looks. */
  look<T>(call: () => Promise<T>): Promise<T> {
    return this.dead ? never : call();
  }

  /** A call with an effect: the n-th of these meets the fault. */
  async act<T>(code: ErrorCode, call: () => Promise<T>): Promise<T> {
    if (this.dead) return never;
    const fault = ++this.calls === this.#faultAt ? this.#fault : null;
    if (fault === 'die-before') this.die();
    if (fault === 'fail-before') throw new VoltstreamError(code, 'planted');
    if (this.dead) return never;
    const answer = await call().finally(() => {
      if (fault === 'die-after') this.die();
    });
    if (fault === 'fail-after') throw new VoltstreamError(code, 'planted');
    return this.dead ? never : answer;
  }
}

class FaultyStore implements StateStore {
  readonly #inner: StateStore;
  readonly #ports: FaultyPorts;

  constructor(inner: StateStore, ports: FaultyPorts) {
    this.#inner = inner;
    this.#ports = ports;
  }

  open(): Promise<void> {
    return this.#inner.open();
  }
  claim(task: string): Promise<Claim> {
    return this.#ports.act('STORE_UNAVAILABLE', () => this.#inner.claim(task));
  }
  async * load(claim: Claim): AsyncGenerator<readonly Cell[]> {
    const pages = await this.#ports.act('STORE_UNAVAILABLE', async () => {
      const all: (readonly Cell[])[] = [];
      for await (const page of this.#inner.load(claim)) all.push(page);
      return all;
    });
    yield* pages;
  }
  commit(commit: Commit): Promise<CommitOutcome> {
    return this.#ports.act('STORE_UNAVAILABLE', () => this.#inner.commit(commit));
  }
  read(task: string, store: string, range?: CellRange): Promise<readonly Cell[]> {
    return this.#ports.look(() => this.#inner.read(task, store, range));
  }
  readPage(task: string, store: string, range?: CellRange): Promise<CellPage> {
    return this.#ports.look(() => this.#inner.readPage(task, store, range));
  }
  snapshot(task: string): AsyncIterable<CellPage> {
    return this.#inner.snapshot(task);
  }
  sizes(task: string): Promise<readonly StoreSize[]> {
    return this.#ports.look(() => this.#inner.sizes(task));
  }
  tasks(): Promise<readonly TaskSummary[]> {
    return this.#ports.look(() => this.#inner.tasks());
  }
  clear(task: string): Promise<void> {
    return this.#ports.act('STORE_UNAVAILABLE', () => this.#inner.clear(task));
  }
  async close(): Promise<void> {}
}

class FaultyWarehouse implements Warehouse {
  readonly #inner: Warehouse;
  readonly #ports: FaultyPorts;

  constructor(inner: Warehouse, ports: FaultyPorts) {
    this.#inner = inner;
    this.#ports = ports;
  }

  async open(): Promise<void> {}
  query<Row>(sql: string): Promise<readonly Row[]> {
    return this.#ports.look(() => this.#inner.query<Row>(sql));
  }
  queryText(sql: string, format: string): Promise<string> {
    return this.#ports.look(() => this.#inner.queryText(sql, format));
  }
  stream(sql: string, format: StreamFormat): AsyncIterable<Uint8Array> {
    return this.#inner.stream(sql, format);
  }
  command(sql: string): Promise<void> {
    return this.#ports.act('WAREHOUSE_UNAVAILABLE', () => this.#inner.command(sql));
  }
  insert(insert: WarehouseInsert): Promise<void> {
    return this.#ports.act('WAREHOUSE_UNAVAILABLE', () => this.#inner.insert(insert));
  }
  async close(): Promise<void> {}
}

class FaultyLog implements Log {
  readonly #inner: Log;
  readonly #ports: FaultyPorts;

  constructor(inner: Log, ports: FaultyPorts) {
    this.#inner = inner;
    this.#ports = ports;
  }

  async open(): Promise<void> {}
  createTopics(topics: readonly TopicDefinition[]): Promise<void> {
    return this.#ports.look(() => this.#inner.createTopics(topics));
  }
  partitionCount(topic: string): Promise<number | null> {
    return this.#ports.look(() => this.#inner.partitionCount(topic));
  }
  bounds(partition: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
    return this.#ports.look(() => this.#inner.bounds(partition));
  }
  read(partition: TopicPartition, from: number, to: number): ReturnType<Log['read']> {
    return this.#inner.read(partition, from, to);
  }
  consumer(options: ConsumerOptions): LogConsumer {
    const inner = this.#inner.consumer(options);
    const ports = this.#ports;
    const living = (act: () => void): void => {
      if (!ports.dead) act();
    };
    return {
      start: (listener) => ports.look(() => inner.start(listener)),
      poll: (waitMs) => ports.look(() => inner.poll(waitMs)),
      seek: (partition, position) => living(() => inner.seek(partition, position)),
      pause: (partitions) => living(() => inner.pause(partitions)),
      resume: (partitions) => living(() => inner.resume(partitions)),
      commitOffsets: (positions) => ports.look(() => inner.commitOffsets(positions)),
      committedOffsets: (partitions) => ports.look(() => inner.committedOffsets(partitions)),
      confirmMembership: () => ports.look(() => inner.confirmMembership()),
      stop: () => inner.stop(),
    };
  }
  async producer(): Promise<LogProducer> {
    const inner = await this.#inner.producer();
    const ports = this.#ports;
    return {
      append: (records: readonly OutboundRecord[], mark?: WriterMark) => ports.act('LOG_UNAVAILABLE', () => inner.append(records, mark)),
      mark: (writer) => ports.look(() => inner.mark(writer)),
      close: () => inner.close(),
    };
  }
  ordinalProducer(options: OrdinalProducerOptions): OrdinalProducer {
    const inner = this.#inner.ordinalProducer(options);
    const ports = this.#ports;
    return {
      open: () => ports.act('LOG_UNAVAILABLE', () => inner.open()),
      deliver: (records, lastOrdinal) => ports.act('LOG_UNAVAILABLE', () => inner.deliver(records, lastOrdinal)),
      close: () => inner.close(),
    };
  }
  deleteRecords(positions: Parameters<Log['deleteRecords']>[0]): Promise<void> {
    return this.#ports.look(() => this.#inner.deleteRecords(positions));
  }
  async close(): Promise<void> {}
}
