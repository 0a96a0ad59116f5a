/**
 * Pools over many hosts: the same calls, maps and streams, over a broker (NATS with JetStream). One
 * machine needs none of this.
 */

export { type Callable, type CurrentTask, currentTask } from '../pool/index.js';
export { TaskStream } from '../streams/index.js';
// Hosts
export { Agent, type AgentOptions } from './agent/index.js';
// The broker
export type { BrokerOptions, BrokerTls, Credentials } from './broker/options.js';
// Drivers
export {
  type BrokerEvent,
  type DeadLetter,
  DistributedPool,
  type DistributedPoolEvent,
  type DistributedPoolOptions,
  type DistributedPoolStats,
  type HostEvent,
} from './pool/index.js';
export type { HostInfo } from './wire/messages.js';
