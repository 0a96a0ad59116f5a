/**
 * The forkserver: a template process that forks its children. Python: `multiprocessing.forkserver`.
 *
 * @packageDocumentation
 */

export type { ForkedChild } from '../forked-child.js';
export type { NewProcess } from './child-request.js';
export { type Forkserver, forkserver, type PreloadOptions } from './forkserver.js';
// Python's functions: the methods of `forkserver`, for `import * as forkserver`
export { connectToNewProcess, ensureRunning, getInheritedFds, setForkserverPreload } from './functions.js';
export type { PreloadErrors } from './preloading.js';
