/** The program of an executable or a snapshot, where the running binary is the program itself. */
const { createRequire } = require('node:module');

const load = createRequire(`${process.cwd()}/`);
const { Pool, Process, ThreadPool } = load('multiprocess');
const { runCases } = load('./report.cjs');
const offset = 1;

async function inPool(make) {
  const pool = make();
  return pool.apply((x) => x + offset, [1]).finally(() => pool.terminate());
}

runCases({
  Pool: [() => inPool(() => new Pool({ processes: 1 })), 2],
  'Pool by forkserver': [() => inPool(() => new Pool({ processes: 1, context: 'forkserver' })), 2],
  Process: [async () => (await new Process(() => {}).start()).exited, 0],
  ThreadPool: [() => inPool(() => new ThreadPool({ processes: 1 })), 2],
});
