/** Starting processes, and what a child does first. */

// Processes
export { asParent } from './as-parent.js';
export { ownKey } from './authkey.js';
export { checkNotBootstrapping } from './child/bootstrapping.js';
// What a child does first
export { isCovered } from './child/coverage.js';
export { inherit } from './child/inherit.js';
export {
  activeChildren,
  type CurrentProcess,
  cpuCount,
  currentProcess,
  ParentProcess,
  parentProcess,
} from './current.js';
// Forks
export { forkingUnavailable } from './fork/options.js';
// Children, however started
export * from './popen/index.js';
// What a child inherits of Node's options
export { inheritedArguments, inheritedNodeOptions } from './popen/node-arguments.js';
export { Process } from './process.js';
export type { JoinOptions, ProcessOptions, Target } from './process-options.js';
export { Sentinel } from './sentinel.js';
export { freezeSupport, setExecutable } from './spawn.js';
// Start methods
export {
  type ContextLike,
  checkStartMethod,
  getStartMethod,
  METHOD_TITLES,
  type MethodHolder,
  type StartMethod,
  setStartMethod,
  startMethodOf,
} from './start-method.js';
// Templates
export { addTemplateModule } from './template-modules.js';
