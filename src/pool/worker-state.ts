import { ProcessError } from '../errors/index.js';

/** What a worker knows of itself: `workerState()` is one part of it. */
interface WorkerSlot {
  /** The worker's place among those of its pool, from 0 on; `null`: this is no worker. */
  number: number | null;
  /**
   * `null`: this is no worker; `initializing`: its initializer is not done; `none`: the pool has no
   * initializer.
   */
  state: null | 'initializing' | 'none' | { readonly value: unknown };
}

const WORKER_SLOT = Symbol.for('multiprocess.worker-state');
const scope = globalThis as { [WORKER_SLOT]?: WorkerSlot };

/** The one of this thread, on globalThis, so that a second copy of the package finds it too. */
export const workerSlot: WorkerSlot = scope[WORKER_SLOT] ?? { number: null, state: null };
scope[WORKER_SLOT] = workerSlot;

/**
 * What the initializer of the pool returned in this worker, or what its promise gave: a connection
 * to a database, a model, a cache. It is made once in each worker and never leaves it, so it may be
 * anything. Tasks and `workerExit` may ask for it.
 *
 * @throws ProcessError `MP_NO_WORKER_STATE` outside of a worker, in a worker whose pool has no
 * initializer, and while the initializer still runs.
 * @example
 * import { Pool, workerState } from 'multiprocess';
 *
 * const open = (greeting: string) => ({ greet: (name: string) => `${greeting}, ${name}!` });
 * await using pool = new Pool({ processes: 1, initializer: open, initArgs: ['Hello'] });
 * console.log(await pool.apply(() => workerState<ReturnType<typeof open>>().greet('Ada'))); // Hello, Ada!
 */
export function workerState<S = unknown>(): S {
  const { state } = workerSlot;
  if (typeof state === 'object' && state !== null) return state.value as S;
  throw new ProcessError(`workerState: ${WHY[state ?? 'outside']}`, { code: 'MP_NO_WORKER_STATE' });
}

const WHY = {
  outside: 'this is no worker of a pool; call it inside of a task.',
  initializing:
    'the initializer of this worker has not settled yet; call it in a task, or pass on what the initializer makes.',
  none: 'the pool of this worker has no `initializer`; give it one that returns what its tasks need.',
};
