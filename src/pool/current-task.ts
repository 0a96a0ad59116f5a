/** What a task may know and say while it runs. `P` is what it reports. */
export interface CurrentTask<P = unknown> {
  /**
   * Aborts when the caller cancelled, with the caller's reason, or when the task's time ran out,
   * with a TimeoutError. A reason that is large or cannot be sent arrives as an Error with its name
   * and message. A task that ends soon after is not killed.
   */
  readonly signal: AbortSignal;
  /** 0 for the first run, 1 for the first retry, after a crash or an error, and so on. */
  readonly attempt: number;
  /**
   * What this item is, in a pool of many hosts: the same text for each of its attempts and for no
   * other item, to make what it does idempotent. Absent in a pool of one host.
   */
  readonly key?: string;
  /**
   * The place of its worker among those of the pool, from 0 on. The worker that takes the place of
   * one that ended has the same: a port, a GPU or a file of one's own can be chosen by it.
   */
  readonly worker: number;
  /**
   * Sends something to the caller's `progress`. It must be serialisable. It does not wait: while
   * there is no room the newest report is kept and those before it are dropped, which `progress`
   * counts. To lose none use `remote` of `multiprocess/operators`.
   */
  readonly report: (progress: P) => void;
}

/**
 * Where the running task is kept: on globalThis, so that a second copy of the package inside a
 * bundle finds it too.
 */
interface TaskSlot {
  task: CurrentTask | null;
  /** Where a worker runs several at once: each in its own async context. */
  tasks?: { getStore(): CurrentTask | undefined };
}

const TASK_SLOT = Symbol.for('multiprocess.desk');
const scope = globalThis as { [TASK_SLOT]?: TaskSlot };

/** The one desk of this thread. */
export const taskSlot: TaskSlot = scope[TASK_SLOT] ?? { task: null };
scope[TASK_SLOT] = taskSlot;

/**
 * The task that runs in this worker, or `null` outside of one. Ask before the first `await` and
 * keep the answer. Where a worker runs several at once (`concurrency`) each has its own.
 *
 * @example
 * import { setTimeout } from 'node:timers/promises';
 * import { currentTask, Pool } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1 });
 * const long = async () => setTimeout(60_000, null, { signal: currentTask()!.signal });
 * const call = pool.apply(long, [], { timeout: 100 });
 * await call.catch((error) => console.log(error.name)); // TimeoutError
 */
export function currentTask<P = unknown>(): CurrentTask<P> | null {
  const { tasks } = taskSlot;
  return tasks === undefined
    ? (taskSlot.task as CurrentTask<P> | null)
    : ((tasks.getStore() as CurrentTask<P> | undefined) ?? null);
}
