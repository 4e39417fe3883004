import { expect, it } from 'vitest';
import type { DeadLetter } from '../../topology/dead-letter.ts';
import { createLogger } from '../logger.ts';
import { SetAsideLines } from './set-aside.ts';

const letter = (offset: number, step = 'stitch'): DeadLetter => ({
  stage: 'process', step, reason: 'PROCESSING_FAILED', exception: 'TypeError', message: 'user data', stacktrace: '', topic: 'events', partition: 2, offset, index: 0,
  timestampMs: 0, form: 'bytes', key: null, value: null, headers: [],
});

it('tells the first record of a kind with its place, then once a minute how many were not told', () => {
  const lines: Record<string, unknown>[] = [];
  let nowMs = 0;
  const told = new SetAsideLines(createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } }), () => nowMs);
  for (let offset = 0; offset < 1_000; offset++) told.add('main_2', letter(offset));
  told.add('main_2', letter(7, 'load'));
  nowMs = 60_000;
  told.add('main_2', letter(1_000));
  expect(lines).toMatchObject([
    { level: 'warn', task: 'main_2', step: 'stitch', stage: 'process', topic: 'events', partition: 2, offset: 0, reason: 'PROCESSING_FAILED' },
    { step: 'load', offset: 7 },
    { step: 'stitch', offset: 1_000, unsaidBefore: 999 },
  ]);
  expect(JSON.stringify(lines)).not.toContain('user data');
});
