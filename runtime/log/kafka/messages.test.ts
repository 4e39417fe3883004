import { createRequire } from 'node:module';
import type { IHeaders } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import type { LogHeader } from '../log.ts';
import { logRecordOf, requestsOf } from './messages.ts';

const require = createRequire(import.meta.url);
interface Encoded {
  readonly buffer: Buffer;
}
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (record: {
  readonly key: null; readonly value: null; readonly headers: IHeaders | undefined;
}) => Encoded;
const decodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/decoder.js') as (decoder: unknown, context: object) => { readonly headers: IHeaders };
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (buffer: Buffer) => { readVarInt(): number };

/** Headers as they come out of kafkajs' own form of a record. */
function throughKafka(headers: readonly LogHeader[]): readonly (readonly [string, string])[] {
  const [request] = requestsOf([{ topic: 't', key: null, value: null, timestampMs: 0, headers }], () => 0);
  const message = request?.[0]?.messages[0];
  const { buffer } = encodeRecord({ key: null, value: null, headers: message?.headers });
  const decoder = new Decoder(buffer);
  decoder.readVarInt();                                           // the record's length
  const decoded = decodeRecord(decoder, { firstOffset: '0', firstTimestamp: '0', magicByte: 2 });
  const record = logRecordOf({ key: null, value: null, offset: '0', timestamp: '0', attributes: 0, headers: decoded.headers });
  return (record.headers ?? []).map(({ key, value }) => [key, Buffer.from(value).toString()] as const);
}

const header = (key: string, value: string): LogHeader => ({ key, value: Buffer.from(value) });

describe('headers of a message', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'plain'])('keep their values under the name %s', (name) => {
    expect(throughKafka([header('first', 'a'), header(name, 'b')])).toEqual([['first', 'a'], [name, 'b']]);
    expect(throughKafka([header(name, 'b'), header(name, 'c'), header(name, '')])).toEqual([[name, 'b'], [name, 'c'], [name, '']]);
  });
});
