import type { Codec } from '../../schemas/codec.ts';
import { composite } from '../../schemas/codec-evolution.ts';
import { asBuffer, bytesPreview, malformed } from '../../schemas/malformed.ts';
import { valueHashBytes, type ValueHash } from '../../schemas/value-hash.ts';

/**
 * What a row of the left table asks of the task of its foreign key, as in Kafka's proposal KIP-213:
 *
 * - `subscribe`: tell me the value now and whenever it changes, also that there is none;
 * - `subscribe-quietly`: the same, but when there is none, say it only to a result that should not be there, for nothing was joined
 *   before;
 * - `unsubscribe`: I have gone to another foreign key, which will answer;
 * - `unsubscribe-and-answer`: I am gone for good, answer that there is none.
 */
export type Instruction = 'unsubscribe' | 'unsubscribe-and-answer' | 'subscribe' | 'subscribe-quietly';

const instructions: readonly Instruction[] = ['unsubscribe', 'unsubscribe-and-answer', 'subscribe', 'subscribe-quietly'];

export interface Subscription<K> {
  readonly instruction: Instruction;
  /** The row's key in the left table. */
  readonly key: K;
  /** Of the left value that asks; null when it is deleted. */
  readonly hash: ValueHash | null;
}

/** What the task of a foreign key answers to a row of the left table. */
export interface Answer<T> {
  /** Of the left value that asked: an answer to another value than the present one is out of date. */
  readonly hash: ValueHash | null;
  /** The foreign key's value; null when there is none. */
  readonly value: T | null;
  /** Nothing was joined before, and nothing is to be: only a result that is there all the same is to be deleted. */
  readonly quiet: boolean;
}

/** One byte for the instruction and whether there is a hash, the hash, the left key. */
export function subscriptionCodec<K>(key: Codec<K>): Codec<Subscription<K>> {
  return composite<Subscription<K>, [Codec<K>]>('subscription', [key], ([part]) => ({
    encode: (message) => withHash(instructions.indexOf(message.instruction), message.hash, part.encode(message.key)),
    decode: (encoded) => {
      const { flags, hash: found, rest } = hashIn(encoded, 'subscription');
      const instruction = instructions[flags];
      if (instruction === undefined) throw malformed('a subscription has an instruction that does not exist', `0 to ${instructions.length - 1}`, String(flags));
      return { instruction, key: part.decode(rest), hash: found };
    },
  }));
}

const answerFlags = { none: 0, value: 1, quietNone: 2 } as const;

/** One byte for whether there are a value and a hash, the hash, the value. */
export function answerCodec<T>(value: Codec<T>): Codec<Answer<T>> {
  return composite<Answer<T>, [Codec<T>]>('answer', [value], ([part]) => ({
    encode: (message) => {
      if (message.value !== null) return withHash(answerFlags.value, message.hash, part.encode(message.value));
      return withHash(message.quiet ? answerFlags.quietNone : answerFlags.none, message.hash, new Uint8Array(0));
    },
    decode: (encoded) => {
      const { flags, hash: found, rest } = hashIn(encoded, 'answer');
      if (flags > answerFlags.quietNone) throw malformed('an answer has flags that do not exist', `0 to ${answerFlags.quietNone}`, String(flags));
      return { hash: found, value: flags === answerFlags.value ? part.decode(rest) : null, quiet: flags === answerFlags.quietNone };
    },
  }));
}

/**
 * The hash that a subscription is kept with, by (foreign key, left key). All three codecs are part of its form, and no other
 * version of them can read it: hashes of other bytes would make every answer out of date.
 */
export function subscriberCodec<FK, K, V>(foreignKey: Codec<FK>, key: Codec<K>, value: Codec<V>): Codec<ValueHash> {
  return {
    kind: 'codec',
    schemaId: `subscriber(${foreignKey.schemaId},${key.schemaId},${value.schemaId})`,
    encode: (kept) => kept,
    decode: (encoded) => {
      if (encoded.length !== valueHashBytes) throw malformed('the hash of a subscription has the wrong length', `${valueHashBytes} bytes`, bytesPreview(encoded));
      // A copy: a store may use the memory that it read into again.
      return Buffer.from(encoded);
    },
  };
}

const hashFlag = 0x80;

function withHash(flags: number, valueHash: ValueHash | null, rest: Uint8Array): Uint8Array {
  const at = 1 + (valueHash === null ? 0 : valueHashBytes);
  const encoded = Buffer.allocUnsafe(at + rest.length);
  encoded[0] = flags | (valueHash === null ? 0 : hashFlag);
  if (valueHash !== null) encoded.set(valueHash, 1);
  encoded.set(rest, at);
  return encoded;
}

function hashIn(encoded: Uint8Array, what: string): { readonly flags: number; readonly hash: ValueHash | null; readonly rest: Buffer } {
  const source = asBuffer(encoded);
  const first = source[0] ?? -1;
  const at = 1 + (first >= hashFlag ? valueHashBytes : 0);
  if (source.length < at) throw malformed(`a message of a foreign-key join (${what}) is cut off`, `${at} bytes or more`, bytesPreview(encoded));
  return { flags: first & ~hashFlag, hash: at === 1 ? null : source.subarray(1, at), rest: source.subarray(at) };
}
