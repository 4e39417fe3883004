import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mapValues } from '../operators/map-values.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { deadLetterTopic } from '../topology/dead-letter.ts';
import { logTopic } from '../topology/sink.ts';
import { Topology } from '../topology/topology.ts';
import { TraceChannel, traced, tracing } from './tracing.ts';
import type { CommitTrace } from './tracing.ts';
import { append, processOf, ran, worldOf } from './worker/testing/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'tracing-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

function planted(times: number, otherwise: 'fail' | 'dead-letter'): Topology {
  let failures = 0;
  const topology = new Topology('traced');
  topology.stream('in', { key: utf8, value: utf8 }).pipe(mapValues((value: string) => {
    if (value === 'bad' && failures++ < times) throw new Error('planted');
    return value;
  })).to(logTopic('out', { key: utf8, value: utf8 }));
  topology.deadLetters(deadLetterTopic('dead'));
  topology.errorPolicy({ process: { attempts: 2, backOffMs: 1, otherwise } });
  return topology;
}

async function worldWith(texts: readonly string[]) {
  const world = await worldOf(folder, ['in', 'out', 'dead'].map((topic) => ({ topic, partitions: 1 })));
  await append(world, 'in', texts);
  return world;
}

/** What the named channels tell while `work` runs. */
async function told(work: () => Promise<void>): Promise<(readonly [string, Record<string, unknown>])[]> {
  const heard: (readonly [string, Record<string, unknown>])[] = [];
  const names = [
    'voltstream:task.claimed', 'voltstream:task.dropped', 'voltstream:task.stopped', 'voltstream:batch.processed', 'voltstream:dead-letter', 'voltstream:retry',
    ...['commit', 'delivery'].flatMap((work) => ['start', 'asyncEnd', 'error'].map((event) => `tracing:voltstream:${work}:${event}`)),
  ];
  const listeners = names.map((name) => [name, (message: unknown) => void heard.push([name, { ...message as object }])] as const);
  for (const [name, listener] of listeners) subscribe(name, listener);
  await work();
  for (const [name, listener] of listeners) unsubscribe(name, listener);
  return heard;
}

describe('the channels of an application', () => {
  it('tell of claims, batches, commits, deliveries, dead letters and retries, with application and task', async () => {
    const world = await worldWith(['good', 'bad']);
    const heard = await told(async () => {
      const { application } = await ran(world, planted(Number.POSITIVE_INFINITY, 'dead-letter'), { partitions: 1 });
      await application.stop();
    });
    const of = (name: string) => heard.filter(([channel]) => channel === name).map(([, message]) => message);
    for (const [name, message] of heard) expect(message, name).toMatchObject({ application: 'voltstream' });
    for (const [name, message] of heard) if (name !== 'voltstream:retry') expect(message, name).toMatchObject({ task: 'in_0' });
    expect(of('voltstream:task.claimed')).toEqual([1, 2].map(() => ({ application: 'voltstream', task: 'in_0', restoreMs: expect.any(Number) })));
    expect(of('voltstream:task.stopped')).toEqual([expect.objectContaining({ error: expect.objectContaining({ name: 'RecordRetry', attempt: 1, attempts: 2 }) })]);
    expect(of('voltstream:task.dropped').map(({ reason }) => reason)).toEqual(['retry']);
    expect(of('voltstream:retry')).toEqual([expect.objectContaining({ operation: 'record', error: expect.objectContaining({ code: 'PROCESSING_FAILED' }) })]);
    expect(of('voltstream:dead-letter')).toEqual([expect.objectContaining({ letter: expect.objectContaining({ step: 'mapValues-1', offset: 1 }) })]);
    expect(of('voltstream:batch.processed').at(-1)).toEqual({ application: 'voltstream', task: 'in_0', records: 2, durationMs: expect.any(Number) });
    expect(of('tracing:voltstream:delivery:start')).toEqual(expect.arrayContaining(['out', 'dead'].map((sink) => ({ application: 'voltstream', task: 'in_0', sink, rows: 1 }))));
    expect(of('tracing:voltstream:delivery:asyncEnd')).toHaveLength(2);
    expect(of('tracing:voltstream:commit:start').length).toBe(of('tracing:voltstream:commit:asyncEnd').length);
    expect(of('tracing:voltstream:commit:start')[0]).toEqual({ application: 'voltstream', task: 'in_0', cells: expect.any(Number) });
    expect(of('tracing:voltstream:commit:error')).toEqual([]);
  });

  it('tell why a task has stopped', async () => {
    const world = await worldWith(['bad']);
    const heard = await told(async () => {
      const { application } = processOf(world, planted(Number.POSITIVE_INFINITY, 'fail'), { partitions: 1 });
      await application.start();
      await expect(application.failed).rejects.toThrow('planted');
      await application.stop();
    });
    expect(heard.filter(([name]) => name === 'voltstream:task.stopped').map(([, { error }]) => (error as { code?: string }).code)).toEqual([undefined, 'PROCESSING_FAILED']);
    expect(heard.filter(([name]) => name === 'voltstream:task.dropped').map(([, { reason }]) => reason)).toEqual(['retry', 'PROCESSING_FAILED']);
  });
});

describe('a channel', () => {
  it('makes its message only for a listener, and none after it has left', () => {
    const channel = new TraceChannel<{ readonly n: number }>('voltstream:test');
    let made = 0;
    const publish = (): void => channel.publish(() => ({ n: ++made }));
    const heard: number[] = [];
    publish();
    const leave = channel.subscribe(({ n }) => heard.push(n));
    publish();
    leave();
    publish();
    expect([channel.name, made, heard]).toEqual(['voltstream:test', 1, [1]]);
  });

  it('of commits follows one to its error, and makes nothing while nobody listens', async () => {
    const heard: [string, CommitTrace][] = [];
    const context = (): CommitTrace => ({ application: 'a', task: 't', cells: 1 });
    const fail = (): Promise<void> => Promise.reject(new Error('planted'));
    await expect(traced(tracing.commit, () => expect.fail('made'), () => Promise.resolve())).resolves.toBe(undefined);
    const listeners = {
      start: (trace: CommitTrace) => heard.push(['start', trace]),
      asyncEnd: (trace: CommitTrace) => heard.push(['asyncEnd', trace]), error: (trace: CommitTrace) => heard.push(['error', trace]),
    };
    tracing.commit.subscribe(listeners);
    await expect(traced(tracing.commit, context, fail)).rejects.toThrow('planted');
    tracing.commit.unsubscribe(listeners);
    const [[, one], ...others] = heard as [[string, CommitTrace], ...[string, CommitTrace][]];
    expect(heard.map(([event]) => event)).toEqual(['start', 'error', 'asyncEnd']);
    expect(others.every(([, trace]) => trace === one)).toBe(true);   // one object, so that a subscriber can key spans by it
    expect(one.error).toMatchObject({ message: 'planted' });
  });
});
