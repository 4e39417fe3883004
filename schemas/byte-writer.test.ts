import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from './byte-writer.ts';

type Write = readonly ['text', string] | readonly ['bytes', Uint8Array] | readonly ['int64' | 'float64' | 'uint32' | 'uint8', number];

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.tuple(fc.constantFrom('a', 'ü', '\u{1F50C}', '\ud800'), fc.nat(6_000)).map(([unit, times]) => unit.repeat(times)));
const write: fc.Arbitrary<Write> = fc.oneof(
  text.map((value) => ['text', value] as const),
  fc.uint8Array({ maxLength: 20_000 }).map((value) => ['bytes', value] as const),
  fc.maxSafeInteger().map((value) => ['int64', value] as const),
  fc.double().map((value) => ['float64', value] as const),
  fc.nat(0xffff_ffff).map((value) => ['uint32', value] as const),
  fc.nat(0xff).map((value) => ['uint8', value] as const),
);

function run(writer: ByteWriter, [kind, value]: Write): void {
  if (kind === 'text') writer.text(value);
  else if (kind === 'bytes') writer.bytes(value);
  else if (kind === 'int64') writer.orderedInt64(value);
  else writer[kind](value);
}

function expected([kind, value]: Write): Buffer {
  if (kind === 'text') return Buffer.from(value, 'utf8');
  if (kind === 'bytes') return Buffer.from(value);
  const bytes = Buffer.alloc(8);
  if (kind === 'int64') bytes.writeBigUInt64BE(BigInt(value) + 2n ** 63n);
  else if (kind === 'float64') bytes.writeDoubleLE(value);
  else if (kind === 'uint32') return bytes.subarray(bytes.writeUInt32BE(value) - 4, 4);
  else return Buffer.of(value);
  return bytes;
}

describe('a byte writer', () => {
  it('gives each value as if it had been put together of its own, and never changes what was taken', () => {
    const values = fc.array(fc.record({ writes: fc.array(write, { maxLength: 6 }), abandoned: fc.array(write, { maxLength: 2 }), copied: fc.boolean() }));
    fc.assert(fc.property(values, (all) => {
      const writer = new ByteWriter();
      const taken = all.map(({ writes, abandoned, copied }) => {
        writer.begin();
        for (const one of abandoned) run(writer, one);
        writer.begin();
        for (const one of writes) run(writer, one);
        const wanted = Buffer.concat(writes.map(expected));
        expect(writer.length).toBe(wanted.length);
        return { wanted, got: copied ? writer.takeCopy() : writer.take() };
      });
      for (const { wanted, got } of taken) expect(wanted.equals(got)).toBe(true);
    }));
  });

  it('writes a length in front of what it could not know before, also when the value has moved on its way', () => {
    const writer = new ByteWriter();
    for (const size of [0, 5, 16_383, 16_384, 100_000]) {
      writer.begin();
      writer.text('before');
      const position = writer.skipUint32();
      writer.bytes(Buffer.alloc(size, 7));
      writer.setUint32(position, size);
      const taken = writer.take();
      expect([taken.subarray(0, 6).toString(), taken.readUInt32BE(6), taken.length]).toEqual(['before', size, 10 + size]);
    }
    expect(() => writer.setUint32(0, 1)).toThrow(/within its value/);
  });

  it('does not let a small value keep a large piece of memory', () => {
    const writer = new ByteWriter();
    for (let count = 0; count < 2_000; count += 1) {
      writer.begin();
      writer.text('a value of some length');
      expect(writer.take().buffer.byteLength).toBeLessThanOrEqual(16_384);
    }
  });
});
