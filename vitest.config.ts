import { defineConfig } from 'vitest/config';

const leaks = 'test/support/leaks.ts';

export default defineConfig({
  test: {
    // One file at a time: most suites start processes of their own, and the leak check at the end of each counts them.
    fileParallelism: false,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: { name: 'processes', include: ['test/**/*.test.ts', '!test/**/*.fork.test.ts'], setupFiles: [leaks] },
      },
      {
        // Where a program can be forked: Node must have been started for it.
        extends: true,
        test: {
          name: 'fork',
          include: ['test/**/*.fork.test.ts'],
          execArgv: ['--single-threaded', '--v8-pool-size=1'],
          setupFiles: [leaks, 'test/support/fork-host.ts'],
        },
      },
      {
        // The suites of the pool once more: a `new Pool()` in them has threads.
        extends: true,
        test: {
          name: 'threads',
          include: ['test/pool/**/*.test.ts', 'test/conformance/pool.test.ts', 'test/fault/**/*.test.ts'],
          exclude: ['test/pool/*.interleavings.test.ts'],
          setupFiles: [leaks, 'test/support/thread-pools.ts'],
        },
      },
      {
        // And what starts workers and speaks with them: a `new Pool()` in it has forks of a template.
        extends: true,
        test: {
          name: 'forkserver',
          include: ['test/pool/{apply,map,streams,cancel,lifecycle}.test.ts', 'test/conformance/pool.test.ts'],
          setupFiles: [leaks, 'test/support/forkserver-pools.ts'],
        },
      },
    ],
  },
});
