/** Processes and pools by every start method. */
const { Pool, Process, ThreadPool, Value, WorkerCrashError } = require('multiprocess');
const { check } = require('./harness.cjs');
const { attempt } = require('./helper.cjs');
const { add } = require('./math.cjs');

const greeting = 'hello';

async function runs(method) {
  const seen = new Value('i', 0);
  const target = async (x) => {
    await seen.update((n) => n + add(x, greeting.length));
  };
  const child = await new Process(target, { args: [2], context: method }).start();
  const code = await child.exited;
  child.close();
  return [code, seen.value];
}

async function maps(method) {
  const pool = method === 'thread' ? new ThreadPool({ processes: 1 }) : new Pool({ processes: 1, context: method });
  const offset = 10;
  try {
    return [await pool.map((x) => add(x, offset) + greeting.length, [1, 2]), await pool.apply(() => attempt())];
  } finally {
    await pool.terminate();
  }
}

check('processes: Process', async (_, same) => {
  same(await runs('spawn'), [0, 7]);
});
check('processes: Process by forkserver', async (_, same) => {
  same(await runs('forkserver'), [0, 7]);
});
check('processes: Process in a thread', async (_, same) => {
  same(await runs('thread'), [0, 7]);
});
check('processes: Pool by forkserver', async (_, same) => {
  same(await maps('forkserver'), [[16, 17], 0]);
});
check('processes: ThreadPool', async (_, same) => {
  same(await maps('thread'), [[16, 17], 0]);
});
check('processes: a worker that exits', async (_, same) => {
  const pool = new Pool({ processes: 1 });
  const error = await pool.apply(() => process.exit(6)).catch((e) => e);
  same([error instanceof WorkerCrashError, error.exitCode, await pool.apply(() => 1 + 1)], [true, 6, 2]);
  await pool.terminate();
});
