import type { PoolOptions } from '../pool/index.js';
import type { ScalarCode, Settable } from '../sharedctypes/index.js';
import { BaseManager } from './manager.js';
import type { ManagedBarrierOptions } from './types/barrier.js';
import type { DictSource } from './types/dict.js';
import type {
  ArrayProxy,
  BarrierProxy,
  ConditionProxy,
  DictProxy,
  EventProxy,
  JoinableQueueProxy,
  ListProxy,
  LockProxy,
  NamespaceOf,
  PoolProxy,
  QueueProxy,
  RLockProxy,
  RwLockProxy,
  SemaphoreProxy,
  SetProxy,
  ValueProxy,
} from './types/index.js';
import { TYPEIDS } from './types/index.js';
import { listed } from './types/listed.js';
import type { ManagedQueueOptions } from './types/queue.js';

/** The creation methods of a {@link SyncManager}. */
export interface SyncManager {
  /** A shared Map. @param entries Pairs, a Map, or a plain object. Default: none. */
  dict<K = string, V = unknown>(entries?: DictSource<K, V> | DictProxy<K, V>): Promise<DictProxy<K, V>>;
  /** A shared array. @param items Default: none. */
  list<T = unknown>(items?: Iterable<T> | ListProxy<T>): Promise<ListProxy<T>>;
  /** A shared Set. @param values Default: none. */
  set<T = unknown>(values?: Iterable<T> | SetProxy<T> | ListProxy<T>): Promise<SetProxy<T>>;
  /** Named values, read as properties. @param values Default: none. */
  Namespace<T extends object = Record<string, unknown>>(values?: T): Promise<NamespaceOf<T>>;
  /** One value. @param type What it is, a type code of Python's, say. @param value At first. */
  Value<T>(type: string, value: T): Promise<ValueProxy<T>>;
  /**
   * A fixed number of elements of one type.
   * @param type A type code.
   * @param sizeOrItems How many, all zero; or the elements.
   */
  Array<K extends ScalarCode>(type: K, sizeOrItems: number | Iterable<Settable<K>>): Promise<ArrayProxy<K>>;
  /** A queue. @param options `maxSize`, or `{ maxSize }`. Default: unbounded. */
  Queue<T = unknown>(options?: number | ManagedQueueOptions): Promise<QueueProxy<T>>;
  /**
   * A queue that counts what is not done.
   * @param options `maxSize`, or `{ maxSize }`. Default: unbounded.
   */
  JoinableQueue<T = unknown>(options?: number | ManagedQueueOptions): Promise<JoinableQueueProxy<T>>;
  /** Mutual exclusion. */
  Lock(): Promise<LockProxy>;
  /** Mutual exclusion that its owner may enter again. */
  RLock(): Promise<RLockProxy>;
  /** Many readers, or one writer. */
  RwLock(): Promise<RwLockProxy>;
  /** Permits. @param value At the start; default 1. */
  Semaphore(value?: number): Promise<SemaphoreProxy>;
  /** Permits, never more than at first. @param value Default 1. */
  BoundedSemaphore(value?: number): Promise<SemaphoreProxy>;
  /** Waiting under a lock. @param lock A Lock or RLock of this manager. Default: a new RLock. */
  Condition(lock?: LockProxy | RLockProxy): Promise<ConditionProxy>;
  /** A flag. */
  Event(): Promise<EventProxy>;
  /** A point that a fixed number of parties pass together. */
  Barrier(parties: number, options?: ManagedBarrierOptions): Promise<BarrierProxy>;
  /**
   * A pool whose workers are children of the server.
   * @param options How many workers, or the options of a `Pool`.
   */
  Pool(options?: number | PoolOptions): Promise<PoolProxy>;
}

/**
 * A manager with shared objects for everyday use: containers, locks, queues and pools that any
 * process of any host uses by proxies.
 *
 * Semantics: the objects live in the manager's server; every method of a proxy asks it, and what it
 * answers are copies. A proxy may be an argument, be captured, put in a queue, and kept in a shared
 * container: it arrives as a proxy of the same object. An object that no process has a proxy of,
 * and no shared container, is freed.
 *
 * Subclasses may register further types. See {@link BaseManager} for starting, connecting and
 * ending.
 *
 * Python: `multiprocessing.managers.SyncManager`; {@link manager} gives a started one, as
 * `multiprocessing.Manager()`.
 *
 * @example
 * import { manager, Process } from 'multiprocess';
 *
 * await using m = await manager();
 * const counts = await m.dict<string, number>();
 * const child = await new Process(async (own) => own.set('a', 1), { args: [counts] }).start();
 * await child.join();
 * console.log(await counts.getValue()); // Map(1) { 'a' => 1 }
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the creation methods are registered
export class SyncManager extends BaseManager {}

for (const typeid of TYPEIDS) SyncManager.register(typeid);

// Those that take items read them here: an iterator stays in its thread, its items go.
for (const typeid of ['dict', 'list', 'set', 'Array']) {
  const { [typeid]: create } = {
    async [typeid](this: SyncManager, ...args: unknown[]) {
      return await BaseManager.create(this, typeid, args.map(listed));
    },
  };
  Object.defineProperty(SyncManager.prototype, typeid, { value: create, writable: true, configurable: true });
}
