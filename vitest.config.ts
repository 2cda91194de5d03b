import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Vitest would leave a core idle, and on two cores that is half of the machine. */
const maxWorkers = Math.max(2, availableParallelism() - 1);

/** Suites by what they need. A broker suite without a broker fails; nothing is ever skipped for want of one. */
const project = (name: string, include: string[], more: object = {}): object => ({
  test: {
    name,
    include,
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    ...more,
  },
});

export default defineConfig({
  test: {
    retry: 0,
    projects: [
      project('unit', ['test/unit/**/*.test.ts'], { maxWorkers, sequence: { shuffle: true } }),
      project('contract', ['test/contract/**/*.test.ts'], { maxWorkers }),
      project('broker', ['test/broker/**/*.test.ts'], {
        fileParallelism: false,
        globalSetup: ['test/support/broker-setup.ts'],
        testTimeout: 180_000,
      }),
      project('faults', ['test/faults/**/*.test.ts'], {
        fileParallelism: false,
        globalSetup: ['test/support/broker-setup.ts'],
        testTimeout: 600_000,
      }),
      project('e2e', ['test/e2e/**/*.test.ts'], { fileParallelism: false, testTimeout: 300_000 }),
      project('full', ['test/full/**/*.test.ts'], {
        fileParallelism: false,
        globalSetup: ['test/support/broker-setup.ts'],
        testTimeout: 1_800_000,
      }),
      project('browser', ['test/browser/**/*.test.ts'], { fileParallelism: false, testTimeout: 180_000 }),
    ],
  },
});
