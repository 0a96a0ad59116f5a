/** A started child, however it was started. What users see of it is in public.ts. */

export type { DescriptorTaker } from '../../util/spawning.js';
export type { Inheritance } from '../child/inherit.js';
// The methods; each registers itself
export { PopenFork } from './fork.js';
export { PopenForked } from './forked.js';
export { PopenForkserver } from './forkserver.js';
export {
  checkAvailable,
  type ExitListener,
  type ExitStatus,
  exitCodeOf,
  getAllStartMethods,
  type Launcher,
  type LaunchOptions,
  launch,
  Popen,
  registerStartMethod,
  startMethodUnavailable,
} from './popen.js';
export { PopenSpawn } from './spawn.js';
export { PopenThread, type ThreadForm } from './thread.js';
