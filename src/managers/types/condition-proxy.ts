import { checkFunction } from '../../util/options.js';
import { performance } from '../../util/timers.js';
import { boundsOf, type WaitOptions } from '../../util/wait-options.js';
import { BaseProxy } from '../proxy.js';
import type { LockProxyLike } from './lock-proxy.js';
import type { RemoteHeld } from './remote-held.js';
import { RLockProxy } from './rlock-proxy.js';

/**
 * A manager's `Condition`, in a client.
 *
 * Semantics: as `Condition`: `wait` releases the lock, waits for a notification and acquires the
 * lock again, also when the time ran out or the wait was aborted. A waiter whose process dies is
 * forgotten.
 *
 * Python: `SyncManager.Condition`.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const [jobs, changed] = [await m.list<string>(), await m.Condition()];
 * const waiting = changed.runExclusive(() => changed.waitFor(async () => (await jobs.length) > 0));
 * await changed.runExclusive(async () => {
 *   await jobs.append('a');
 *   await changed.notify();
 * });
 * console.log(await waiting); // true
 */
export class ConditionProxy extends BaseProxy {
  #lock: (LockProxyLike & BaseProxy) | null = null;

  /**
   * Releases the lock, waits for a notification and acquires the lock again: `false` when the time
   * ran out.
   * @throws NotOwnerError.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    const bounds = boundsOf('Condition.wait', options);
    bounds?.signal?.throwIfAborted();
    return this.#wait(await this.#find(), bounds);
  }

  /**
   * Waits until `predicate`, which is asked here with the lock held, answers something true.
   * @returns its last answer.
   * @throws NotOwnerError.
   */
  async waitFor<R>(predicate: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('Condition.waitFor', 'predicate', predicate);
    const bounds = boundsOf('Condition.waitFor', options);
    const lock = await this.#find();
    const end = performance.now() + (bounds?.timeout ?? Number.POSITIVE_INFINITY);
    for (;;) {
      const answer = await predicate();
      const left = end - performance.now();
      if (answer || left <= 0) return answer;
      bounds?.signal?.throwIfAborted();
      await this.#wait(lock, { ...bounds, timeout: left === Number.POSITIVE_INFINITY ? undefined : left });
    }
  }

  /**
   * Wakes up to `n` of those who wait.
   * @param n Default 1.
   * @throws NotOwnerError when the caller does not hold the lock.
   */
  async notify(n = 1): Promise<void> {
    await this.callMethod('notify', [n, { task: (await this.#find()).task }]);
  }

  /** Wakes all who wait. @throws NotOwnerError when the caller does not hold the lock. */
  async notifyAll(): Promise<void> {
    await this.callMethod('notifyAll', [{ task: (await this.#find()).task }]);
  }

  /** As the lock's. */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.#lock === null ? RLockProxy.acquireOf(this.#find(), options) : this.#lock.acquire(options);
  }

  /** As the lock's. */
  tryAcquire(): Promise<boolean> {
    return this.acquire({ timeout: 0 });
  }

  /** As the lock's. */
  async release(): Promise<void> {
    await (await this.#find()).release();
  }

  /** As the lock's. */
  locked(): Promise<boolean> {
    return this.callMethod<boolean>('locked');
  }

  /** As the lock's. */
  hold(options?: WaitOptions): Promise<RemoteHeld> {
    return this.#lock === null ? RLockProxy.holdOf(this.#find(), options) : this.#lock.hold(options);
  }

  /** As the lock's. */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    return (await this.#find()).runExclusive(fn, options);
  }

  /** As the lock's. */
  declare readonly ownerDied: Promise<boolean>;

  /** As the lock's. */
  async recover(): Promise<void> {
    await this.callMethod('recover');
  }

  /** How many wait. */
  declare readonly waiting: Promise<number>;

  async #wait(lock: LockProxyLike, options: WaitOptions | undefined): Promise<boolean> {
    const { task } = lock;
    const waiting = this.callMethod<boolean>('wait', [{ ...options, task }]);
    const suspended = lock.suspend();
    try {
      const notified = await waiting;
      suspended.resume();
      return notified;
    } catch (error) {
      // Refused: the caller did not hold it. Given up: the lock is to be acquired again; a server
      // that is gone has none.
      if (options?.signal?.aborted === true) await this.callMethod('acquire', [{ task }]);
      suspended.resume();
      throw error;
    }
  }

  /**
   * Returns the proxy of its lock: one object with the proxy that this process has of it already.
   */
  async #find(): Promise<LockProxyLike & BaseProxy> {
    this.#lock ??= (await this.callMethod((await this.callMethod('recursive')) ? 'rlock' : 'lock')) as LockProxyLike &
      BaseProxy;
    return this.#lock;
  }
}
