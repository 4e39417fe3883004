import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteWriter } from '../../schemas/byte-writer.ts';
import { hashOf, SeenChunk } from './seen-chunk.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';

function written(chunk: SeenChunk): Uint8Array {
  const writer = new ByteWriter();
  writer.begin();
  chunk.write(writer);
  return writer.take();
}

/** Any UTF-16 units, lone surrogates among them. */
const identity = fc.array(fc.oneof(fc.integer({ min: 32, max: 126 }), fc.nat(0x7ff), fc.nat(0xffff), fc.integer({ min: 0xd7ff, max: 0xe000 })), { maxLength: 12 })
  .map((units) => String.fromCharCode(...units));

it('SeenChunk holds the very texts that were added, and comes back without those that are forgotten', () => {
  fc.assert(fc.property(fc.array(identity, { maxLength: 64 }), identity, fc.nat(64), fc.nat(100), (identities, other, forgotten, likely) => {
    const chunk = new SeenChunk('a', 0, likely);
    for (const [at, one] of identities.entries()) chunk.add(one, hashOf(one), at * 1_000.5);
    chunk.seal();
    chunk.first = Math.min(forgotten, identities.length);
    const back = new SeenChunk('a', 0, 0);
    back.read(written(chunk));
    const left = identities.slice(chunk.first);
    expect([back.count, back.seenMs, back.hashes]).toEqual([left.length, chunk.seenMs.slice(chunk.first), left.map(hashOf)]);
    for (const [at, one] of left.entries()) {
      expect(back.identityAt(at)).toBe(one);
      for (const asked of [one, other, `${one}a`, one.slice(1), one.slice(0, -1)]) expect(back.holds(at, asked)).toBe(asked === one);
    }
  }), propertyRuns());
});

it('SeenChunk refuses bytes that are not its own', () => {
  const chunk = new SeenChunk('a', 0, 0);
  chunk.add('identity', hashOf('identity'), 1);
  const bytes = written(chunk);
  for (const wrong of [bytes.subarray(0, 5), bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), Buffer.alloc(0).subarray(0, 0)]) {
    expect(() => new SeenChunk('a', 0, 0).read(wrong)).toThrow(/DESERIALISATION_FAILED/);
  }
});
