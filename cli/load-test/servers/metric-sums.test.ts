import { expect, it } from 'vitest';
import { metricSums } from './metric-sums.ts';

it('adds up samples of a metric, whatever their labels, and no others', () => {
  const text = ['# HELP a Help of a 5', '# TYPE a counter', 'a{step="x y 7 }"} 1', 'a 2.5', 'a_total 100', 'b{} 1e3', ''].join('\n');
  expect([...metricSums(text, ['a', 'b', 'c'])]).toEqual([['a', 3.5], ['b', 1_000], ['c', 0]]);
});
