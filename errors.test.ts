import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VoltstreamError, assertInvariant, errorCatalogue, isPassing } from './errors.ts';

describe('the error catalogue', () => {
  it('is what docs/errors.md lists: the same codes with the same cause and cure (else: node docs/tables.ts)', () => {
    const page = readFileSync(join(import.meta.dirname, 'docs', 'errors.md'), 'utf8');
    const listed = [...page.matchAll(/^\| `([A-Z_]+)` \| (.*) \| (.*) \|$/gm)].map(([, code, cause, cure]) => [code, { cause, cure }]);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(Object.entries(errorCatalogue).map(([code, { cause, cure }]) => [code, { cause, cure }])));
    expect(listed).toHaveLength(Object.keys(errorCatalogue).length);
  });

  it('says cause and cure in whole sentences', () => {
    for (const [code, { cause, cure }] of Object.entries(errorCatalogue)) {
      for (const text of [cause, cure]) expect(text, code).toMatch(/^[A-Z-].{10,}\.$/);
      expect(cause + cure, `${code} would break the table`).not.toMatch(/[|\n]/);
    }
  });
});

describe('an error', () => {
  it('says what, where, what was wanted, what came, and the cure', () => {
    const cause = new Error('socket closed');
    const error = new VoltstreamError('LOG_UNAVAILABLE', 'no answer', { where: 'kafka-1:9092', wanted: 'metadata', got: 'nothing', cause });
    expect(error.message).toBe(
      'LOG_UNAVAILABLE: no answer\n  where: kafka-1:9092\n  wanted: metadata\n  got: nothing\n  cure: Check that it runs and can be reached.',
    );
    expect(error).toMatchObject({ name: 'VoltstreamError', code: 'LOG_UNAVAILABLE', where: 'kafka-1:9092', cause });
  });

  it('leaves out what is not known, and prefers an exact cure to the general one', () => {
    const error = new VoltstreamError('TOPIC_MISSING', 'no topic charging.events', { cure: 'Create it with 4 partitions.' });
    expect(error.message).toBe('TOPIC_MISSING: no topic charging.events\n  cure: Create it with 4 partitions.');
    expect(error.where).toBe(undefined);
    expect('cause' in error).toBe(false);
  });
});

describe('an error met elsewhere', () => {
  it('is the same, with that place in front of its own', () => {
    const error = new VoltstreamError('DESERIALISATION_FAILED', 'no text', { where: 'field a', wanted: 'UTF-8', got: 'ff' });
    const met = error.at('in-0@7');
    expect(met.message).toBe(error.message.replace('where: field a', 'where: in-0@7, field a'));
    expect(met).toMatchObject({ code: 'DESERIALISATION_FAILED', where: 'in-0@7, field a', cause: error });
    expect(new VoltstreamError('FENCED', 'lost').at('task_0').where).toBe('task_0');
  });
});

describe('a failure that passes', () => {
  it('is one of the world around us: nothing that a person or another claim must put right', () => {
    const codes = Object.keys(errorCatalogue) as (keyof typeof errorCatalogue)[];
    expect(codes.filter((code) => isPassing(new VoltstreamError(code, 'planted'))))
      .toEqual(['STORE_UNAVAILABLE', 'LOG_UNAVAILABLE', 'WAREHOUSE_UNAVAILABLE', 'DISK_FULL', 'REGISTRY_UNAVAILABLE']);
    expect([isPassing(new Error('planted')), isPassing('planted')]).toEqual([false, false]);
  });
});

describe('an assertion', () => {
  it('stops on a bug of our own, and lets everything else pass', () => {
    expect(() => { assertInvariant(1 === 1, 'one is one'); }).not.toThrow();
    expect(() => { assertInvariant(null, 'positions never fall'); }).toThrow('invariant violated: positions never fall');
  });
});
