import { afterEach, describe, expect, it } from 'vitest';
import type { VoltstreamError } from '../../../errors.ts';
import { Cluster } from './cluster.ts';
import { Fetcher } from './fetcher.ts';
import { PartitionBuffer, partitionName } from './partition-buffer.ts';
import { encodeBatch, recordBytes } from './protocol/encode-batch.ts';
import { fetchAnswer, metadataAnswer, requests, ScriptedBroker, type ScriptedTopic } from './testing/scripted-broker.ts';

const id = 'a'.repeat(32);
const notLeader = 6;
const unknownTopicId = 100;

function batchAt(offset: number, leaderEpoch = 7): Buffer {
  const record = { topic: 't', key: null, value: Buffer.from(`value-${offset}`), timestampMs: 1 };
  const bytes = encodeBatch([record], recordBytes(record), { producerId: 1n, epoch: 0, sequence: 0, transactional: false });
  bytes.writeBigInt64BE(BigInt(offset), 0);
  bytes.writeInt32BE(leaderEpoch, 12);
  return bytes;
}

describe('fetches', () => {
  const ending: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ending.splice(0)) await end();
  });

  async function brokers(count: number): Promise<ReadonlyMap<number, ScriptedBroker>> {
    const made = new Map<number, ScriptedBroker>();
    for (let node = 1; node <= count; node++) {
      const broker = await new ScriptedBroker().listen();
      ending.push(() => broker.close());
      made.set(node, broker);
    }
    return made;
  }

  /** Reads all partitions of topics that stay as they are, or as `topics` says by then. */
  function reading(nodes: ReadonlyMap<number, ScriptedBroker>, topics: () => readonly ScriptedTopic[], metadataAgeMs?: number) {
    for (const broker of nodes.values()) broker.on(requests.metadata, () => metadataAnswer(nodes, topics()));
    const cluster = new Cluster({ brokers: [...nodes.values()].map(({ address }) => address), application: 'fetches' });
    const buffers = new Map(topics().flatMap(({ name, leaders }) => leaders.map((_, partition) => {
      const buffer = new PartitionBuffer({ topic: name, partition });
      buffer.assigned = true;
      buffer.paused = false;
      buffer.seek(0);
      return [partitionName(buffer), buffer] as const;
    })));
    const failures: VoltstreamError[] = [];
    let answers = 0;
    const fetcher = new Fetcher(cluster, buffers, 1e9, { answered: () => void (answers += 1), filled: () => undefined, failed: (error) => void failures.push(error) }, metadataAgeMs);
    ending.unshift(async () => {
      await fetcher.stop();
      await cluster.close();
    });
    fetcher.wake();
    return { buffer: (name: string) => buffers.get(name)!, failures, answers: () => answers };
  }

  it('go on for the partitions that have a leader while another one has none', async () => {
    const nodes = await brokers(1);
    let offset = 0;
    nodes.get(1)!.on(requests.fetch, () => fetchAnswer(id, [{ partition: 1, records: batchAt(offset++), end: 100 }]));
    const { buffer, failures } = reading(nodes, () => [{ name: 't', id, leaders: [-1, 1] }]);
    await expect.poll(() => buffer('t/1').position, { timeout: 5_000 }).toBeGreaterThan(20);
    expect(failures).toEqual([]);
  });

  it('of one partition that is in trouble do not hold up those of other brokers', async () => {
    const nodes = await brokers(2);
    nodes.get(1)!.on(requests.fetch, () => fetchAnswer(id, [{ partition: 0, error: notLeader }]));
    nodes.get(2)!.on(requests.fetch, () => fetchAnswer(id, [{ partition: 1, end: 0 }]));
    reading(nodes, () => [{ name: 't', id, leaders: [1, 2] }]);
    await expect.poll(() => nodes.get(1)!.asked(requests.fetch), { timeout: 10_000 }).toBeGreaterThan(3);
    expect(nodes.get(2)!.asked(requests.fetch)).toBeGreaterThan(nodes.get(1)!.asked(requests.fetch) * 5);
  });

  it('are no answer while a partition has no leader, or its leader is silent: its source would look idle', async () => {
    const nodes = await brokers(2);
    let firstSilent = false;
    nodes.get(1)!.on(requests.fetch, () => (firstSilent ? null : fetchAnswer(id, [{ partition: 0 }])));
    nodes.get(2)!.on(requests.fetch, () => fetchAnswer(id, [{ partition: 1 }]));
    let leaders = [1, 2];
    const { answers } = reading(nodes, () => [{ name: 't', id, leaders }], 100);
    await expect.poll(answers, { timeout: 5_000 }).toBeGreaterThan(5);
    const askedBetween = async (limit: number): Promise<number> => {
      const before = nodes.get(2)!.asked(requests.fetch);
      const answered = answers();
      await expect.poll(() => nodes.get(2)!.asked(requests.fetch), { timeout: 5_000 }).toBeGreaterThan(before + limit);
      return answers() - answered;
    };
    firstSilent = true;
    await new Promise((resolve) => setTimeout(resolve, 3_300));
    expect(await askedBetween(20)).toBe(0);
    const other = reading(nodes, () => [{ name: 't', id, leaders: (leaders = [-1, 2]) }]);
    await expect.poll(() => nodes.get(1)!.asked(requests.metadata), { timeout: 5_000 }).toBeGreaterThan(3);
    expect(other.answers()).toBe(0);
  });

  it('notice that a topic was deleted while other ones are read', async () => {
    const nodes = await brokers(2);
    const other = 'b'.repeat(32);
    let deleted = false;
    nodes.get(1)!.on(requests.fetch, () => fetchAnswer(id, [{ partition: 0, error: deleted ? unknownTopicId : 0 }]));
    nodes.get(2)!.on(requests.fetch, () => fetchAnswer(other, [{ partition: 0 }]));
    const { failures } = reading(nodes, () => [{ name: 't', id, leaders: [1] }, { name: 'u', id: other, leaders: [2] }].filter(({ name }) => !deleted || name === 'u'));
    await expect.poll(() => nodes.get(1)!.asked(requests.fetch), { timeout: 5_000 }).toBeGreaterThan(3);
    deleted = true;
    await expect.poll(() => failures.map(({ code }) => code), { timeout: 15_000 }).toEqual(['TOPIC_MISSING']);
  });

  it('notice that partitions were added, which nobody reads', async () => {
    const nodes = await brokers(1);
    nodes.get(1)!.on(requests.fetch, () => fetchAnswer(id, [{ partition: 0 }]));
    let leaders = [1];
    const { failures } = reading(nodes, () => [{ name: 't', id, leaders }], 100);
    await expect.poll(() => nodes.get(1)!.asked(requests.fetch), { timeout: 5_000 }).toBeGreaterThan(3);
    leaders = [1, 1, 1];
    await expect.poll(() => failures.map(String), { timeout: 5_000 }).toEqual([expect.stringMatching(/PARTITIONS_CHANGED: topic t has another number of partitions/)]);
  });

  it('notice that records which were read are no longer in the log, as after an election of a leader that lacked them', async () => {
    const nodes = await brokers(1);
    let asked = 0;
    nodes.get(1)!.on(requests.fetch, () => fetchAnswer(id, [asked++ < 5 ? { partition: 0, records: batchAt(asked - 1), end: 5 } : { partition: 0, diverging: { epoch: 7, end: 3 } }]));
    const { buffer, failures } = reading(nodes, () => [{ name: 't', id, leaders: [1] }]);
    await expect.poll(() => buffer('t/0').outOfRange, { timeout: 5_000 }).toBe(true);
    expect(buffer('t/0').position).toBe(5);
    expect(buffer('t/0').cutAt).toBe(3);
    expect(failures).toEqual([]);
  });
});
