import { expect, it } from 'vitest';
import type { DeadLetter } from './dead-letter.ts';
import { deadLetterTopic } from './dead-letter.ts';

const letter: DeadLetter = {
  stage: 'deliver', step: 'prices', reason: 'SERIALISATION_FAILED', exception: 'VoltstreamError', message: 'kein Preis für 3 €', stacktrace: 'at here',
  topic: 'orders', partition: 2, offset: 2 ** 40, index: 1, timestampMs: 7, form: 'bytes', key: null, value: Buffer.from([0xff]),
  headers: [{ key: 'own', value: Buffer.from([0xfe]) }, { key: '__streams.errors.topic', value: Buffer.from('before') }],
};

it('carries the record’s own headers first, then what failed, as UTF-8: of two with the same key the last is the newest', () => {
  const headers = deadLetterTopic('dead').headers?.(letter, '') ?? [];
  expect(headers.slice(0, 2)).toEqual(letter.headers);
  expect(headers.slice(2).map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
    ['__streams.errors.exception', 'VoltstreamError'], ['__streams.errors.message', 'kein Preis für 3 €'], ['__streams.errors.stacktrace', 'at here'],
    ['__streams.errors.topic', 'orders'], ['__streams.errors.partition', '2'], ['__streams.errors.offset', '1099511627776'],
    ['__voltstream.errors.stage', 'deliver'], ['__voltstream.errors.step', 'prices'], ['__voltstream.errors.code', 'SERIALISATION_FAILED'],
    ['__voltstream.errors.index', '1'],
  ]);
});

it('holds the bytes as they came, under the name of the topic or another', () => {
  expect(deadLetterTopic('dead').bytesOf?.(letter, '')).toEqual({ key: null, value: Buffer.from([0xff]) });
  expect([deadLetterTopic('dead').name, deadLetterTopic('dead', 'letters').name, deadLetterTopic('dead', 'letters').topic]).toEqual(['dead', 'letters', 'dead']);
});
