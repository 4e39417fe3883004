import { describe, expect, it } from 'vitest';
import type { Failure, Result } from './report.ts';
import { openRuns, runsOf, warmUpOf } from './rounds.ts';
import type { RunPlace } from './rounds.ts';

const text = ({ workload, side, round }: RunPlace): string => `${workload} ${side} ${round}`;
const done = (place: RunPlace): Result => ({ ...place, seconds: 1 } as Result);
const failed = (place: RunPlace): Failure => ({ ...place, seconds: 1, failed: 'not finished' });

describe('the order of the runs', () => {
  it('takes all of a round before the next one, each side first in turn', () => {
    expect(runsOf(['a', 'b'], ['voltstream', 'kafka-streams'], 2).map(text)).toEqual([
      'a kafka-streams 1', 'a voltstream 1', 'b voltstream 1', 'b kafka-streams 1', 'a voltstream 2', 'a kafka-streams 2', 'b kafka-streams 2', 'b voltstream 2',
    ]);
  });

  it('leaves a side out of what it takes no part in', () => {
    expect(runsOf(['b', 'a'], ['quix-streams', 'voltstream'], 1).map(text)).toEqual(['b voltstream 1', 'a quix-streams 1', 'a voltstream 1']);
    expect(warmUpOf(['b', 'a'], ['voltstream', 'quix-streams']).map(text)).toEqual(['b voltstream 0', 'a quix-streams 0']);
    expect(warmUpOf(['c'], ['quix-streams'])).toEqual([]);
  });
});

describe('runs that are open', () => {
  const all = runsOf(['a'], ['voltstream', 'kafka-streams'], 2);

  it('are those that were not made', () => {
    expect(openRuns(all, all.slice(0, 3).map(done)).map(text)).toEqual(['a kafka-streams 2']);
  });

  it('are not those of a side that has only ever failed', () => {
    expect(openRuns(all, [failed(all[0] as RunPlace)]).every(({ side }) => side === 'voltstream')).toBe(true);
    expect(openRuns(all, [done(all[0] as RunPlace), failed(all[3] as RunPlace)]).map(text)).toEqual(['a voltstream 1', 'a voltstream 2']);
  });
});
