import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../../errors.ts';
import { utf8 } from '../../schemas/builtin-codecs.ts';
import { SchemaNotLoaded } from '../../schemas/codec.ts';
import type { WireReader } from '../../schemas/codec.ts';
import type { SourceNode } from '../../topology/graph.ts';
import type { LogBatch } from '../log/log.ts';
import { readerOf } from '../testing/driver-forms.ts';
import { PartitionQueue } from './partition-queue.ts';
import { batch } from './testing/core-fixture.ts';
import { writerHeader } from './writer-header.ts';

const text = readerOf(utf8);

function queueOf(options: { readonly role?: SourceNode['role']; readonly value?: WireReader<unknown>; readonly timestampOf?: () => number } = {}) {
  const told: string[] = [];
  let taken = -1;
  const source: SourceNode = {
    kind: 'source', name: 'in', topic: 'in', role: options.role ?? 'stream',
    form: { key: utf8, value: utf8, ...(options.timestampOf === undefined ? {} : { timestampOf: options.timestampOf }) },
  };
  const queue = new PartitionQueue(source, 0, { key: text, value: options.value ?? text }, {
    malformed: (_source, _partition, raw, error) => told.push(`malformed ${raw.offset} ${error instanceof VoltstreamError ? error.code : 'error'}`),
    repeated: (_source, mark) => mark.ordinal <= taken,
    taken: (_source, mark) => {
      taken = mark.ordinal;
      told.push(`taken ${mark.ordinal}`);
    },
  });
  queue.start(0, 0);
  return { queue, told };
}

function drain(queue: PartitionQueue): unknown[] {
  const values: unknown[] = [];
  for (; queue.fill(); queue.shift()) values.push(queue.headValue);
  return values;
}

/** Control records (the ends of transactions): offsets without records. */
function passedOver(from: number, to: number): LogBatch {
  return { ...batch('in', from, []), nextPosition: to, endOffset: to };
}

const written = (ordinal: number, value: string) => ({ value, headers: [writerHeader({ run: 1, task: 'w_0', ordinal })] });

describe('PartitionQueue', () => {
  it('takes a batch only of its own partition, and only when it was asked for at the position that comes next', () => {
    const { queue } = queueOf();
    expect(queue.accept(batch('in', 1, ['early']))).toBe(false);
    expect(queue.accept(batch('in', 0, ['other'], 1))).toBe(false);
    expect(queue.accept(batch('out', 0, ['other']))).toBe(false);
    expect(queue.accept(batch('in', 0, ['a', 'b']))).toBe(true);
    expect(queue.accept(batch('in', 0, ['a', 'b']))).toBe(false);
    expect(queue.requestPosition).toBe(2);
    expect(queue.accept(batch('in', 2, ['c']))).toBe(true);
    expect(drain(queue)).toEqual(['a', 'b', 'c']);
  });

  it('moves its position behind a record when that is passed, and not when it is fetched or decoded', () => {
    const { queue } = queueOf();
    queue.accept(batch('in', 0, ['a', 'b']));
    queue.fill();
    expect([queue.position, queue.atEnd]).toEqual([0, false]);
    queue.shift();
    expect([queue.position, queue.buffered, queue.atEnd]).toEqual([1, 1, false]);
    drain(queue);
    expect([queue.position, queue.buffered, queue.atEnd]).toEqual([2, 0, true]);
  });

  it('comes to the end of a partition that ends in control records, whenever it hears of them', () => {
    const first = queueOf();
    first.queue.accept(passedOver(0, 2));
    expect([first.queue.position, first.queue.atEnd]).toEqual([2, true]);
    const second = queueOf();
    second.queue.accept(batch('in', 0, ['a']));
    second.queue.accept(passedOver(1, 3));
    second.queue.accept(passedOver(3, 4));
    expect([second.queue.position, second.queue.atEnd]).toEqual([0, false]);
    expect(drain(second.queue)).toEqual(['a']);
    expect([second.queue.position, second.queue.atEnd]).toEqual([4, true]);
  });

  it('gives every record once, in order, and ends where the log ends, however it was cut', () => {
    const cut = fc.array(fc.record({ records: fc.nat(3), passed: fc.nat(2), drainAfter: fc.boolean() }), { maxLength: 12 });
    fc.assert(fc.property(cut, (batches) => {
      const { queue } = queueOf();
      const seen: unknown[] = [];
      let position = 0;
      for (const { records, passed, drainAfter } of batches) {
        const given = batch('in', position, Array.from({ length: records }, (_, index) => String(position + index)));
        const next = given.nextPosition + passed;
        expect(queue.accept({ ...given, nextPosition: next, endOffset: next })).toBe(true);
        position = next;
        if (drainAfter) seen.push(...drain(queue));
      }
      seen.push(...drain(queue));
      expect(seen).toEqual([...seen].sort((a, b) => Number(a) - Number(b)));
      expect(seen.length).toBe(batches.reduce((sum, { records }) => sum + records, 0));
      expect([queue.position, queue.buffered, queue.atEnd]).toEqual([position, 0, true]);
    }));
  });

  it('sets aside a record that cannot be decoded, or whose time cannot be, and passes it', () => {
    const broken: WireReader<unknown> = {
      decode: (bytes) => {
        if (bytes[0] === 0x21) throw new Error('broken');
        return text.decode(bytes);
      },
      load: () => Promise.resolve(),
    };
    const { queue, told } = queueOf({ value: broken });
    queue.accept(batch('in', 0, ['!', { value: 'past', timestampMs: -1 }, { value: 'half', timestampMs: 0.5 }, 'good']));
    expect(drain(queue)).toEqual(['good']);
    expect(told).toEqual(['malformed 0 error', 'malformed 1 DESERIALISATION_FAILED', 'malformed 2 DESERIALISATION_FAILED']);
    expect([queue.malformed, queue.accepted, queue.position]).toEqual([3, 4, 4]);
    const absurd = queueOf({ timestampOf: () => Number.NaN });
    absurd.queue.accept(batch('in', 0, ['a', { value: null, timestampMs: 7 }]));
    expect(drain(absurd.queue)).toEqual([null]);           // a record without a value has the log's time
    expect(absurd.told).toEqual(['malformed 0 DESERIALISATION_FAILED']);
  });

  it('drops repeated records of a writer, and holds one for taken only when it is passed', () => {
    const { queue, told } = queueOf({ role: 'repartition' });
    queue.accept(batch('in', 0, [written(0, 'a'), written(1, 'b'), written(0, 'a'), written(1, 'b'), written(2, 'c'), 'foreign']));
    queue.fill();
    expect(told).toEqual([]);
    expect(drain(queue)).toEqual(['a', 'b', 'c', 'foreign']);
    expect(told).toEqual(['taken 0', 'taken 1', 'taken 2']);
    expect(queue.position).toBe(6);
  });

  it('waits for the schema of its head, and takes that record afterwards', () => {
    let loaded = false;
    const registered: WireReader<unknown> = {
      decode: (bytes) => {
        if (!loaded) throw new SchemaNotLoaded(7);
        return text.decode(bytes);
      },
      load: () => Promise.resolve(),
    };
    const { queue, told } = queueOf({ role: 'repartition', value: registered });
    queue.accept(batch('in', 0, [written(0, 'a'), written(1, 'b')]));
    expect(queue.fill()).toBe(false);
    expect(queue.fill()).toBe(false);
    expect([queue.awaitedSchema?.schemaId, queue.position, queue.malformed]).toEqual([7, 0, 0]);
    loaded = true;
    expect(drain(queue)).toEqual(['a', 'b']);
    expect(told).toEqual(['taken 0', 'taken 1']);
  });

  it('sets the head aside when its schema does not exist', () => {
    const unknown: WireReader<unknown> = {
      decode: () => {
        throw new SchemaNotLoaded(7);
      },
      load: () => Promise.resolve(),
    };
    const { queue, told } = queueOf({ role: 'repartition', value: unknown });
    queue.accept(batch('in', 0, [written(0, 'a')]));
    queue.fill();
    queue.refuseAwaited(new VoltstreamError('SCHEMA_UNKNOWN', 'no schema 7'));
    expect(told).toEqual(['malformed 0 SCHEMA_UNKNOWN', 'taken 0']);
    expect([queue.position, queue.awaitedSchema, queue.atEnd]).toEqual([1, null, true]);
  });

  it('forgets what was fetched when it starts anew', () => {
    const { queue } = queueOf();
    queue.accept(batch('in', 0, ['a', 'b']));
    queue.fill();
    queue.start(5, 9);
    expect([queue.hasHead, queue.buffered, queue.position, queue.requestPosition, queue.atEnd]).toEqual([false, 0, 5, 5, false]);
    expect(queue.accept(batch('in', 2, ['c']))).toBe(false);
  });
});
