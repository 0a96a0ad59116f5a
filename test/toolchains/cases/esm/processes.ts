/** Processes and pools by every start method. */
import { getContext, Pool, Process, ThreadPool, Value, WorkerCrashError } from 'multiprocess';
import { check } from './harness.ts';
import { attempt } from './helper.ts';
import { add } from './math.ts';

const greeting = 'hello';

async function runs(method: 'spawn' | 'forkserver' | 'thread'): Promise<unknown> {
  const seen = new Value('i', 0);
  const child = await new Process(
    async (x: number) => {
      await seen.update((n) => n + add(x, greeting.length));
    },
    { args: [2], context: method },
  ).start();
  const code = await child.exited;
  child.close();
  return [code, seen.value];
}

async function maps(method: 'forkserver' | 'thread'): Promise<unknown> {
  const pool = method === 'thread' ? new ThreadPool({ processes: 1 }) : new Pool({ processes: 1, context: method });
  const offset = 10;
  try {
    return [await pool.map((x: number) => add(x, offset) + greeting.length, [1, 2]), await pool.apply(() => attempt())];
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
check('processes: a subclass of Process', async (_, same) => {
  const seen = new Value('i', 0);
  class Job extends Process {
    amount = 9;
    override async run() {
      await seen.update((n) => n + this.amount);
    }
  }
  const job = await new Job().start();
  same([await job.exited, seen.value], [0, 9]);
  job.close();
});
check('processes: an exit code', async (_, same) => {
  const context = getContext('spawn');
  const child = await new context.Process(() => process.exit(5)).start();
  same(await child.exited, 5);
  child.close();
});
check('processes: a worker that exits', async (_, same) => {
  const pool = new Pool({ processes: 1 });
  const error: unknown = await pool.apply(() => process.exit(6)).catch((e) => e);
  same([error instanceof WorkerCrashError, (error as WorkerCrashError).exitCode], [true, 6]);
  same(await pool.apply(() => 1 + 1), 2);
  await pool.terminate();
});
