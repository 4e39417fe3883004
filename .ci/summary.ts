import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const none: Report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };

/**
 * The lines that end a run: what failed, then the counts. A test file that could not be loaded, a check that failed and a run that
 * ended badly without naming a test each count as one failure.
 */
export function summarise(report: Report | null, testsExit: number, failedChecks: readonly string[]): { readonly lines: readonly string[]; readonly failed: number } {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = report ?? none;
  const lines = failedChecks.map((check) => `failed check: ${check}`);
  for (const { name: path, status, assertionResults } of testResults) {
    const name = relative(process.cwd(), path);
    const failures = assertionResults.filter((result) => result.status === 'failed');
    lines.push(...failures.map((result) => `failed test: ${result.fullName} (${name})`));
    if (status === 'failed' && failures.length === 0) lines.push(`failed file: ${name}`);
  }
  if (report === null) lines.push('the tests left no report');
  else if (testsExit !== 0 && lines.length === failedChecks.length && numFailedTests === 0) lines.push(`the tests ended with exit code ${testsExit}`);
  const failed = lines.length;
  return { failed, lines: [...lines, `${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`] };
}

if (import.meta.main) {
  const [file = '', testsExit = '1', ...failedChecks] = process.argv.slice(2);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Report : null;
  const { lines, failed } = summarise(report, Number(testsExit), failedChecks);
  process.stdout.write(`\n${lines.join('\n')}\n`);
  process.exitCode = failed === 0 && Number(testsExit) === 0 ? 0 : 1;
}
