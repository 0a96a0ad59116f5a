/**
 * Objects in a server, shared behind proxies, between processes and hosts. Python:
 * `multiprocessing.managers`.
 *
 * @packageDocumentation
 */

// Managers

export { BaseManager, type ManagerClass, type TypesOf } from './manager.js';
export type { ManagerOptions } from './manager-options.js';
export { SharedMemoryManager } from './shared-memory-manager.js';
export { manager } from './start.js';
export { SyncManager } from './sync-manager.js';

// The types of a SyncManager

export {
  ArrayProxy,
  BarrierProxy,
  type ClearChange,
  ConditionProxy,
  type DictChange,
  DictProxy,
  type DictSource,
  EventProxy,
  type GapChange,
  JoinableQueueProxy,
  type ListChange,
  ListProxy,
  LockProxy,
  type ManagedArray,
  type ManagedBarrierOptions,
  type ManagedDict,
  type ManagedList,
  type ManagedQueueOptions,
  type ManagedSet,
  type NamespaceChange,
  type NamespaceOf,
  NamespaceProxy,
  PoolProxy,
  QueueProxy,
  type RemoteHeld,
  RLockProxy,
  RwLockProxy,
  SemaphoreProxy,
  type SetChange,
  type SetOperand,
  SetProxy,
  type SortOptions,
  type StateChange,
  ValueProxy,
  type WatchOptions,
} from './types/index.js';

// Types of your own

export { defineTypes, type Maker, type ManagedType, type ProxyType, type TypeOptions } from './registry.js';
export { type ClientAgent, type CurrentCall, currentCall } from './server/current-call.js';

// Proxies

export { RemoteCall, type SharedSource, type StreamItem } from './client/remote-call.js';
export type { CallOptions } from './proxies.js';
export { BaseProxy, referentOf, type Token, textOf, tokenOf } from './proxy.js';
export type {
  Creation,
  Creations,
  Hidden,
  Remote,
  RemoteArgument,
  RemoteArguments,
  RemoteMaker,
  RemoteMember,
  RemoteMembers,
  RemoteResult,
  TypeEntry,
} from './remote.js';

// Servers

export type { Address, AuthKey, ClientTls, ListenerTls } from '../connection/index.js';
export { type ObjectInfo, Server } from './server.js';
