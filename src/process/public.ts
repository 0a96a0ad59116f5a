/**
 * Processes: one function in a child of its own. Python: `multiprocessing.process`.
 *
 * @packageDocumentation
 */

// Processes

export { Process } from './process.js';
export type { JoinOptions, ProcessOptions, Target } from './process-options.js';
export { Sentinel } from './sentinel.js';

// The program and its children

export { AuthenticationKey } from './authentication-key.js';
export {
  activeChildren,
  type CurrentProcess,
  cpuCount,
  currentProcess,
  ParentProcess,
  parentProcess,
} from './current.js';

// Start methods

export {
  type ContextLike,
  getStartMethod,
  type MethodHolder,
  type StartMethod,
  setStartMethod,
} from './start-method.js';
