import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { VoltstreamError } from '../errors.ts';
import { loadConfiguration } from './configuration.ts';
import { createLogger } from './logger.ts';
import { redactionOf, secretsOf } from './logger/redaction.ts';

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

  it('blanks known secrets wherever they stand: in messages, errors, URLs, JSON in text and basic authorization', () => {
    const configuration = loadConfiguration({
      flags: {
        'state.kind': 'redis', 'state.url': 'redis://user:p%40ss%2Fword@h:1', 'warehouse.kind': 'server', 'warehouse.password': 'say "hidden" @home',
        'warehouse.url': 'http://h:8123/?x-key=planted-parameter',
      },
    });
    const secrets = secretsOf(configuration);
    expect(secrets).toEqual(expect.arrayContaining(['p@ss/word', 'say "hidden" @home', 'planted-parameter', Buffer.from('user:p@ss/word').toString('base64')]));
    const redaction = redactionOf(secrets);
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', redaction, destination: { write: (line) => lines.push(line) } });
    for (const secret of secrets) {
      logger.info(`found ${secret} in a message`);
      logger.error({ err: new Error(`refused ${encodeURIComponent(secret)}`, { cause: new Error(secret) }), body: JSON.stringify({ secret }) }, 'refused');
    }
    for (const secret of ['p@ss/word', 'p%40ss', 'hidden', 'planted-parameter', Buffer.from('user:p@ss/word').toString('base64')]) expect(lines.join('')).not.toContain(secret);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect(redactionOf([]).text('at redis://u:p@ss@h:1/0 and http://h/?access_token=abc&b=1')).toBe('at redis://***@h:1/0 and http://h/?access_token=***&b=1');
  });

  it('writes lines for people: time, level, message, fields, and what an error says', () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', format: 'pretty', fields: { application: 'city', pod: 'a' }, destination: { write: (line) => lines.push(line) } });
    logger.warn({ task: 'main_0', err: new VoltstreamError('FENCED', 'lost') }, 'claimed elsewhere');
    const [line = ''] = lines.map((text) => stripVTControlCharacters(text));
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}claimed elsewhere {2}task=main_0\n {2}FENCED: lost\n {4}cure: /);
    expect(line).not.toContain('city');
  });

  it('says nothing when silent', () => {
    expect(linesOf((logger) => { logger.error('x'); }, 'silent')).toEqual([]);
  });
});
