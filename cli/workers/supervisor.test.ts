import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EngineMetrics } from '../../runtime/metrics.ts';
import { checkedCount } from './run-workers.ts';
import { Supervisor } from './supervisor.ts';

const standIn = join(import.meta.dirname, 'testing', 'stand-in-worker.ts');
const started: Supervisor[] = [];
afterEach(() => {
  for (const supervisor of started.splice(0)) supervisor.kill();
});

function supervised(...behaviours: readonly string[]) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  const supervisor = new Supervisor({
    commands: new Map(behaviours.map((behaviour, index) => {
      const name = `w${index + 1}`;
      return [name, { command: process.execPath, words: [standIn, name, behaviour], environment: process.env }];
    })),
    logger: createLogger({ level: 'info', destination: { write } }), metrics: new EngineMetrics({ nodeMetrics: false }), writeLine: write,
  });
  started.push(supervisor);
  supervisor.start();
  const told = (msg: string): readonly unknown[] => lines.filter((line) => line['msg'] === msg).map((line) => line['worker']);
  return { supervisor, lines, told };
}

const patience = { timeout: 20_000, interval: 50 };

describe('the supervisor', () => {
  it('is ready when all workers are, and puts together what they say', async () => {
    const { supervisor } = supervised('serve', 'serve');
    expect(supervisor.notReadyBecause).toEqual(['worker w1: it is starting', 'worker w2: it is starting']);
    await expect.poll(() => supervisor.notReadyBecause, patience).toEqual([]);
    const metrics = await supervisor.metricsText();
    expect(metrics).toContain('a{worker="w1",b="c"} 1\na{worker="w2",b="c"} 2');
    expect(metrics).toMatch(/voltstream_build_info\{worker="supervisor"/);
    expect(await supervisor.status('city', 'pod-1', 0)).toMatchObject({
      application: 'city', pod: 'pod-1', totals: { sourceRecords: 2, lagRecords: 10, stateEntries: 14 },
      tasks: [{ task: 'w1: main_0' }, { task: 'w2: main_0' }], figures: [{ text: 'w1' }],
    });
    await supervisor.stop(1_000);
  });

  it('hands on why a worker is not ready', async () => {
    const { supervisor } = supervised('serve', 'unready');
    await expect.poll(() => supervisor.notReadyBecause, patience).toEqual(['worker w2: memory is full']);
  });

  it('starts a worker again that died, while the other goes on', async () => {
    const { supervisor, lines, told } = supervised('serve', 'serve');
    await expect.poll(() => told('worker is ready').length, patience).toBe(2);
    const [first, second] = supervisor.workers.map(({ processId }) => processId);
    process.kill(first ?? 0, 'SIGKILL');
    await expect.poll(() => told('worker is ready').filter((name) => name === 'w1'), patience).toEqual(['w1', 'w1']);
    expect(supervisor.workers.map(({ processId }) => processId === first || processId === second)).toEqual([false, true]);
    expect(lines.find((line) => line['msg'] === 'worker died, and will be started again')).toMatchObject({ worker: 'w1', how: 'SIGKILL', deaths: 1, waitMs: 500 });
    expect(await supervisor.metricsText()).toContain('voltstream_worker_restarts_total{worker="supervisor",worker_name="w1"} 1');
  });

  it('gives up when a worker dies five times and none was ever ready, and hands on what it said', async () => {
    const { supervisor, lines } = supervised('die');
    await expect(supervisor.hopeless).rejects.toThrow(/worker w1 has died 5 times, the last time with code 1, and no worker was ever ready/);
    expect(lines.filter((line) => line['msg'] === 'no configuration fits')).toHaveLength(5);
  }, 60_000);

  it('passes a stop on, waits for all, and kills who does not end in time', async () => {
    const { supervisor, told } = supervised('serve', 'stubborn');
    await expect.poll(() => told('worker is ready').length, patience).toBe(2);
    await supervisor.stop(-7_000);
    expect(told('stopped')).toEqual(['w1']);
    expect(supervisor.workers.map(({ processId }) => processId)).toEqual([undefined, undefined]);
    expect(told('worker died, and will be started again')).toEqual([]);
  });
});

describe('the number of workers', () => {
  const servers = {
    'log.kind': 'kafka', 'log.brokers': 'a:1', 'state.kind': 'redis', 'state.url': 'redis://h:1', 'warehouse.kind': 'server', 'warehouse.url': 'http://h:1',
  };
  const checked = (workers: string, flags: Record<string, string> = servers, exit = false): number => checkedCount(loadConfiguration({ flags }), { workers, exit });

  it('is a whole number, and needs servers', () => {
    expect(checked('4')).toBe(4);
    for (const wrong of ['0', '1.5', 'all', '257']) expect(() => checked(wrong)).toThrow(/CONFIGURATION_INVALID: this is no number of workers/);
    expect(() => checked('2', {})).toThrow(/one process works on a data folder[\s\S]*wanted: log\.kind kafka, state\.kind redis, warehouse\.kind server/);
    expect(() => checked('2', { ...servers, 'state.kind': 'lmdb', 'state.url': '' })).toThrow(/got: state\.kind lmdb/);
    expect(() => checked('2', servers, true)).toThrow(/--exit is for one process/);
  });
});
