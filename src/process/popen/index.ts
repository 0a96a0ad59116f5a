/** A started child, however it was started. Python: `multiprocess.popen_*`. */

export type { DescriptorTaker } from '../../util/spawning.js';
export type { Inheritance } from '../child/inherit.js';
// The methods; each registers itself
export { PopenFork } from './fork.js';
export { type ForkedChild, PopenForked } from './forked.js';
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
