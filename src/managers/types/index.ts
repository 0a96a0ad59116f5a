/**
 * The types of a SyncManager, and of a SharedMemoryManager: what a manager makes without anything
 * being registered.
 *
 *   dict.ts        the object, in the server             dict-proxy.ts   what stands for it in a client
 *
 * Servers and clients load this module by its URL, so none of it is ever sent as code.
 */

import { entry } from '../../util/package.js';
import { defineTypes } from '../registry.js';
import { ManagedArray } from './array.js';
import { ArrayProxy } from './array-proxy.js';
import { ManagedBarrier } from './barrier.js';
import { BarrierProxy } from './barrier-proxy.js';
import { ManagedCondition } from './condition.js';
import { ConditionProxy } from './condition-proxy.js';
import { ManagedDict } from './dict.js';
import { DictProxy } from './dict-proxy.js';
import { ManagedEvent } from './event.js';
import { EventProxy } from './event-proxy.js';
import { ManagedList } from './list.js';
import { ListProxy } from './list-proxy.js';
import { ManagedLock } from './lock.js';
import { LockProxy } from './lock-proxy.js';
import { ManagedNamespace } from './namespace.js';
import { NamespaceProxy } from './namespace-proxy.js';
import { ManagedPool } from './pool.js';
import { PoolProxy } from './pool-proxy.js';
import { ManagedJoinableQueue, ManagedQueue } from './queue.js';
import { JoinableQueueProxy, QueueProxy } from './queue-proxy.js';
import { ManagedRLock } from './rlock.js';
import { RLockProxy } from './rlock-proxy.js';
import { ManagedRwLock } from './rwlock.js';
import { RwLockProxy } from './rwlock-proxy.js';
import { ManagedBoundedSemaphore, ManagedSemaphore } from './semaphore.js';
import { SemaphoreProxy } from './semaphore-proxy.js';
import { ManagedSet } from './set.js';
import { SetProxy } from './set-proxy.js';
import { SharedBlocks } from './shared-blocks.js';
import { ManagedValue } from './value.js';
import { ValueProxy } from './value-proxy.js';

/** A container's value is a copy of what it holds. */
const value = (container: { copy(): unknown }): unknown => container.copy();
/** What is nothing but a state shows as its text. */
const text = (object: object): unknown => String(object);

const LOCK_METHODS = ['acquire', 'release', 'locked', 'owner', 'ownerDied', 'recover'];
const QUEUE_METHODS = ['put', 'putNowait', 'get', 'getNowait', 'qsize', 'empty', 'full', 'shutdown'];
const DICT_METHODS = [
  'get',
  'set',
  'has',
  'delete',
  'size',
  'keys',
  'values',
  'entries',
  'clear',
  'pop',
  'popitem',
  'setdefault',
  'update',
  'copy',
];
const LIST_METHODS = [
  'get', 'at', 'set', 'delete', 'length', 'append', 'push', 'extend', 'insert', 'pop', 'remove', 'splice', 'index', 'indexOf', 'count', 'includes',
  'reverse', 'sort', 'repeat', 'slice', 'copy', 'clear',
]; // biome-ignore format: a table
const SET_METHODS = [
  'add', 'has', 'delete', 'discard', 'remove', 'pop', 'clear', 'size', 'values', 'keys', 'entries', 'copy', 'union', 'intersection', 'difference',
  'symmetricDifference', 'update', 'intersectionUpdate', 'differenceUpdate', 'symmetricDifferenceUpdate', 'equals', 'isSubsetOf',
  'isSupersetOf', 'isDisjointFrom', 'issubset', 'issuperset', 'isdisjoint',
]; // biome-ignore format: a table

const SYNC_TYPES = {
  dict: { callable: ManagedDict, proxyType: DictProxy, value, exposed: [...DICT_METHODS, 'watch', 'page'] },
  list: {
    callable: ManagedList,
    proxyType: ListProxy,
    value,
    functions: 'value',
    exposed: [...LIST_METHODS, 'watch', 'page'],
  },
  set: { callable: ManagedSet, proxyType: SetProxy, value, exposed: [...SET_METHODS, 'watch', 'page'] },
  Namespace: {
    callable: ManagedNamespace,
    proxyType: NamespaceProxy,
    value,
    exposed: ['get', 'set', 'has', 'delete', 'keys', 'entries', 'watch'],
  },
  Value: {
    callable: ManagedValue,
    proxyType: ValueProxy,
    value: (held: ManagedValue) => held.get(),
    functions: 'value',
    exposed: ['type', 'get', 'set', 'update', 'watch'],
  },
  Array: {
    callable: ManagedArray,
    proxyType: ArrayProxy,
    value,
    exposed: ['type', 'length', 'get', 'at', 'set', 'fill', 'slice', 'copy', 'page'],
  },
  Queue: { callable: ManagedQueue, proxyType: QueueProxy, value, exposed: QUEUE_METHODS },
  JoinableQueue: {
    callable: ManagedJoinableQueue,
    proxyType: JoinableQueueProxy,
    value,
    exposed: [...QUEUE_METHODS, 'taskDone', 'join'],
  },
  Lock: { callable: ManagedLock, proxyType: LockProxy, value: text, exposed: LOCK_METHODS },
  RLock: { callable: ManagedRLock, proxyType: RLockProxy, value: text, exposed: LOCK_METHODS },
  RwLock: {
    callable: ManagedRwLock,
    proxyType: RwLockProxy,
    value: text,
    exposed: ['read', 'write', 'release', 'owner', 'ownerDied', 'recover'],
  },
  Semaphore: {
    callable: ManagedSemaphore,
    proxyType: SemaphoreProxy,
    value: (semaphore: ManagedSemaphore) => semaphore.permits(),
    exposed: ['acquire', 'release', 'permits'],
  },
  BoundedSemaphore: {
    callable: ManagedBoundedSemaphore,
    proxyType: SemaphoreProxy,
    value: (semaphore: ManagedSemaphore) => semaphore.permits(),
    exposed: ['acquire', 'release', 'permits'],
  },
  Condition: {
    callable: ManagedCondition,
    proxyType: ConditionProxy,
    value: text,
    methodToTypeid: { lock: 'Lock', rlock: 'RLock' },
    exposed: [
      ...LOCK_METHODS.filter((name) => name !== 'owner'),
      'wait',
      'notify',
      'notifyAll',
      'waiting',
      'recursive',
      'lock',
      'rlock',
    ],
  },
  Event: {
    callable: ManagedEvent,
    proxyType: EventProxy,
    value: (event: ManagedEvent) => event.isSet(),
    exposed: ['isSet', 'set', 'clear', 'wait', 'watch'],
  },
  Barrier: {
    callable: ManagedBarrier,
    proxyType: BarrierProxy,
    value: text,
    exposed: ['wait', 'reset', 'abort', 'parties', 'nWaiting', 'broken'],
  },
  Pool: {
    callable: ManagedPool,
    proxyType: PoolProxy,
    value: (pool: ManagedPool) => pool.stats(),
    functions: 'value',
    methodToTypeid: { feed: 'PoolFeed' },
    release: (pool: ManagedPool) => pool.terminate(),
    exposed: ['apply', 'map', 'starmap', 'imap', 'imapUnordered', 'feed', 'close', 'terminate', 'join', 'stats'],
  },
  // What a pool's proxy pumps a source into.
  PoolFeed: { createMethod: false, exposed: ['push', 'end', 'fail'] },
};

const SHARED_MEMORY_TYPES = {
  SharedBlocks: {
    callable: SharedBlocks,
    createMethod: false,
    lasting: true,
    release: (blocks: SharedBlocks) => blocks.unlink(),
    exposed: ['create', 'createList', 'names'],
  },
};

defineTypes(entry('managers/index').href, { ...SYNC_TYPES, ...SHARED_MEMORY_TYPES } as unknown as Parameters<
  typeof defineTypes
>[1]);

/** The names of the types of a SharedMemoryManager. */
export const SHARED_MEMORY_TYPEIDS: readonly string[] = Object.keys(SHARED_MEMORY_TYPES);
/** The names of the types of a SyncManager. */
export const TYPEIDS: readonly string[] = Object.keys(SYNC_TYPES);

// The referents' own types, for those who write about them
export type { ManagedArray } from './array.js';
// Proxies
export { ArrayProxy } from './array-proxy.js';
export type { ManagedBarrierOptions } from './barrier.js';
export { BarrierProxy } from './barrier-proxy.js';
export type { ClearChange, GapChange, StateChange, WatchOptions } from './change-log.js';
export { ConditionProxy } from './condition-proxy.js';
export type { DictChange, DictSource, ManagedDict } from './dict.js';
export { DictProxy } from './dict-proxy.js';
export { EventProxy } from './event-proxy.js';
export type { ListChange, ManagedList, SortOptions } from './list.js';
export { ListProxy } from './list-proxy.js';
export { LockProxy } from './lock-proxy.js';
export type { NamespaceChange } from './namespace.js';
export { type NamespaceOf, NamespaceProxy } from './namespace-proxy.js';
export { PoolProxy } from './pool-proxy.js';
export type { ManagedQueueOptions } from './queue.js';
export { JoinableQueueProxy, QueueProxy } from './queue-proxy.js';
export type { RemoteHeld } from './remote-held.js';
export { RLockProxy } from './rlock-proxy.js';
export { RwLockProxy } from './rwlock-proxy.js';
export { SemaphoreProxy } from './semaphore-proxy.js';
export type { ManagedSet, SetChange } from './set.js';
export { type SetOperand, SetProxy } from './set-proxy.js';
export { ValueProxy } from './value-proxy.js';
