/** Starting processes, and what a child does first. */
export { bootstrap, enterBootstrapping, FIRST_DESCRIPTOR, type Identity, isBootstrapping, leaveBootstrapping } from './bootstrap.js';
export { inheritedArguments, inheritedNodeOptions } from './node-arguments.js';
export { type SpawnOptions, spawnNode } from './spawn.js';
