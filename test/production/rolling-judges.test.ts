import { describe, expect, it } from 'vitest';
import { judgeRolling, reloads } from './rolling-judges.ts';
import type { RollingFacts } from './rolling-judges.ts';
import type { LogLine } from './served-pod.ts';

const line = (msg: string, task: string, reason?: string): LogLine => ({ level: 'info', time: '', msg, task, ...(reason === undefined ? {} : { reason }) });
const good: RollingFacts = {
  tables: [{ table: 'charging_sessions', rows: 3, distinct: 3 }], inputRecords: 10, rawEvents: 9, deadLetters: 1, reloads: [], exitCodes: [0, 0], recoveryMs: [1],
};

describe('the judges of a rolling restart', () => {
  it('accept tasks that come and go by assignment', () => {
    expect(reloads('a', [line('task claimed', 'm_0'), line('task dropped', 'm_0', 'assigned elsewhere'), line('task claimed', 'm_0'), line('task dropped', 'm_0', 'stopped')])).toEqual([]);
  });

  it('see a task that was reloaded while it stayed, and one that was fenced', () => {
    expect(reloads('a', [line('task claimed', 'm_0'), line('task claimed', 'm_0')])).toEqual(['a claimed m_0 while it held it']);
    expect(reloads('a', [line('task claimed', 'm_0'), line('task dropped', 'm_0', 'FENCED')])).toEqual(['a lost m_0: FENCED']);
  });

  it.each([
    [{ rawEvents: 8 }, ['lost: 1 of 10 input records are in no table']],
    [{ rawEvents: 11 }, ['doubled: 11 raw events of 10 input records']],
    [{ tables: [{ table: 't', rows: 5, distinct: 3 }] }, ['doubled: 2 rows of t came twice']],
    [{ exitCodes: [0, 1, null] }, ['a pod ended with 1 at SIGTERM', 'a pod ended with a signal at SIGTERM']],
    [{ inputRecords: 0, rawEvents: 0, deadLetters: 0 }, ['there was no input']],
    [{ reloads: ['x'] }, ['x']],
    [{}, []],
  ])('judge %o', (change, wrong) => {
    expect(judgeRolling({ ...good, ...change })).toEqual(wrong);
  });
});
