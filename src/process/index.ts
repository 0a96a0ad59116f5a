/** Starting processes, and what a child does first. */

// What a child does first
export { checkNotBootstrapping, enterBootstrapping, isBootstrapping, leaveBootstrapping } from './bootstrapping.js';
export { FIRST_DESCRIPTOR, INHERITANCE, type Inheritance, inherit } from './inherit.js';
// What a child inherits of Node's options
export { inheritedArguments, inheritedNodeOptions } from './node-arguments.js';
// Children, however started
export * from './popen/index.js';
// Start methods
export {
  type ContextLike,
  checkStartMethod,
  DEFAULT_METHOD,
  getStartMethod,
  isStartMethod,
  METHOD_TITLES,
  type StartMethod,
  setStartMethod,
  startMethodOf,
} from './start-method.js';
