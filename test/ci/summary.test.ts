import { describe, expect, it } from 'vitest';
import { summarise } from '../../.ci/summary.ts';

const passed = { status: 'passed', fullName: 'a law' };
const report = (change: object = {}) => ({
  numPassedTests: 7, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1,
  testResults: [{ name: 'a.test.ts', status: 'passed', assertionResults: [passed] }], ...change,
});

describe('the last line of a run', () => {
  it('counts tests as the report does', () => {
    expect(summarise(report(), 0, [])).toEqual({ failed: 0, lines: ['7 passed, 0 failed, 2 skipped'] });
  });

  it('names failed tests and checks above it', () => {
    const testResults = [{ name: 'a.test.ts', status: 'failed', assertionResults: [passed, { status: 'failed', fullName: 'a broken law' }] }];
    expect(summarise(report({ numFailedTests: 1, testResults }), 1, ['lint'])).toEqual({
      failed: 2, lines: ['failed check: lint', 'failed test: a broken law (a.test.ts)', '7 passed, 2 failed, 2 skipped'],
    });
  });

  it.each([
    ['a file that could not be loaded', report({ testResults: [{ name: 'b.test.ts', status: 'failed', assertionResults: [] }] }), 1, 'failed file: b.test.ts'],
    ['tests that left no report', null, 143, 'the tests left no report'],
    ['a bad end without a failed test', report(), 1, 'the tests ended with exit code 1'],
  ])('takes %s for a failure', (_what, given, exit, line) => {
    const { lines, failed } = summarise(given, exit, []);
    expect(failed).toBe(1);
    expect(lines).toContain(line);
    expect(lines.at(-1)).toMatch(/^\d+ passed, 1 failed, \d+ skipped$/);
  });
});
