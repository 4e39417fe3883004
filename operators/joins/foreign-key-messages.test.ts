import fc from 'fast-check';
import { expect, it } from 'vitest';
import { float64, json, utf8 } from '../../schemas/builtin-codecs.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { answerCodec, subscriberCodec, subscriptionCodec, type Instruction } from './foreign-key-messages.ts';

const hash = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)));

it('brings subscriptions back as they were', () => {
  const codec = subscriptionCodec(utf8);
  const instruction = fc.constantFrom<Instruction>('unsubscribe', 'unsubscribe-and-answer', 'subscribe', 'subscribe-quietly');
  fc.assert(fc.property(fc.record({ instruction, hash, key: fc.string({ unit: 'grapheme' }) }), (subscription) => {
    expect(codec.decode(codec.encode(subscription))).toEqual(subscription);
  }), propertyRuns());
  expect(codec.schemaId).toBe('subscription(utf8)');
});

it('brings answers back as they were, an empty value apart from none', () => {
  const codec = answerCodec(utf8);
  fc.assert(fc.property(fc.oneof(
    fc.record({ hash, value: fc.string({ unit: 'grapheme' }), quiet: fc.constant(false) }), fc.record({ hash, value: fc.constant(null), quiet: fc.boolean() }),
  ), (answer) => {
    expect(codec.decode(codec.encode(answer))).toEqual(answer);
  }), propertyRuns());
  expect(codec.decode(codec.encode({ hash: null, value: '', quiet: false })).value).toBe('');
});

it('refuses bytes that are cut off, and instructions that do not exist', () => {
  for (const bytes of [[], [0x83, 1, 2]]) {
    expect(() => subscriptionCodec(utf8).decode(Uint8Array.from(bytes))).toThrow(/DESERIALISATION_FAILED/);
    expect(() => answerCodec(utf8).decode(Uint8Array.from(bytes))).toThrow(/DESERIALISATION_FAILED/);
  }
  expect(() => subscriptionCodec(utf8).decode(Uint8Array.of(9))).toThrow(/instruction/);
  expect(() => answerCodec(utf8).decode(Uint8Array.of(9))).toThrow(/DESERIALISATION_FAILED/);
});

it('keeps a hash in memory of its own, in a form that names all three codecs', () => {
  const codec = subscriberCodec(utf8, float64, json('row'));
  const bytes = Buffer.alloc(16, 1);
  const kept = codec.decode(bytes);
  bytes.fill(2);
  expect(kept).toEqual(Buffer.alloc(16, 1));
  expect(codec.schemaId).toBe('subscriber(utf8,float64,json:row)');
  expect(() => codec.decode(Buffer.alloc(15))).toThrow(/DESERIALISATION_FAILED/);
});
