import { expect, it } from 'vitest';
import { branch } from './branch.ts';
import { OperatorHarness } from './testing/harness.ts';

const at = (value: number) => ({ key: 'a', value, timestampMs: 0 });
const byPower = { slow: (powerW: number) => powerW < 11_000, fast: (powerW: number) => powerW < 50_000 };

it('sends a record to the first branch that holds, else to the last resort', () => {
  const running = new OperatorHarness(branch<string, number>(byPower, 'rapid'));
  running.push(at(3_700), at(22_000), at(150_000));
  expect([running.take('slow'), running.take('fast'), running.take('rapid'), running.take()]).toEqual([[at(3_700)], [at(22_000)], [at(150_000)], []]);
});

it('lets a record go that no branch takes, without counting it', () => {
  const running = new OperatorHarness(branch<string, number>(byPower));
  running.push(at(150_000));
  expect(running.dropped).toEqual({});
  expect(running.failures).toEqual([]);
});

it('names its outputs', () => {
  expect(branch<string, number>(byPower, 'rapid').ports).toEqual(['slow', 'fast', 'rapid']);
  expect(branch<string, number>(byPower, 'slow').ports).toEqual(['slow', 'fast']);
  expect(() => branch({})).toThrow(/TOPOLOGY_INVALID/);
});
