import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { int64, utf8 } from '../../schemas/builtin-codecs.ts';
import type { Codec } from '../../schemas/codec.ts';
import type { StreamRecord } from '../../operators/operator.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import { deadLetterTopic } from '../../topology/dead-letter.ts';
import type { ErrorPolicies } from '../../topology/error-policy.ts';
import { clickhouse, logTopic } from '../../topology/sink.ts';
import { Topology } from '../../topology/topology.ts';
import type { LogRecord, TopicDefinition } from '../log/log.ts';
import type { Fault } from './testing/faulty-ports.ts';
import { append, processOf, ran, tableOf, textsIn, worldOf } from './testing/running.ts';
import type { Process, World } from './testing/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'error-policies-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const topics: readonly TopicDefinition[] = ['in', 'out', 'dead'].map((topic) => ({ topic, partitions: 2 }));

/** Texts with these words in them fail: when read, in the step, when encoded for a sink, or in the archive. */
const words = { deserialise: 'unread', process: 'unmade', deliver: 'unsent', archive: 'unkept' } as const;
type Where = keyof typeof words;

/** Fails each text so often at each place. One for all processes of a test, as the world is. */
class Failing {
  readonly failures = new Map<string, number>();
  readonly #times: number;

  constructor(times: number) {
    this.#times = times;
  }

  meet(where: Where, text: string): void {
    if (!text.includes(words[where])) return;
    const failed = this.failures.get(text) ?? 0;
    if (failed >= this.#times) return;
    this.failures.set(text, failed + 1);
    throw new TypeError(`${text} is planted`);
  }
}

function topologyOf(failing: Failing, policies: ErrorPolicies | null): Topology {
  const read: Codec<string> = { ...utf8, decode: (bytes) => {
    const text = utf8.decode(bytes);
    failing.meet('deserialise', text);
    return text;
  } };
  const sent: Codec<string> = { ...utf8, encode: (text) => {
    failing.meet('deliver', text);
    return utf8.encode(text);
  } };
  const topology = new Topology('failing');
  topology.archive('raw', 'in', { key: utf8, value: utf8 }, clickhouse(tableOf('raw'), (text: string) => {
    failing.meet('archive', text);
    return { text };
  }));
  topology.stream('in', { key: utf8, value: read }).pipe(statefulOperator({
    name: 'counted', stores: { counts: keyValueStore({ name: 'counted', key: utf8, value: int64 }) },
    process(record: StreamRecord<string, string>, { stores }, emit: (record: StreamRecord<string, string>) => void) {
      const count = (stores.counts.get(record.key) ?? 0) + 1;
      stores.counts.put(record.key, count);
      failing.meet('process', record.value);
      emit({ ...record, value: `${record.value} ${count}` });
    },
  })).to(logTopic('out', { key: utf8, value: sent }));
  topology.deadLetters(deadLetterTopic('dead'));
  if (policies !== null) topology.errorPolicy(policies);
  return topology;
}

const all = Object.values(words);
const first = ['a one', 'b one', ...all.map((word) => `a ${word}`), 'a two', 'b two'];
const second = ['c one', ...all.map((word) => `b ${word}`), 'b three', 'c two'];

async function lettersIn(world: World): Promise<LogRecord[]> {
  const letters: LogRecord[] = [];
  for (const partition of [0, 1]) {
    const { start, end } = await world.log.bounds({ topic: 'dead', partition });
    for await (const batch of world.log.read({ topic: 'dead', partition }, start, end)) letters.push(...batch.records);
  }
  return letters;
}

const headerOf = (record: LogRecord, key: string): string => Buffer.from(record.headers?.find((header) => header.key === key)?.value ?? []).toString();

async function outcome(world: World) {
  const letters = (await lettersIn(world)).map((letter) =>
    [Buffer.from(letter.value ?? []).toString(), headerOf(letter, '__voltstream.errors.stage'), headerOf(letter, '__voltstream.errors.step')].join(', '));
  return { out: await textsIn(world, 'out'), raw: [...world.warehouse.textsOf('raw')].sort(), letters: letters.sort() };
}

async function ranOn(times: number, policies: ErrorPolicies | null): Promise<{ readonly world: World; readonly failing: Failing; readonly process: Process }> {
  const world = await worldOf(folder, topics);
  await append(world, 'in', [...first, ...second]);
  const failing = new Failing(times);
  const process = await ran(world, topologyOf(failing, policies));
  await process.application.stop();
  return { world, failing, process };
}

const retry = (attempts: number, otherwise: 'fail' | 'dead-letter'): ErrorPolicies => {
  const policy = { attempts, backOffMs: 1, otherwise };
  return { deserialise: policy, process: policy, deliver: policy };
};

describe('an application whose records fail', () => {
  it('sets each aside once, of a step and of an archive, and all else arrives', async () => {
    const { world, process } = await ranOn(Number.POSITIVE_INFINITY, null);
    const { letters, raw } = await outcome(world);
    expect(letters).toEqual(['a', 'b'].flatMap((key) => [
      `${key} unkept, deliver, raw`, `${key} unmade, process, counted`, `${key} unread, deserialise, in`, `${key} unsent, deliver, out`,
    ]).sort());
    expect(raw).toEqual([...first, ...second].filter((text) => !text.includes('unkept')).sort());
    const text = await process.metrics.text();
    for (const [step, stage] of [['in', 'deserialise'], ['counted', 'process'], ['out', 'deliver'], ['raw', 'deliver']]) {
      const lines = text.split('\n').filter((line) => line.startsWith('voltstream_dead_letters_total') && line.includes(`step="${step}",stage="${stage}"`));
      expect(lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0), `${stage} ${step}`).toBe(2);
    }
  }, 20_000);

  it('leaves the outputs of an undisturbed run when the second attempts succeed, in every stage and in the archive', async () => {
    const calm = await ranOn(0, null);
    const { world, failing, process } = await ranOn(1, retry(2, 'fail'));
    expect(await outcome(world)).toEqual({ ...await outcome(calm.world), letters: [] });
    expect([...failing.failures.values()]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(await process.metrics.text()).toMatch(/voltstream_retries_total\{operation="record"\} 8/);
    expect(process.lines.some(({ msg }) => msg === 'task failed')).toBe(false);
  }, 20_000);

  it('sets them aside when their attempts are used up', async () => {
    const aside = await ranOn(Number.POSITIVE_INFINITY, null);
    const { world, failing } = await ranOn(Number.POSITIVE_INFINITY, retry(3, 'dead-letter'));
    expect(await outcome(world)).toEqual(await outcome(aside.world));
    // What was set aside, but not yet committed when another record failed, meets its function once more.
    expect(Math.min(...failing.failures.values())).toBe(3);
  }, 20_000);

  it.each(['deserialise', 'process', 'deliver', 'archive'] as const)('fails with the record when the policy says so, at once or after the last attempt: %s', async (where) => {
    for (const policy of ['fail', { attempts: 2, backOffMs: 1, otherwise: 'fail' }] as const) {
      const world = await worldOf(folder, topics);
      await append(world, 'in', ['a one', `a ${words[where]}`, 'a two']);
      const failing = new Failing(Number.POSITIVE_INFINITY);
      const name = { deserialise: 'in', process: 'counted', deliver: 'out', archive: 'raw' }[where];
      const process = processOf(world, topologyOf(failing, { steps: { [name]: policy } }));
      await process.application.start();
      await expect(process.application.failed).rejects.toMatchObject({
        code: where === 'deserialise' ? 'DESERIALISATION_FAILED' : 'PROCESSING_FAILED', where: expect.stringMatching(`step "${name}", in-[01]@1`),
      });
      await process.application.stop();
      expect([...failing.failures.values()]).toEqual([policy === 'fail' ? 1 : 2]);
      expect((await lettersIn(world))).toEqual([]);
    }
  }, 20_000);

  it('lets other tasks go on while one waits, and stops at once in a wait', async () => {
    const world = await worldOf(folder, topics);
    await append(world, 'in', ['a unmade', 'b one', 'c one', 'd one', 'e one']);
    const failing = new Failing(1);
    const process = processOf(world, topologyOf(failing, { process: { attempts: 2, backOffMs: 3_600_000, otherwise: 'fail' } }), { flags: { shutdownTimeoutMs: 60_000 } });
    await process.application.start();
    const others = async (): Promise<number> => (await textsIn(world, 'out')).filter((texts) => texts.length > 0).length;
    await expect.poll(others, { timeout: 5_000 }).toBe(1);
    expect([process.application.ready, failing.failures.get('a unmade')]).toEqual([false, 1]);
    await process.application.stop();
  }, 20_000);
});

describe('dead letters of an application whose process meets a fault at the n-th call', () => {
  async function run(faultAt: number, fault?: Fault) {
    const world = await worldOf(folder, topics);
    await append(world, 'in', first);
    let rest = second;
    const failing = new Failing(Number.POSITIVE_INFINITY);
    const work = async (process: Process): Promise<void> => {
      await process.application.start();
      if (rest === second) await process.drained();
      const due = rest;
      rest = [];
      await append(world, 'in', due, 100);
      await process.drained();
      await process.application.stop();
    };
    const one = processOf(world, topologyOf(failing, null), { faultAt, ...(fault === undefined ? {} : { fault }) });
    await Promise.race([work(one), one.ports.died]);
    if (one.ports.dead) await work(processOf(world, topologyOf(failing, null)));
    return { outcome: await outcome(world), calls: one.ports.calls };
  }

  it.each(['die-before', 'die-after', 'fail-after'] as const)('are there once each, and so is all else: %s', async (fault) => {
    const calm = await run(0);
    expect(calm.outcome.letters).toHaveLength(8);
    const failures: unknown[] = [];
    const numbers = Array.from({ length: calm.calls + 3 }, (_, index) => index + 1);
    const sweep = async (): Promise<void> => {
      for (let n = numbers.shift(); n !== undefined; n = numbers.shift()) {
        const result = await run(n, fault).catch((error: unknown) => ({ outcome: error }));
        try {
          expect(result.outcome).toEqual(calm.outcome);
        } catch (error) {
          failures.push({ n, error: result.outcome instanceof Error ? result.outcome : (error as Error).message });
        }
      }
    };
    await Promise.all(Array.from({ length: 6 }, sweep));
    expect(failures).toEqual([]);
  }, 60_000);
});
