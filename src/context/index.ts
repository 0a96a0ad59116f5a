/**
 * Start methods, and everything bound to one. Python: `multiprocessing.context`.
 *
 * @packageDocumentation
 */

// Contexts

export type { ContextLike } from '../process/index.js';
export {
  Context,
  type ContextPool,
  type ContextPools,
  type ContextProcess,
  type ContextProcesses,
  getContext,
} from './context.js';

// Start methods

export {
  getAllStartMethods,
  getStartMethod,
  type MethodHolder,
  type StartMethod,
  setStartMethod,
} from '../process/index.js';

// The forkserver

export { type PreloadErrors, type PreloadOptions, setForkserverPreload } from '../process/forkserver/index.js';

// Pools by method

export { type BoundPoolOptions, ForkPool, ForkServerPool, SpawnPool } from './pools.js';

// Processes by method

export { type BoundProcessOptions, ForkProcess, ForkServerProcess, SpawnProcess, ThreadProcess } from './processes.js';
