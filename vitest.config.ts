import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Runs of each property test, when more or fewer than usual are asked for: 10,000 of the longest take about a minute. */
const propertyRuns = Number(process.env['FC_RUNS'] ?? 0);

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**'],
    pool: 'forks',
    // Vitest leaves one processor free: on two, that is half of them, while many tests wait for processes of their own.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: Math.max(30_000, propertyRuns * 30),
    hookTimeout: 60_000,
  },
});
