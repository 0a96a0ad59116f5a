/** A started child, however it was started. What users see of it is in public.ts. */

// The methods; each registers itself
export { PopenFork } from './fork.js';
export { PopenForked } from './forked.js';
export { PopenForkserver } from './forkserver.js';
export { checkAvailable, getAllStartMethods, launch } from './launch.js';
export { type LaunchOptions, Popen } from './popen.js';
export { PopenSpawn } from './spawn.js';
export { PopenThread, type ThreadForm } from './thread.js';
