import type { Log, LogConsumer, TopicPartition } from '../log/log.ts';
import type { RunningTask } from '../task/running-task.ts';

const INTERVAL_MS = 2_000;
/** Repartition topics are purged behind the committed position less this margin, for rewinds of the store. */
const PURGE_MARGIN_RECORDS = 100_000;

/** Writes the group's offsets, for lag tools, and frees repartition topics. A failure is told and tried again: nothing depends on it. */
export class GroupOffsets {
  readonly #log: Log;
  readonly #consumer: LogConsumer;
  readonly #retrying: (operation: string, error: unknown) => void;
  #writtenMs = 0;
  #underWay: Promise<void> | null = null;

  constructor(log: Log, consumer: LogConsumer, retrying: (operation: string, error: unknown) => void) {
    this.#log = log;
    this.#consumer = consumer;
    this.#retrying = retrying;
  }

  /** Begins to write when two seconds have passed and nothing is being written. Nobody waits: a broker may take its time to answer. */
  startWhenDue(tasks: readonly RunningTask[]): void {
    if (this.#underWay !== null || performance.now() - this.#writtenMs < INTERVAL_MS) return;
    this.#writtenMs = performance.now();
    this.#underWay = this.#write(tasks).finally(() => {
      this.#underWay = null;
    });
  }

  /** Writes what is committed by now, after what is being written. */
  async finish(tasks: readonly RunningTask[]): Promise<void> {
    await this.#underWay;
    await this.#write(tasks);
  }

  async #write(tasks: readonly RunningTask[]): Promise<void> {
    const positions = tasks.flatMap((task) => task.committedPositions);
    if (positions.length === 0) return;
    try {
      await this.#consumer.commitOffsets(positions);
      const purged = purgeable(tasks, positions);
      if (purged.length > 0) await this.#log.deleteRecords(purged);
    } catch (error) {
      this.#retrying('commit group offsets', error);
    }
  }
}

type Position = TopicPartition & { readonly offset: number };

function purgeable(tasks: readonly RunningTask[], positions: readonly Position[]): readonly Position[] {
  const internal = new Set(tasks.flatMap((task) => task.queues).filter((queue) => queue.source.role === 'repartition').map((queue) => queue.source.topic));
  return positions.filter((position) => internal.has(position.topic) && position.offset > PURGE_MARGIN_RECORDS)
    .map((position) => ({ ...position, offset: position.offset - PURGE_MARGIN_RECORDS }));
}
