import { defineConfig } from 'vitest/config';

const LIMITS = { testTimeout: 30_000, hookTimeout: 60_000 };

/** Whole processes that mostly wait: for leases, for timeouts, for each other's start. Two files at a time. */
const WAITING_TESTS = [
  'test/admin.test.ts',
  'test/database/embedded.test.ts',
  ...[
    'authorization',
    'authorization-rest',
    'canary',
    'changed-after-approval',
    'follow-ups',
    'kill-points',
    'private-connections',
    'tampering',
  ].map((name) => `test/process/${name}.test.ts`),
];
/** Whole processes, killed and timed: one file at a time, so that they measure the product and not each other. */
const PROCESS_TESTS = ['test/process/**/*.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/setup/mongod.ts'],
    projects: [
      {
        test: {
          ...LIMITS,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', ...WAITING_TESTS, ...PROCESS_TESTS],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...LIMITS,
          name: 'waiting processes',
          include: WAITING_TESTS,
          maxWorkers: 2,
          // Those that are concurrent wait for leases and timeouts most of the time.
          maxConcurrency: 8,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...LIMITS,
          name: 'processes',
          include: PROCESS_TESTS,
          exclude: WAITING_TESTS,
          maxWorkers: 1,
          fileParallelism: false,
          maxConcurrency: 8,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
