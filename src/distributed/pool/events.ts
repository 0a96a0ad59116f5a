import type { HostInfo } from '../wire/messages.js';

/** Something about a host. */
export interface HostEvent {
  /**
   * `host-join`: it takes tasks; `host-drain`: it takes no more; `host-leave`: it has ended in good
   * order; `host-lost`: it is not heard of any more, and its tasks run elsewhere after the lease.
   */
  readonly type: 'host-join' | 'host-drain' | 'host-leave' | 'host-lost';
  /** As it said of itself last. */
  readonly host: HostInfo;
}

/** Something about the broker. */
export interface BrokerEvent {
  /** `broker-lost`: the connection is gone, and dialled again; `broker-back`: it is there again. */
  readonly type: 'broker-lost' | 'broker-back';
}

/** What happens in a distributed pool, as it happens. */
export type DistributedPoolEvent = HostEvent | BrokerEvent;

/** A distributed pool at one moment, as its driver sees it. */
export interface DistributedPoolStats {
  /** Whether the broker is connected. */
  readonly connected: boolean;
  /** The hosts that are heard of. */
  readonly hosts: readonly HostInfo[];
  /** Workers of those that take tasks. */
  readonly processes: number;
  /** Calls and streams under way. */
  readonly runs: number;
  /** Tasks (calls, chunks of items) that have no result yet. */
  readonly active: number;
  /** Tasks of these that the broker does not have yet: it is away, or the pool's queue is full. */
  readonly unsent: number;
  /** Items that were settled. */
  readonly done: number;
  /** Items of these that failed. */
  readonly failed: number;
}
