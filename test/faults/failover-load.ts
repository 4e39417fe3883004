/** What the two measurements of failover (`failover.ts` here, and side by side in `bench/peers/`) feed their processes with, and how they wait. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogProducer, OutboundRecord } from '../../runtime/log/log.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { failoverTopic } from './failover-pod.ts';

/** So that each partition has something to do at any moment: four records every 10 ms to each. */
const trickleMs = 10;
const trickledRecords = 4;
const recordsAtOnce = 4_000;

/** Looks every 5 ms. Throws when the condition does not come true within the time. */
export async function until(what: string, condition: () => boolean, timeoutMs = 900_000): Promise<void> {
  for (const endMs = Date.now() + timeoutMs; !condition();) {
    if (Date.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(5);
  }
}

function record(number: number): OutboundRecord {
  return { topic: failoverTopic, key: utf8.encode(`key-${String(number).padStart(8, '0')}`), value: utf8.encode('1'), timestampMs: 1_700_000_000_000 + number };
}

/** One record for each of so many keys. */
export async function fill(producer: LogProducer, keys: number): Promise<void> {
  for (let from = 0; from < keys; from += recordsAtOnce) {
    await producer.append(Array.from({ length: Math.min(recordsAtOnce, keys - from) }, (_, index) => record(from + index)));
  }
}

/** Records of the same keys, again and again, a few at a time to every partition, until `end` is called. */
export class Trickle {
  readonly #done: Promise<void>;
  readonly #ended = new AbortController();

  constructor(producer: LogProducer, partitions: number, keys: number) {
    this.#done = this.#run(producer, partitions * trickledRecords, keys);
    this.#done.catch(() => undefined); // told by `end`
  }

  /** Throws what an append has thrown. */
  end(): Promise<void> {
    this.#ended.abort();
    return this.#done;
  }

  async #run(producer: LogProducer, records: number, keys: number): Promise<void> {
    for (let number = 0; !this.#ended.signal.aborted; number += records) {
      await producer.append(Array.from({ length: records }, (_, index) => record((number + index) % keys)));
      await sleep(trickleMs);
    }
  }
}
