import { expect, it } from 'vitest';
import { VoltstreamError, assertInvariant } from '../../errors.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { LocalStore, StoreDefinition } from '../local-store.ts';
import { encodeValue } from './cell-value.ts';
import { groupedStore } from './grouped-store.ts';
import { keyValueStore } from './key-value-store.ts';
import { timeKeyStore } from './time-key-store.ts';
import { versionedStore } from './versioned-store.ts';

/** Refuses to write `bad`, as a codec does that checks. */
const picky: Codec<string> = {
  ...utf8,
  encode(value) {
    if (value === 'bad') throw new TypeError('it is bad');
    return utf8.encode(value);
  },
};

function refusal<S extends LocalStore>(definition: StoreDefinition<S>, put: (store: S, value: string) => void): unknown {
  const store = definition.create();
  put(store, 'good');
  store.takeChanges([]);
  put(store, 'bad');
  try {
    store.takeChanges([]);
  } catch (error) {
    return error;
  }
  return null;
}

it('names the key of a value that its codec does not write, in each store', () => {
  const stores = [
    [refusal(keyValueStore({ name: 's', key: utf8, value: picky }), (store, value) => store.put('k', value)), 'key k'],
    [refusal(groupedStore({ name: 's', value: picky }), (store, value) => store.put('g', 'm', value)), 'key g, m'],
    [refusal(timeKeyStore({ name: 's', key: utf8, value: picky }), (store, value) => store.put('k', 5, value)), 'key k, 5'],
    [refusal(versionedStore({ name: 's', key: utf8, value: picky, historyMs: 10 }), (store, value) => void store.put('k', value, 5)), 'key k, 5'],
  ] as const;
  for (const [error, where] of stores) expect(error).toMatchObject({ code: 'SERIALISATION_FAILED', where, cause: { message: 'it is bad' } });
});

it('shows a key of several parts, and keeps a code and a bug of our own as they are', () => {
  const failing = (error: Error): Codec<string> => ({ ...utf8, encode: () => { throw error; } });
  expect(() => encodeValue(failing(new Error('no')), '', { id: 1n, startMs: 2 })).toThrow('where: key {"id":"1","startMs":2}');
  expect(() => encodeValue(failing(new VoltstreamError('SCHEMA_INVALID', 'no', { where: 'field a' })), '', 'k')).toThrow('where: key k, field a');
  expect(() => encodeValue({ ...utf8, encode: () => { assertInvariant(false, 'never'); return new Uint8Array(); } }, '', 'k')).toThrow('invariant violated');
});
