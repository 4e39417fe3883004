import { describe, expect, it } from 'vitest';
import { problemsOf } from './embedded-judge.ts';
import type { Observation } from './embedded-observation.ts';

function observed(content: readonly string[], lines: readonly string[], facts: { rows?: number; keys?: number; mergedParts?: number } = {}): Observation {
  return {
    tables: [{ table: 't', rows: facts.rows ?? content.length, keys: facts.keys ?? new Set(content).size, mergedParts: facts.mergedParts ?? 0, content }],
    topics: [{ topic: 'out', partitions: [lines, []] }],
  };
}

const sound = observed(['a', 'b', 'c'], ['0 x', '1 y']);

describe('the judge of embedded fault runs', () => {
  it('finds nothing wrong with an equal run', () => {
    expect(problemsOf(sound, sound)).toEqual([]);
  });

  it('sees a row that is lost, one that is wrong, and one that comes twice', () => {
    expect(problemsOf(observed(['a', 'c'], ['0 x', '1 y']), sound)).toEqual(['t: 1 lost, e.g. b']);
    expect(problemsOf(observed(['a', 'B', 'c'], ['0 x', '1 y']), sound)).toEqual(['t: 1 lost, e.g. b', 't: 1 too much, e.g. B']);
    expect(problemsOf(observed(['a', 'b', 'b', 'c'], ['0 x', '1 y']), sound)).toEqual(['t: 4 rows for 3 keys', 't: 1 too much, e.g. b']);
  });

  it('does not trust a table whose rows were merged, nor one with more rows than keys', () => {
    expect(problemsOf(observed(['a', 'b', 'c'], ['0 x', '1 y'], { mergedParts: 1 }), sound)).toHaveLength(1);
    expect(problemsOf(observed(['a', 'b', 'c'], ['0 x', '1 y'], { rows: 4 }), sound)).toEqual(['t: 4 rows for 3 keys']);
  });

  it('sees a record of a topic that is lost, repeated, or in another order', () => {
    expect(problemsOf(observed(['a', 'b', 'c'], ['0 x']), sound)).toEqual(['out-0: 1 lost, e.g. 1 y']);
    expect(problemsOf(observed(['a', 'b', 'c'], ['0 x', '1 y', '1 y']), sound)).toEqual(['out-0: 1 too much, e.g. 1 y']);
    expect(problemsOf(observed(['a', 'b', 'c'], ['1 y', '0 x']), sound)).toEqual(['out-0: another order from record 0 on']);
  });

  it('sees that a table or a topic is not there', () => {
    expect(problemsOf({ tables: [], topics: [] }, sound)).toEqual(['t: not there', 'out: other partitions']);
  });
});
