import { defineConfig } from 'vitest/config';

/** Whole processes, killed and timed: one file at a time, so that they measure the product and not each other. */
const PROCESS_TESTS = ['test/process/**/*.test.ts', 'test/admin.test.ts', 'test/database/embedded.test.ts'];
const LIMITS = { testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    globalSetup: ['test/setup/mongod.ts'],
    projects: [
      {
        test: {
          ...LIMITS,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', ...PROCESS_TESTS],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...LIMITS,
          name: 'processes',
          include: PROCESS_TESTS,
          maxWorkers: 1,
          fileParallelism: false,
          // Those that are concurrent wait for leases and timeouts most of the time.
          maxConcurrency: 8,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
