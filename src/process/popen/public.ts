/**
 * A started child, however it was started. Python: `multiprocessing.popen_*`.
 *
 * @packageDocumentation
 */

export type { StartMethod } from '../start-method.js';
export { PopenFork } from './fork.js';
export { PopenForked } from './forked.js';
export { PopenForkserver } from './forkserver.js';
export { type LaunchOptions, Popen } from './popen.js';
export { PopenSpawn } from './spawn.js';
export { PopenThread } from './thread.js';
