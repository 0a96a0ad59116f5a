import { defineConfig } from 'vitest/config';
import { forkingUnavailable } from './dist/process/index.js';

const leaks = 'test/support/leaks.ts';

// What nothing but forks can do is left out where the library refuses them; see test/support/needs.ts for the rest.
const unforkable = forkingUnavailable();
// Said once: vitest loads this file again for each project.
const told = globalThis as { multiprocessUnforkable?: string };
if (unforkable !== null && told.multiprocessUnforkable === undefined) {
  told.multiprocessUnforkable = unforkable;
  console.warn(`The projects \`fork\` and \`forkserver\` are skipped: ${unforkable}.`);
}
const ofForks = unforkable === null ? [] : ['test/process/forkserver/*.test.ts', 'test/stress/fork.test.ts'];
const whereForks = (...files: string[]): string[] => (unforkable === null ? files : []);

export default defineConfig({
  test: {
    // Three files at a time, on two processors: most wait for processes of their own, which the leak check at the end of each
    // file counts.
    maxWorkers: 3,
    // Tests that run side by side, within a file: programs of documents and examples.
    maxConcurrency: 2,
    pool: 'forks',
    passWithNoTests: unforkable !== null,
    reporters: ['default', './test/support/ended-workers.ts'],
    globalSetup: './test/support/sweep.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A watchdog, as the others.
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'processes',
          // Not by `exclude`, which the command line's own would not be added to.
          include: ['test/**/*.test.ts', '!test/**/*.fork.test.ts', ...ofForks.map((file) => `!${file}`)],
          setupFiles: [leaks],
        },
      },
      {
        // Where a program can be forked: Node must have been started for it.
        extends: true,
        test: {
          name: 'fork',
          include: whereForks('test/**/*.fork.test.ts'),
          execArgv: ['--single-threaded', '--v8-pool-size=1'],
          setupFiles: [leaks, 'test/support/fork-host.ts'],
        },
      },
      {
        // The suites of the pool once more: a `new Pool()` in them has threads.
        extends: true,
        test: {
          name: 'threads',
          include: [
            'test/pool/**/*.test.ts',
            'test/conformance/{pool,synchronize,queues,connection}.test.ts',
            'test/fault/**/*.test.ts',
          ],
          exclude: ['test/**/*.interleavings.test.ts'],
          setupFiles: [leaks, 'test/support/thread-pools.ts'],
        },
      },
      {
        // All that works between threads, where there is no addon.
        extends: true,
        test: {
          name: 'without-addon',
          env: { MULTIPROCESS_NATIVE: 'off' },
          include: [
            'test/{dummy,operators,shared-map,sharedctypes,synchronize}/*.test.ts',
            'test/conformance/{pool,process,queues,synchronize}.test.ts',
            'test/connection/{serializers,tls}.test.ts',
            'test/fault/*.test.ts',
            'test/native/threads/{exports,released-memory,sockets}.test.ts',
            'test/managers/{containers,core,crowd,locks,register,shareables,watch}.test.ts',
            'test/pool/{apply,cancel,concurrency,contexts,defer,elastic,keys,lifecycle,map,options,retries}.test.ts',
            'test/pool/{snapshot,stats,stores,streams,thread-pool,told,worker-exit,worker-memory}.test.ts',
            'test/queues/{orphaned,queue,topic}.test.ts',
            'test/share/*.test.ts',
            'test/streams/*.test.ts',
            'test/stress/terminated-threads.test.ts',
          ],
          exclude: ['test/**/*.interleavings.test.ts', 'test/**/*.fork.test.ts'],
          setupFiles: [leaks, 'test/support/thread-pools.ts'],
        },
      },
      {
        // And what starts workers and speaks with them: a `new Pool()` in it has forks of a template.
        extends: true,
        test: {
          name: 'forkserver',
          include: whereForks(
            'test/pool/{apply,map,streams,cancel,lifecycle}.test.ts',
            'test/pool/{concurrency,defer,elastic,keys,retries,stats,stores,told,worker-exit,worker-memory}.test.ts',
            'test/pool/calls.property.test.ts',
            'test/conformance/pool.test.ts',
          ),
          setupFiles: [leaks, 'test/support/forkserver-pools.ts'],
        },
      },
      {
        // What is promised of each item, where a worker runs several at once: a `new Pool()` runs four.
        extends: true,
        test: {
          name: 'concurrent',
          include: [
            'test/pool/{apply,cancel,map,streams,lifecycle}.test.ts',
            'test/pool/{async-result,defer,elastic,keys,retries,worker-exit,worker-memory}.test.ts',
            'test/fault/{give-up,initializer,worker-death}.test.ts',
          ],
          setupFiles: [leaks, 'test/support/concurrent-pools.ts'],
        },
      },
    ],
  },
});
