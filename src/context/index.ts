/** Start methods, and everything bound to one. Python: `multiprocessing.context`. */

export { type PreloadErrors, type PreloadOptions, setForkserverPreload } from '../process/forkserver/index.js';
export {
  type ContextLike,
  getAllStartMethods,
  getStartMethod,
  type MethodHolder,
  type StartMethod,
  setStartMethod,
} from '../process/index.js';
export {
  Context,
  type ContextPool,
  type ContextPools,
  type ContextProcess,
  type ContextProcesses,
  getContext,
} from './context.js';
export { type BoundPoolOptions, ForkPool, ForkServerPool, SpawnPool } from './pools.js';
export { type BoundProcessOptions, ForkProcess, ForkServerProcess, SpawnProcess, ThreadProcess } from './processes.js';
