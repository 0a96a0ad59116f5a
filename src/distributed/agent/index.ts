/** Agents: the hosts of a pool. */
export { Agent } from './agent.js';
export type { AgentOptions } from './options.js';
