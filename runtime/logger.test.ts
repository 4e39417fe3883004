import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from './configuration.ts';
import { createLogger } from './logger.ts';

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void, level: 'info' | 'silent' = 'info') {
  const lines: string[] = [];
  write(createLogger({ level, fields: { application: 'city' }, destination: { write: (line) => lines.push(line) } }));
  return lines;
}

describe('logger', () => {
  it('writes one JSON object a line, with time, level as a word and its fields', () => {
    const lines = linesOf((logger) => { logger.info({ task: 'main_0' }, 'claimed'); logger.debug('unseen'); });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', application: 'city', task: 'main_0', msg: 'claimed' });
    expect(JSON.parse(lines[0] ?? '').time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('keeps the code of an error', () => {
    const [line] = linesOf((logger) => { logger.error({ err: new VoltstreamError('FENCED', 'task main_0') }, 'lost'); });
    expect(JSON.parse(line ?? '').err).toMatchObject({ code: 'FENCED', message: expect.stringContaining('task main_0') });
  });

  it('blanks secrets, also in a configuration that someone logs whole', () => {
    const configuration = loadConfiguration({
      flags: { 'state.kind': 'redis', 'state.url': 'redis://u:hidden@h:1', 'warehouse.password': 'hidden', 'log.sasl.mechanism': 'plain', 'log.sasl.username': 'u', 'log.sasl.password': 'hidden' },
    });
    const lines = linesOf((logger) => { logger.info({ configuration, password: 'hidden' }, 'start'); logger.info(configuration, 'start'); });
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('hidden');
    expect(lines[0]).toContain('redis://***@h:1');
    const [failure] = linesOf((logger) => { logger.error({ err: new Error('redis://u:hidden@h:1 is away') }, 'redis'); });
    expect(JSON.parse(failure ?? '').err).toMatchObject({ message: 'redis://***@h:1 is away', type: 'Error' });
    expect(failure).not.toContain('hidden');
  });

  it('says nothing when silent', () => {
    expect(linesOf((logger) => { logger.error('x'); }, 'silent')).toEqual([]);
  });
});
