import { describe, expect, it, vi } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { json, utf8 } from '../schemas/builtin-codecs.ts';
import { SchemaNotLoaded } from '../schemas/codec.ts';
import type { SchemaRegistry, WireReader } from '../schemas/codec.ts';
import type { KeyValueStore, VersionedStore } from '../state/local-store.ts';
import type { Timestamped } from '../state/local/timestamped.ts';
import type { TopicForm } from '../topology/graph.ts';
import { Topology } from '../topology/topology.ts';
import { GlobalTables } from './global-tables.ts';
import { MemoryLog } from './log/memory-log.ts';
import { readerOf } from './testing/driver-forms.ts';

interface Price {
  readonly price: number;
  readonly fromMs: number;
}

const form: TopicForm<string, Price> = { key: utf8, value: json<Price>(), timestampOf: (value) => value.fromMs };

/** Gives readers that the test wraps; everything else of a registry is not asked for. */
function registryOf(wrap: (reader: WireReader<unknown>) => WireReader<unknown> = (reader) => reader): SchemaRegistry {
  return {
    open: async () => undefined, close: async () => undefined, writer: () => Promise.reject(new Error('nothing is written')),
    reader: (of) => wrap(readerOf(of as typeof form.key) as WireReader<unknown>) as never,
  };
}

async function world(options: { readonly historyMs?: number; readonly registry?: SchemaRegistry; readonly topic?: boolean } = {}) {
  const topology = new Topology('global');
  topology.globalTable('prices', form, options.historyMs === undefined ? {} : { historyMs: options.historyMs });
  topology.stream('in', form);
  const log = new MemoryLog();
  if (options.topic !== false) await log.createTopics([{ topic: 'prices', partitions: 2 }]);
  const problems: string[] = [];
  const abort = new AbortController();
  const tables = new GlobalTables({
    tables: topology.build().globalTables, log, registry: options.registry ?? registryOf(), refreshMs: 5, signal: abort.signal,
    problem: (message, error) => problems.push(`${message}: ${error instanceof VoltstreamError ? error.code : String(error)}`),
  });
  const put = async (key: string | null, value: string | null): Promise<void> => {
    const producer = await log.producer();
    await producer.append([{
      topic: 'prices', key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value), timestampMs: 50, partition: 0,
    }]);
  };
  return { tables, put, problems, abort, log, store: <S>() => tables.stores.get('prices-table') as S };
}

const price = (amount: number, fromMs = 0): string => JSON.stringify({ price: amount, fromMs });

describe('global tables', () => {
  it('hold the newest value of each key, without what was deleted, when start resolves', async () => {
    const { tables, put, store } = await world();
    for (const [key, value] of [['a', price(1)], ['b', price(2)], ['a', price(3)], ['b', null]] as const) await put(key, value);
    await put(null, price(9));                                   // without a key it belongs nowhere
    await tables.start();
    const prices = store<KeyValueStore<string, Timestamped<Price>>>();
    expect([prices.get('a')?.value.price, prices.get('b'), prices.entries]).toEqual([3, undefined, 1]);
    await tables.stop();
  });

  it('hold versions by the time in the value where history is kept', async () => {
    const { tables, put, store } = await world({ historyMs: 1_000 });
    await put('a', price(1, 10));
    await put('a', price(2, 20));
    await tables.start();
    const prices = store<VersionedStore<string, Price>>();
    expect([prices.getAsOf('a', 19)?.value.price, prices.getAsOf('a', 20)?.value.price, prices.getAsOf('a', 9)]).toEqual([1, 2, undefined]);
    await tables.stop();
  });

  it('see what comes later, and nothing after stop', async () => {
    const { tables, put, store } = await world();
    await tables.start();
    await put('a', price(1));
    const prices = store<KeyValueStore<string, Timestamped<Price>>>();
    await expect.poll(() => prices.get('a')?.value.price).toBe(1);
    await tables.stop();
    await put('a', price(2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(prices.get('a')?.value.price).toBe(1);
  });

  it('leave out what cannot be read, and say so, whatever was thrown', async () => {
    const { tables, put, store, problems } = await world();
    for (const value of ['{', price(1, -5), price(2, 0.5), 'null', price(3)]) await put('a', value);
    await tables.start();
    expect(store<KeyValueStore<string, Timestamped<Price>>>().get('a')?.value.price).toBe(3);
    expect(problems.map((problem) => /at offset (\d+) cannot be read and is left out/.exec(problem)?.[1])).toEqual(expect.arrayContaining(['0', '1', '2']));
    await tables.stop();
  });

  it('wait for a registry that is away instead of leaving records out, and end their wait when they are told to', async () => {
    let outages = 2;
    let loaded = false;
    const registry = registryOf((reader) => ({
      decode: (bytes) => {
        if (!loaded) throw new SchemaNotLoaded(1);
        return reader.decode(bytes);
      },
      load: async () => {
        if (outages-- > 0) throw new VoltstreamError('REGISTRY_UNAVAILABLE', 'planted');
        loaded = true;
      },
    }));
    const { tables, put, store, problems } = await world({ registry });
    await put('a', price(1));
    await tables.start();
    expect([store<KeyValueStore<string, Timestamped<Price>>>().get('a')?.value.price, problems.length]).toEqual([1, 2]);
    await tables.stop();
    const away = await world({ registry: registryOf(() => ({
      decode: () => {
        throw new SchemaNotLoaded(1);
      },
      load: () => Promise.reject(new VoltstreamError('REGISTRY_UNAVAILABLE', 'planted')),
    })) });
    await away.put('a', price(1));
    const started = away.tables.start();
    setTimeout(() => away.abort.abort(new Error('stopped')), 10);
    await expect(started).rejects.toThrow('stopped');
  });

  it('refuse to start without their topic', async () => {
    const { tables } = await world({ topic: false });
    await expect(tables.start()).rejects.toMatchObject({ code: 'TOPIC_MISSING', where: 'table "prices"' });
  });

  it('look once at a time however slow the log is, and stop after the answer that they wait for', async () => {
    const { tables, log } = await world();
    await tables.start();
    const answers: (() => void)[] = [];
    const bounds = log.bounds.bind(log);
    vi.spyOn(log, 'bounds').mockImplementation(async (partition) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return bounds(partition);
    });
    await expect.poll(() => answers.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));                    // ten times `refreshMs`
    expect(answers).toHaveLength(1);
    let stopped = false;
    const stopping = tables.stop().then(() => void (stopped = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    answers[0]?.();
    await stopping;
    expect(answers).toHaveLength(1);                                            // the other partition is not asked for
  });
});
