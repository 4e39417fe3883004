import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Runs of each property test, when more or fewer than usual are asked for: 10,000 of the longest take about a minute. */
const propertyRuns = Number(process.env['FC_RUNS'] ?? 0);

/** Folders whose files take minutes, mostly waiting for processes of their own. Begun last, one of them would run on alone. */
const longFolders = ['/test/faults/', '/test/conformance/', '/test/kafka/', '/docs/', '/cli/load-test/'];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => longFolders.some((folder) => moduleId.includes(folder));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**'],
    pool: 'forks',
    sequence: { sequencer: LongFirst },
    // Vitest leaves one processor free: on two, that is half of them, while many tests wait for processes of their own.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: Math.max(30_000, propertyRuns * 30),
    hookTimeout: 60_000,
  },
});
