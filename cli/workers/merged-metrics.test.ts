import { expect, it } from 'vitest';
import { EngineMetrics } from '../../runtime/metrics.ts';
import { mergedMetrics } from './merged-metrics.ts';

it('joins metrics of workers: each family once, each sample with its worker', () => {
  const text = (value: number): string => [
    '# HELP a Help of a.', '# TYPE a counter', `a{step="x { } y"} ${value}`, `a{} ${value}`, '', '# HELP b Help of b.', '# TYPE b gauge', `b ${value}`, '',
  ].join('\n');
  expect(mergedMetrics(new Map([['w1', text(1)], ['w2', text(2)]]))).toBe([
    '# HELP a Help of a.', '# TYPE a counter', 'a{worker="w1",step="x { } y"} 1', 'a{worker="w1"} 1', 'a{worker="w2",step="x { } y"} 2', 'a{worker="w2"} 2', '',
    '# HELP b Help of b.', '# TYPE b gauge', 'b{worker="w1"} 1', 'b{worker="w2"} 2', '',
  ].join('\n'));
});

it('loses and doubles no series of real metrics', async () => {
  const metrics = new EngineMetrics();
  metrics.committed('main', 1, 1);
  const text = await metrics.text();
  const samples = (all: string): readonly string[] => all.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const merged = samples(mergedMetrics(new Map([['w1', text], ['w2', text]])));
  expect(merged).toHaveLength(2 * samples(text).length);
  expect(new Set(merged).size).toBe(merged.length);
  expect(merged.filter((line) => line.includes('le="0.1"')).every((line) => /\{worker="w[12]",le="0\.1"/.test(line))).toBe(true);
});
