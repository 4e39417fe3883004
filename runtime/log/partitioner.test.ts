import { describe, expect, it } from 'vitest';
import { murmur2, Partitioner, partitionOf } from './partitioner.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('murmur2', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as Kafka does', (text, hash) => {
    expect(murmur2(bytes(text))).toBe(hash);
  });
});

describe('Partitioner', () => {
  const record = (key: string | null) => ({ topic: 't', key: key === null ? null : bytes(key), value: null, timestampMs: 0 });

  it('sends a key where Kafka sends it', () => {
    expect(new Partitioner().choose(record('foobar'), 7)).toBe(partitionOf(bytes('foobar'), 7));
    expect(partitionOf(bytes('foobar'), 1_000)).toBe((-790332482 & 0x7fffffff) % 1_000);
  });

  it('keeps records without a key together within an append, and moves on with the next', () => {
    const partitioner = new Partitioner();
    expect([1, 2, 3].map(() => partitioner.choose(record(null), 3))).toEqual([0, 0, 0]);
    partitioner.appendEnded();
    expect([1, 2].map(() => partitioner.choose(record(null), 3))).toEqual([1, 1]);
  });

  it('spreads a long append without keys over all partitions', () => {
    const partitioner = new Partitioner();
    const seen = new Set(Array.from({ length: 2_000 }, () => partitioner.choose(record(null), 3)));
    expect(seen).toEqual(new Set([0, 1, 2]));
  });

  it('takes the partition that a record names', () => {
    expect(new Partitioner().choose({ ...record('foobar'), partition: 2 }, 7)).toBe(2);
  });
});
