/** Agents: the hosts of a pool. */
export { Agent } from './agent.js';
export { type AgentOptions, DEFAULT_LEASE_MS, MIN_LEASE_MS } from './options.js';
