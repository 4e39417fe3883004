import { describe, expect, it } from 'vitest';
import { checkCompatibility } from './compatibility.ts';
import type { CompatibilityLevel } from './compatibility.ts';

const a = { name: 'a', type: 'string' };
const b = { name: 'b', type: 'int' };
const bDefault = { ...b, default: 0 };

function record(...fields: readonly object[]): object {
  return { type: 'record', name: 'R', fields };
}

function accepts(level: CompatibilityLevel, schema: object, ...earlier: readonly object[]): boolean {
  try {
    checkCompatibility('r-value', schema, earlier, level);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' });
    return false;
  }
}

describe('compatibility', () => {
  it.each([
    // change, NONE, BACKWARD, FORWARD, FULL
    ['a field added with a default', record(a), record(a, bDefault), [true, true, true, true]],
    ['a field added without a default', record(a), record(a, b), [true, false, true, false]],
    ['a field removed that had no default', record(a, b), record(a), [true, true, false, false]],
    ['a field removed that had a default', record(a, bDefault), record(a), [true, true, true, true]],
    ['int to long', record(b), record({ ...b, type: 'long' }), [true, true, false, false]],
    ['int to string', record(b), record({ ...b, type: 'string' }), [true, false, false, false]],
    ['a value made nullable', record(b), record({ ...b, type: ['null', 'int'] }), [true, true, false, false]],
    ['another record name', record(a), { ...record(a), name: 'S' }, [true, false, false, false]],
  ] as const)('%s', (_change, earlier, schema, [none, backward, forward, full]) => {
    expect(accepts('NONE', schema, earlier)).toBe(none);
    expect(accepts('BACKWARD', schema, earlier)).toBe(backward);
    expect(accepts('FORWARD', schema, earlier)).toBe(forward);
    expect(accepts('FULL', schema, earlier)).toBe(full);
  });

  it('a symbol added to an enum is safe for readers of old records only', () => {
    const kind = (...symbols: readonly string[]): object => record({ name: 'k', type: { type: 'enum', name: 'K', symbols } });
    expect(accepts('BACKWARD', kind('A', 'B'), kind('A'))).toBe(true);
    expect(accepts('FORWARD', kind('A', 'B'), kind('A'))).toBe(false);
  });

  it('looks at the last version, at all of them when transitive, and at nothing for the first', () => {
    const [first, second, third] = [record(a, b), record(a), record(a, { ...b, type: 'string', default: '' })];
    expect(accepts('BACKWARD', third, first, second)).toBe(true);
    expect(accepts('BACKWARD_TRANSITIVE', third, first, second)).toBe(false);
    expect(accepts('FULL_TRANSITIVE', third)).toBe(true);
  });

  it('says which version and why', () => {
    expect(() => checkCompatibility('r-value', record(a, b), [record(a)], 'BACKWARD')).toThrow(
      /where: subject r-value\n {2}wanted: BACKWARD compatibility\n {2}got: it cannot read version 1: no matching field for default-less R\.b/,
    );
  });
});
